//! Time in a simulation: Tokio's own, stopped, so that it jumps from one event to the next. Every sandbox's clock is off.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use fastrand::Rng;
use shared::{
    error::Fault,
    host::{Clock, Entropy},
};
use tokio::time::Instant;

/// How far a clock may be off, in milliseconds.
pub const MOST_SKEW: i64 = 2000;

/// The true time.
#[derive(Clone, Copy, Debug)]
pub struct TrueTime {
    began: Instant,
    began_millis: u64,
}

impl TrueTime {
    /// It is now `seconds` since the epoch.
    #[must_use]
    pub fn begin(seconds: u64) -> Self {
        Self { began: Instant::now(), began_millis: seconds * 1000 }
    }

    /// Milliseconds since the epoch at `instant`.
    #[must_use]
    pub fn millis(&self, instant: Instant) -> u64 {
        let since = instant.saturating_duration_since(self.began);
        self.began_millis + u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    /// Seconds since the epoch at `instant`.
    #[must_use]
    pub fn seconds(&self, instant: Instant) -> u64 {
        self.millis(instant) / 1000
    }

    /// When it will be `seconds` since the epoch, as time from now.
    #[must_use]
    pub fn until(&self, seconds: u64) -> Duration {
        Duration::from_millis((seconds * 1000).saturating_sub(self.millis(Instant::now())))
    }
}

/// A clock that is off, and may step.
pub struct Skewed {
    time: TrueTime,
    skew_millis: Arc<AtomicI64>,
}

impl Skewed {
    /// A clock that is `skew_millis` off, whatever that is at the moment.
    #[must_use]
    pub const fn new(time: TrueTime, skew_millis: Arc<AtomicI64>) -> Self {
        Self { time, skew_millis }
    }
}

impl Clock for Skewed {
    fn millis(&self) -> u64 {
        self.time.millis(Instant::now()).saturating_add_signed(self.skew_millis.load(Ordering::Relaxed))
    }
}

/// Randomness that is the same every time.
pub struct Seeded(Mutex<Rng>);

impl Seeded {
    /// From a seed.
    #[must_use]
    pub const fn new(rng: Rng) -> Self {
        Self(Mutex::new(rng))
    }
}

impl Entropy for Seeded {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), Fault> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fill(bytes);
        Ok(())
    }
}
