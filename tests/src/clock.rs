//! A clock that stands still until a test moves it, and views of it that are fast or slow.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use shared::{host::Host, time::Timestamp};

use crate::Lines;

/// Where clocks begin: 2027-01-15T08:00:00Z, in seconds since the epoch.
pub const NOW: u64 = 1_800_000_000;

/// A clock, `skew_millis` off what its test set.
#[derive(Clone)]
pub struct Clock {
    millis: Arc<AtomicU64>,
    skew_millis: i64,
}

impl Default for Clock {
    fn default() -> Self {
        Self { millis: Arc::new(AtomicU64::new(NOW * 1000)), skew_millis: 0 }
    }
}

impl Clock {
    /// The same clock as an instance sees it whose own is off.
    #[must_use]
    pub fn skewed(&self, skew_millis: i64) -> Self {
        Self { millis: Arc::clone(&self.millis), skew_millis }
    }

    /// Moves this clock and all views of it to `seconds` since the epoch.
    pub fn set(&self, seconds: u64) {
        self.millis.store(seconds * 1000, Ordering::SeqCst);
    }

    /// Moves this clock and all views of it.
    pub fn advance(&self, seconds: u64) {
        self.millis.fetch_add(seconds * 1000, Ordering::SeqCst);
    }

    /// This clock's time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        shared::host::Clock::now(self)
    }

    /// A machine with this clock, the operating system's randomness, and these lines.
    #[must_use]
    pub fn host(&self, lines: &Lines) -> Host {
        Host { clock: Arc::new(self.clone()), output: Arc::new(lines.clone()), ..Host::system() }
    }
}

impl shared::host::Clock for Clock {
    fn millis(&self) -> u64 {
        self.millis.load(Ordering::SeqCst).saturating_add_signed(self.skew_millis)
    }
}
