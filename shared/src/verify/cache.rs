//! What one instance remembers, bounded: proofs, refused unknowns, and the newest record that it has seen of each key.

use std::{fmt, num::NonZeroUsize, sync::Arc};

use lru::LruCache;

use crate::{decision::Proof, error::Fault, id::KeyId, key::Digest, record::Record, time::Timestamp};

/// How long a secret stays unknown, in seconds: one imported or issued meanwhile works within this time.
const UNKNOWN_SECONDS: u64 = 60;

/// The shortest time between two reads of one key for the sake of refusals, in milliseconds.
const READ_INTERVAL_MILLIS: u64 = 1000;

pub(super) struct Cache {
    // By the digest under the current pepper: when that changes, entries of the former one are simply never found again.
    proofs: LruCache<Digest, Proved>,
    unknown: LruCache<Digest, Timestamp>,
    records: LruCache<KeyId, Known>,
}

/// What a secret has proved.
#[derive(Clone, Debug)]
pub(super) struct Proved {
    pub(super) key: KeyId,
    pub(super) proof: Proof,
    /// The digest of the alias that it was found by, if that is under another pepper than the current one; and when to see again
    /// whether it may have one under that.
    pub(super) elsewhere: Option<(Digest, Timestamp)>,
}

struct Known {
    record: Arc<Record>,
    /// When the call began that the record is the answer to.
    as_of_millis: u64,
    /// When the last read failed, if it did, and why.
    failed: Option<(u64, Fault)>,
}

impl Cache {
    pub(super) fn new(capacity: NonZeroUsize) -> Self {
        Self { proofs: LruCache::new(capacity), unknown: LruCache::new(capacity), records: LruCache::new(capacity) }
    }

    pub(super) fn proof(&mut self, digest: &Digest) -> Option<Proved> {
        self.proofs.get(digest).cloned()
    }

    pub(super) fn proven(&mut self, digest: Digest, proved: Proved) {
        self.proofs.put(digest, proved);
    }

    /// Puts off until `next` to see whether a secret may have an alias under the current pepper; with none, for good.
    pub(super) fn see_again(&mut self, digest: &Digest, next: Option<Timestamp>) {
        if let Some(proved) = self.proofs.peek_mut(digest) {
            proved.elsewhere = proved.elsewhere.zip(next).map(|((found, _), next)| (found, next));
        }
    }

    pub(super) fn is_unknown(&mut self, digest: &Digest, now: Timestamp) -> bool {
        self.unknown.get(digest).is_some_and(|since| now >= *since && since.until(now) < UNKNOWN_SECONDS)
    }

    pub(super) fn unknown(&mut self, digest: Digest, now: Timestamp) {
        self.unknown.put(digest, now);
    }

    pub(super) fn forget_unknown(&mut self) {
        self.unknown.clear();
    }

    pub(super) fn record(&mut self, id: &KeyId) -> Option<Arc<Record>> {
        self.records.get(id).map(|known| Arc::clone(&known.record))
    }

    /// Remembers a record that a call which began then has answered with. Answers may arrive out of order: of two records,
    /// the one with the higher version, or else with more uses, is newer.
    pub(super) fn store(&mut self, record: Record, as_of_millis: u64) -> Arc<Record> {
        let age = |record: &Record| (record.version, record.counters.total);
        let record = Arc::new(record);
        if self.records.peek(&record.id).is_none_or(|known| age(&known.record) <= age(&record)) {
            let known = Known { record: Arc::clone(&record), as_of_millis, failed: None };
            self.records.put(record.id.clone(), known);
        }
        record
    }

    /// Remembers that a record could not be read.
    pub(super) fn unread(&mut self, id: &KeyId, fault: &Fault, now_millis: u64) {
        if let Some(known) = self.records.get_mut(id) {
            known.failed = Some((now_millis, fault.clone()));
        }
    }

    pub(super) fn forget(&mut self, id: &KeyId) {
        self.records.pop(id);
    }

    /// The record if it is too young to be read again, or why the last read of it failed if that is too young. A clock that
    /// has stepped makes both old.
    pub(super) fn recent(&mut self, id: &KeyId, now_millis: u64) -> Result<Option<Arc<Record>>, Fault> {
        let recent = |at: u64| now_millis.abs_diff(at) < READ_INTERVAL_MILLIS;
        let Some(known) = self.records.get(id) else { return Ok(None) };
        match &known.failed {
            _ if recent(known.as_of_millis) => Ok(Some(Arc::clone(&known.record))),
            Some((at, fault)) if recent(*at) => Err(fault.clone()),
            _ => Ok(None),
        }
    }
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cache({} proofs, {} unknown, {} records)", self.proofs.len(), self.unknown.len(), self.records.len())
    }
}
