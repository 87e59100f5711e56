//! What the audit table has of attempts, as far as settings say it.

use crate::{
    config::{self, ConfigError, Lookup},
    time::Timestamp,
};

/// Which attempts are copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Copied {
    /// All of them.
    All,
    /// Those that were refused, or failed.
    Refusals,
}

/// Which attempts are copied, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Copies {
    /// `AUDITED_ATTEMPTS`: `all` or `refusals`.
    pub copied: Copied,
    /// `AUDIT_RETENTION_DAYS`, in seconds.
    pub retention_seconds: u64,
}

impl Copies {
    /// Reads it.
    ///
    /// # Errors
    /// [`ConfigError`] that names the first variable that is missing or wrong.
    pub fn read(lookup: Lookup<'_>) -> Result<Self, ConfigError> {
        Ok(Self {
            copied: config::choice(lookup, "AUDITED_ATTEMPTS", &[("all", Copied::All), ("refusals", Copied::Refusals)])?,
            retention_seconds: config::days(lookup, "AUDIT_RETENTION_DAYS")?,
        })
    }

    /// The moment from which on copies are kept.
    #[must_use]
    pub const fn kept_since(&self, now: Timestamp) -> Timestamp {
        now.minus(self.retention_seconds)
    }

    /// Whether every use since `since` has a copy. One of the last moments may be on its way to the table.
    #[must_use]
    pub fn have_uses(&self, since: Timestamp, now: Timestamp) -> bool {
        self.copied == Copied::All && since >= self.kept_since(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uses_have_copies_only_if_they_are_made_and_kept() {
        let now = Timestamp::from_secs(1_800_000_000);
        let all = Copies { copied: Copied::All, retention_seconds: 60 };
        assert!(all.have_uses(now.minus(60), now));
        assert!(!all.have_uses(now.minus(61), now));
        assert!(!Copies { copied: Copied::Refusals, ..all }.have_uses(now, now));
    }
}
