//! Rows of the audit table that copies of attempts are.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::attempt::Attempt;

/// A row of the table.
#[derive(Clone, Debug, PartialEq)]
pub enum Row {
    /// An attempt with a key.
    Attempt(Tried),
    /// Attempts of one minute without one.
    Group(Group),
}

/// An attempt, and what came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Tried {
    /// The row's id, which orders rows by time (UUID version 7).
    pub id: Uuid,
    /// When, in milliseconds since the epoch.
    pub at_millis: u64,
    /// [`ALLOWED`](super::attempt::ALLOWED), or the code of a refusal or of a fault.
    pub outcome: &'static str,
    /// How long it took, in milliseconds.
    pub duration_ms: f64,
    /// Who tried what.
    pub attempt: Attempt,
}

/// Attempts of one minute and one address, none of them with a key that exists: so many that a row for each would be work
/// that anybody could make.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// How many, by outcome.
    pub counts: BTreeMap<&'static str, u64>,
    /// Whether it is of all the addresses that have no group of their own.
    pub others: bool,
    /// The first of them.
    pub sample: Tried,
}

impl Row {
    /// How many attempts it stands for.
    #[must_use]
    pub fn attempts(&self) -> u64 {
        match self {
            Self::Attempt(_) => 1,
            Self::Group(group) => group.counts.values().sum(),
        }
    }
}
