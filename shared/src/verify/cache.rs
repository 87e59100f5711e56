//! What one instance remembers, bounded: proofs, refused unknowns, and the newest state that it has seen of each key and of what
//! owners' keys share.

use std::{fmt, num::NonZeroUsize};

use lru::LruCache;

use super::newest::Newest;
use crate::{
    decision::Proof, id::KeyId, key::Digest, owner::Owner, record::Record, shared_limits::SharedLimits, time::Timestamp,
};

/// How long a secret stays unknown, in seconds: one imported or issued meanwhile works within this time.
const UNKNOWN_SECONDS: u64 = 60;

pub(super) struct Cache {
    // By the digest under the current pepper: when that changes, entries of the former one are simply never found again.
    proofs: LruCache<Digest, Proved>,
    unknown: LruCache<Digest, Timestamp>,
    pub(super) records: Newest<KeyId, Record>,
    pub(super) shared: Newest<Owner, SharedLimits>,
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

impl Cache {
    pub(super) fn new(capacity: NonZeroUsize) -> Self {
        Self {
            proofs: LruCache::new(capacity),
            unknown: LruCache::new(capacity),
            records: Newest::new(capacity),
            shared: Newest::new(capacity),
        }
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
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cache({} proofs, {} unknown, {} records)", self.proofs.len(), self.unknown.len(), self.records.len())
    }
}
