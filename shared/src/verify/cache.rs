//! What one instance remembers, bounded: proofs, refused unknowns, and the newest record that it has seen of each key.

use std::{fmt, num::NonZeroUsize, sync::Arc};

use lru::LruCache;

use crate::{decision::Proof, id::KeyId, key::Digest, record::Record, time::Timestamp};

/// How long a secret stays unknown, in seconds: one imported or issued meanwhile works within this time.
const UNKNOWN_SECONDS: u64 = 60;

/// The shortest time between two reads of one key for the sake of refusals, in milliseconds.
const READ_INTERVAL_MILLIS: u64 = 1000;

pub(super) struct Cache {
    // By the digest under the current pepper: when that changes, entries of the former one are simply never found again.
    proofs: LruCache<Digest, (KeyId, Proof)>,
    unknown: LruCache<Digest, Timestamp>,
    records: LruCache<KeyId, Known>,
}

struct Known {
    record: Arc<Record>,
    read_at_millis: Option<u64>,
}

impl Cache {
    pub(super) fn new(capacity: NonZeroUsize) -> Self {
        Self { proofs: LruCache::new(capacity), unknown: LruCache::new(capacity), records: LruCache::new(capacity) }
    }

    pub(super) fn proof(&mut self, digest: &Digest) -> Option<(KeyId, Proof)> {
        self.proofs.get(digest).cloned()
    }

    pub(super) fn proven(&mut self, digest: Digest, proven: (KeyId, Proof)) {
        self.proofs.put(digest, proven);
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

    /// Remembers a record that a write has answered with.
    pub(super) fn store(&mut self, record: Record) -> Arc<Record> {
        let record = Arc::new(record);
        let read_at_millis = self.records.peek(&record.id).and_then(|known| known.read_at_millis);
        self.put(&record, read_at_millis);
        record
    }

    /// Remembers a record that was read.
    pub(super) fn fetched(&mut self, record: Record, now_millis: u64) -> Arc<Record> {
        let record = Arc::new(record);
        self.put(&record, Some(now_millis));
        record
    }

    pub(super) fn forget(&mut self, id: &KeyId) {
        self.records.pop(id);
    }

    /// Whether a read is due; if so, it counts as made, so that of many requests at once one reads.
    pub(super) fn claim_read(&mut self, id: &KeyId, now_millis: u64) -> bool {
        let Some(known) = self.records.get_mut(id) else { return true };
        let due = known.read_at_millis.is_none_or(|read_at| now_millis.abs_diff(read_at) >= READ_INTERVAL_MILLIS);
        if due {
            known.read_at_millis = Some(now_millis);
        }
        due
    }

    /// Answers may arrive out of order: of two records, the one with the higher version, or else with more uses, is newer.
    fn put(&mut self, record: &Arc<Record>, read_at_millis: Option<u64>) {
        let age = |record: &Record| (record.version, record.counters.total);
        let known = self.records.peek(&record.id).map(|known| &known.record);
        let newest = Arc::clone(known.filter(|known| age(known) > age(record)).unwrap_or(record));
        self.records.put(record.id.clone(), Known { record: newest, read_at_millis });
    }
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cache({} proofs, {} unknown, {} records)", self.proofs.len(), self.unknown.len(), self.records.len())
    }
}
