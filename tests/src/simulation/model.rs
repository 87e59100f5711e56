//! The model: every state that every key was ever in, and what that allows functions to do and to answer.
//!
//! Nothing is guessed: the proxy tells which write of whom was applied when. So each write is judged by the state that it met,
//! and each answer by the states that were in force while it was made.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tokio::time::{Duration, Instant};

use super::{
    clock::TrueTime,
    job::{Errand, Held},
    oracle::text,
};
use crate::proxy::{Item, Journal};

mod answers;
mod sharing;
mod writes;

/// How far two clocks may be apart from the truth, in seconds, rounded up.
const SKEW: u64 = 3;

/// How old a refusal's reason may be: a second by the instance's clock, which may step back by four meanwhile.
const STALE: Duration = Duration::from_secs(6);

/// How long a fault may go on to be felt by the same instance: a failed fetch of the peppers is remembered for 2 s by a
/// clock that may step.
const FELT: Duration = Duration::from_secs(10);

/// What is known.
pub struct Model {
    pub(super) time: TrueTime,
    pub(super) retention: u64,
    /// Every key, by id.
    pub keys: BTreeMap<String, Key>,
    /// What the keys of their owner share, through time.
    pub(super) shared: Vec<(Instant, Item)>,
    /// The uses that were counted there.
    shared_charges: BTreeSet<u64>,
    /// Every secret that reached a caller.
    pub held: Vec<Held>,
    /// Every errand that has ended.
    pub errands: BTreeMap<u64, Errand>,
    pub(super) charges: BTreeMap<u64, Vec<Instant>>,
    pub(super) commits: BTreeMap<u64, Vec<(Instant, u64)>>,
    sandboxes: BTreeMap<u64, usize>,
    struck: BTreeMap<usize, Instant>,
    struck_errands: BTreeSet<u64>,
    /// Tags of secrets whose aliases DynamoDB has removed after their end, or that ended before their pepper was given up: who they
    /// were, nobody can tell any more.
    pub forgotten: BTreeSet<String>,
    /// Whether DynamoDB has removed any closed day.
    pub usage_removed: bool,
    /// Whether there are two peppers.
    pub peppers_change: bool,
}

/// A key's hot item through time.
#[derive(Default)]
pub struct Key {
    states: Vec<(Instant, Option<Item>)>,
    /// The tags of secrets that a function has answered with.
    pub answered: BTreeSet<String>,
    /// Whether DynamoDB has removed the about item after its end, perhaps before the hot one: nobody can be shown the key then.
    pub withdrawn: bool,
    /// The metadata that each version came with, if it came with any.
    metadata: BTreeMap<u64, Value>,
}

impl Key {
    /// The item as it is.
    #[must_use]
    pub fn now(&self) -> Option<&Item> {
        self.states.last().and_then(|(_, item)| item.as_ref())
    }

    /// The states that were in force at some time between the two.
    fn between(&self, from: Instant, to: Instant) -> impl Iterator<Item = Option<&Item>> {
        let first = self.states.iter().rposition(|(at, _)| *at <= from).unwrap_or(0);
        self.states[first..].iter().filter(move |(at, _)| *at <= to).map(|(_, item)| item.as_ref())
    }

    /// Whether it was revoked at that time, or at any time before.
    fn was_revoked(&self, by: Instant) -> bool {
        let mut before = self.states.iter().filter(|(at, _)| *at <= by).filter_map(|(_, item)| item.as_ref());
        before.any(|item| text(item, "status") == "revoked")
    }

    /// DynamoDB has removed it after its end.
    pub fn removed(&mut self, at: Instant) {
        self.states.push((at, None));
    }
}

macro_rules! must {
    ($holds:expr, $($what:tt)+) => {
        if !$holds {
            return Err(format!($($what)+));
        }
    };
}
pub(super) use must;

impl Model {
    /// Of a system without keys. Ended items are kept for `retention` seconds.
    #[must_use]
    pub const fn new(time: TrueTime, retention: u64) -> Self {
        Self {
            time,
            retention,
            keys: BTreeMap::new(),
            shared: Vec::new(),
            shared_charges: BTreeSet::new(),
            held: Vec::new(),
            errands: BTreeMap::new(),
            charges: BTreeMap::new(),
            commits: BTreeMap::new(),
            sandboxes: BTreeMap::new(),
            struck: BTreeMap::new(),
            struck_errands: BTreeSet::new(),
            forgotten: BTreeSet::new(),
            usage_removed: false,
            peppers_change: false,
        }
    }

    /// What is done under that number is done by that sandbox.
    pub fn assign(&mut self, errand: u64, sandbox: usize) {
        self.sandboxes.insert(errand, sandbox);
    }

    /// Compares what has happened with what may happen.
    ///
    /// # Errors
    /// What should not have happened.
    pub fn step(&mut self, errands: Vec<Errand>, journal: Journal) -> Result<(), String> {
        for errand in &errands {
            self.errands.insert(errand.id, errand.clone());
        }
        for (errand, _) in journal.struck {
            self.struck_errands.insert(errand);
            if let Some(sandbox) = self.sandboxes.get(&errand) {
                self.struck.insert(*sandbox, Instant::now());
            }
        }
        for applied in &journal.applied {
            let errand = self.errands.get(&applied.errand).cloned();
            let what = |wrong| format!("{wrong}\n  by {errand:?}\n  before {:?}\n  after {:?}", applied.before, applied.after);
            self.write(applied).map_err(what)?;
        }
        for errand in &errands {
            self.answer(errand).map_err(|wrong| format!("{wrong}\n  {errand:?}"))?;
        }
        Ok(())
    }
}
