//! What a machine gives a function, as parameters: the time, randomness, and a place for its lines.
//!
//! Nothing else in this workspace asks the operating system for any of them, so that tests can set the clock and read the
//! lines.

use std::{
    io::Write,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use rand::{TryRng, rngs::SysRng};

use crate::{error::Fault, time::Timestamp};

/// A source of the current time.
pub trait Clock: Send + Sync {
    /// Milliseconds since the Unix epoch.
    fn millis(&self) -> u64;

    /// The same as a whole second.
    fn now(&self) -> Timestamp {
        Timestamp::from_secs(self.millis() / 1000)
    }
}

/// A source of unpredictable bytes.
pub trait Entropy: Send + Sync {
    /// Fills `bytes`.
    ///
    /// # Errors
    /// A [`Fault`] if the source has none to give; nothing may then be generated.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), Fault>;
}

/// Where the lines of invocations go.
pub trait Output: Send + Sync {
    /// Writes one line.
    fn line(&self, line: &str);
}

/// The clock, the generator and the output that a function runs with.
#[derive(Clone)]
pub struct Host {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// Lines.
    pub output: Arc<dyn Output>,
}

impl Host {
    /// The operating system's own clock and generator, and standard output.
    #[must_use]
    pub fn system() -> Self {
        Self { clock: Arc::new(SystemClock), entropy: Arc::new(SystemEntropy), output: Arc::new(StandardOutput) }
    }

    /// A time-ordered id (UUID version 7, RFC 9562) for records of things that happened.
    ///
    /// # Errors
    /// A [`Fault`] if there is no randomness.
    pub fn uuid(&self) -> Result<uuid::Uuid, Fault> {
        let mut random = [0; 10];
        self.entropy.fill(&mut random)?;
        Ok(uuid::Builder::from_unix_timestamp_millis(self.clock.millis(), &random).into_uuid())
    }
}

struct SystemClock;

impl Clock for SystemClock {
    fn millis(&self) -> u64 {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(0))
    }
}

struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), Fault> {
        SysRng.try_fill_bytes(bytes).map_err(|error| Fault::new("random.unavailable", error))
    }
}

struct StandardOutput;

impl Output for StandardOutput {
    fn line(&self, line: &str) {
        // If nobody listens any more, that is no reason to refuse anybody.
        let _ = writeln!(std::io::stdout().lock(), "{line}");
    }
}
