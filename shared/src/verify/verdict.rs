//! What came of a presented secret, and what that has shown to be due.

use std::sync::Arc;

use super::realias::Realias;
use crate::{
    decision::{self, Proof, Refusal, Request, Sweep},
    error::Fault,
    id::KeyId,
    limit::Window,
    record::Record,
    shared_limits::SharedLimits,
    time::Timestamp,
};

/// What came of a presented secret.
#[derive(Debug)]
pub struct Verdict {
    /// Allowed and counted, or refused.
    pub outcome: Outcome,
    /// The generation whose secret was presented, if it is a key's.
    pub generation: Option<u32>,
    /// How many uses may have been counted without having been allowed: because answers of DynamoDB's were lost, or because
    /// the answer shows a record that refuses.
    pub uncertain: u32,
    /// The moment that it counts as.
    pub now: Timestamp,
    /// What the key shares with others of its owner, if that was looked at.
    pub shared: Option<Arc<SharedLimits>>,
    pub(super) realias: Option<Realias>,
}

/// Allowed or refused.
#[derive(Debug)]
pub enum Outcome {
    /// Allowed, and counted.
    Allowed {
        /// The record after the use.
        record: Arc<Record>,
    },
    /// Refused.
    Refused {
        /// Why.
        refusal: Refusal,
        /// The record that decided; none if there is no such key.
        record: Option<Arc<Record>>,
    },
}

/// No verdict, for a fault of ours: nobody is let in, and nobody is told that the key was at fault.
#[derive(Clone, Debug)]
pub struct Undecided {
    /// What went wrong.
    pub fault: Fault,
    /// How many uses may have been counted nevertheless.
    pub uncertain: u32,
    /// The key, if it came as far as that.
    pub key: Option<KeyId>,
}

impl From<Fault> for Undecided {
    fn from(fault: Fault) -> Self {
        Self { fault, uncertain: 0, key: None }
    }
}

/// Work that a verdict has shown to be due, for after the response.
#[derive(Clone, Debug, PartialEq)]
pub enum Chore {
    /// More ended windows than one use removes.
    Sweep(KeyId, Sweep),
    /// A closed day.
    Fold {
        /// The record that shows it.
        record: Arc<Record>,
        /// The day.
        day: Window,
        /// Its count.
        count: u64,
        /// Up to when to sweep.
        up_to: Timestamp,
    },
    /// A secret without an alias under the current pepper.
    Realias(Realias),
}

/// How long what has ended is kept, in seconds.
#[derive(Clone, Copy, Debug)]
pub struct Retention {
    /// The items of ended keys and secrets.
    pub ended_seconds: u64,
    /// The history of usage.
    pub usage_seconds: u64,
}

impl Verdict {
    /// Of a use that was counted, and left `record`.
    pub(super) fn counted(record: Arc<Record>, proof: &Proof, request: &Request<'_>, uncertain: u32, now: Timestamp) -> Self {
        let now = trusted(&record, now);
        if let Some(refusal) = decision::standing(&record, proof, request, now) {
            return Self::refused(refusal, record, proof, uncertain + 1, now);
        }
        Self { outcome: Outcome::Allowed { record }, generation: Some(proof.number), uncertain, now, shared: None, realias: None }
    }

    pub(super) fn refused(refusal: Refusal, record: Arc<Record>, proof: &Proof, uncertain: u32, now: Timestamp) -> Self {
        let now = trusted(&record, now);
        let outcome = Outcome::Refused { refusal, record: Some(record) };
        Self { outcome, generation: Some(proof.number), uncertain, now, shared: None, realias: None }
    }

    pub(super) const fn unknown(now: Timestamp, uncertain: u32) -> Self {
        let outcome = Outcome::Refused { refusal: Refusal::Unknown, record: None };
        Self { outcome, generation: None, uncertain, now, shared: None, realias: None }
    }

    /// The record that decided, if there is such a key.
    #[must_use]
    pub const fn record(&self) -> Option<&Arc<Record>> {
        match &self.outcome {
            Outcome::Allowed { record } => Some(record),
            Outcome::Refused { record, .. } => record.as_ref(),
        }
    }

    /// What an allowed use has shown to be due.
    #[must_use]
    pub fn chores(&self) -> Vec<Chore> {
        let Outcome::Allowed { record } = &self.outcome else { return Vec::new() };
        let many = decision::sweep(record, self.now).filter(|sweep| sweep.windows.len() > decision::MOST_SWEPT);
        let sweep = many.map(|sweep| Chore::Sweep(record.id.clone(), sweep));
        let up_to = record.swept.max(self.now.minus(decision::SWEEP_DELAY));
        let folds = decision::closed_days(record, self.now).into_iter();
        let folds = folds.map(|(day, count)| Chore::Fold { record: Arc::clone(record), day, count, up_to });
        let realias = self.realias.clone().map(Chore::Realias);
        sweep.into_iter().chain(folds).chain(realias).collect()
    }
}

/// The moment that was decided for. A record that refuses even that clock was found by another one's write: then as it is.
fn trusted(record: &Record, now: Timestamp) -> Timestamp {
    decision::trusted_now(record.swept, now).unwrap_or(now)
}
