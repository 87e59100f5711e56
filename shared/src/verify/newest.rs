//! The newest state of each item that this instance has seen, bounded.

use std::{hash::Hash, num::NonZeroUsize, sync::Arc};

use lru::LruCache;

use crate::{error::Fault, record::Record, shared_limits::SharedLimits};

/// The shortest time between two reads of one item for the sake of refusals, in milliseconds.
const READ_INTERVAL_MILLIS: u64 = 1000;

/// What grows with every write. Answers may arrive out of order: of two states, the one with the higher version, or else with more
/// uses, is newer.
pub(super) trait Aged {
    /// Version and uses.
    fn age(&self) -> (u64, u64);
}

impl Aged for Record {
    fn age(&self) -> (u64, u64) {
        (self.version, self.counters.total)
    }
}

impl Aged for SharedLimits {
    fn age(&self) -> (u64, u64) {
        (self.version, self.total)
    }
}

pub(super) struct Newest<K, V>(LruCache<K, Known<V>>);

struct Known<V> {
    state: Arc<V>,
    /// When the call began that the state is the answer to.
    as_of_millis: u64,
    /// When the last read failed, if it did, and why.
    failed: Option<(u64, Fault)>,
}

impl<K: Hash + Eq + Clone, V: Aged> Newest<K, V> {
    pub(super) fn new(capacity: NonZeroUsize) -> Self {
        Self(LruCache::new(capacity))
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn get(&mut self, id: &K) -> Option<Arc<V>> {
        self.0.get(id).map(|known| Arc::clone(&known.state))
    }

    /// Remembers a state that a call which began then has answered with.
    pub(super) fn store(&mut self, id: &K, state: V, as_of_millis: u64) -> Arc<V> {
        let state = Arc::new(state);
        if self.0.peek(id).is_none_or(|known| known.state.age() <= state.age()) {
            self.0.put(id.clone(), Known { state: Arc::clone(&state), as_of_millis, failed: None });
        }
        state
    }

    /// Remembers that it could not be read.
    pub(super) fn unread(&mut self, id: &K, fault: &Fault, now_millis: u64) {
        if let Some(known) = self.0.get_mut(id) {
            known.failed = Some((now_millis, fault.clone()));
        }
    }

    pub(super) fn forget(&mut self, id: &K) {
        self.0.pop(id);
    }

    /// The state if it is too young to be read again, or why the last read of it failed if that is too young. A clock that has
    /// stepped makes both old.
    pub(super) fn recent(&mut self, id: &K, now_millis: u64) -> Result<Option<Arc<V>>, Fault> {
        let recent = |at: u64| now_millis.abs_diff(at) < READ_INTERVAL_MILLIS;
        let Some(known) = self.0.get(id) else { return Ok(None) };
        match &known.failed {
            _ if recent(known.as_of_millis) => Ok(Some(Arc::clone(&known.state))),
            Some((at, fault)) if recent(*at) => Err(fault.clone()),
            _ => Ok(None),
        }
    }
}
