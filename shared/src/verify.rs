//! Verification: from a presented secret to a verdict, in one write for a warm and allowed request.
//!
//! Only what can't go stale unnoticed is cached: a proof holds for ever, a record is only believed when the write that
//! names its version goes through, or when it refuses and nothing newer is to be had.

use std::{
    num::NonZeroUsize,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use crate::{
    decision::{self, Decision, Proof, Refusal, Request},
    error::Fault,
    host::Host,
    id::KeyId,
    key::{Digest, Secret},
    owner::Owner,
    record::Record,
    secrets::{PepperSource, Peppers},
    store::{Store, charge, charge::Charge},
    time::Timestamp,
};

mod cache;
mod newest;
mod realias;
mod sharing;
mod turns;
mod verdict;

use cache::{Cache, Proved};
pub use realias::Realias;
use turns::Turns;
pub use verdict::{Chore, Outcome, Retention, Undecided, Verdict};

/// The most secrets and keys that one instance remembers, each.
const CAPACITY: NonZeroUsize = NonZeroUsize::new(10_000).unwrap();

/// How often a use is tried before that is our own fault: each try after the first is answered by a newer record, or
/// follows a failure of DynamoDB's.
const TRIES: u32 = 8;

/// The longest pause after a failure of DynamoDB's, in milliseconds; the first is an eighth of it.
const LONGEST_PAUSE_MILLIS: u64 = 160;

/// When no new try is begun. With one more attempt of 1.5 s ([`crate::aws::timeouts`]) that leaves time to answer and to
/// audit within the 10 s that API Gateway waits for an authorizer.
const DEADLINE: Duration = Duration::from_secs(7);

/// Checks secrets and counts their uses. One per instance.
pub struct Verifier {
    store: Store,
    peppers: PepperSource,
    host: Host,
    cache: Mutex<Cache>,
    first_sights: Turns<Digest>,
    reads: Turns<KeyId>,
    shared_reads: Turns<Owner>,
}

/// A secret that fits its hash, and where that is remembered.
struct Proven {
    digest: Digest,
    proved: Proved,
}

impl Verifier {
    /// A verifier that knows nothing yet.
    #[must_use]
    pub fn new(store: Store, peppers: PepperSource, host: Host) -> Self {
        Self {
            store,
            peppers,
            host,
            cache: Mutex::new(Cache::new(CAPACITY)),
            first_sights: Turns::new(),
            reads: Turns::new(),
            shared_reads: Turns::new(),
        }
    }

    /// Opens connections and fetches the peppers, in the time that Lambda gives to a starting instance.
    ///
    /// # Errors
    /// A [`Fault`]; the verifier is usable, and the first request tries again.
    pub async fn warm(&self) -> Result<(), Fault> {
        let (peppers, store) = tokio::join!(self.peppers.any(self.host.clock.now()), self.store.warm());
        store.and(peppers.map(|_| ()))
    }

    /// Decides `request`, made with `secret`, and counts it if it is allowed.
    ///
    /// # Errors
    /// [`Undecided`], a fault of ours.
    pub async fn verify(&self, secret: &Secret, request: &Request<'_>) -> Result<Verdict, Undecided> {
        let now = self.host.clock.now();
        let deadline = Instant::now() + DEADLINE;
        let Some(proven) = in_time(deadline, self.prove(secret, now)).await? else {
            return Ok(Verdict::unknown(now, 0));
        };
        let Proved { key, proof, .. } = &proven.proved;
        let admitted = self.admit(key, proof, request, (now, deadline)).await;
        let mut verdict = admitted.map_err(|undecided| Undecided { key: Some(key.clone()), ..undecided })?;
        match verdict.outcome {
            // The alias has outlived its key: as good as never issued.
            Outcome::Refused { record: None, .. } => self.cache().unknown(proven.digest, now),
            Outcome::Allowed { .. } => verdict.realias = self.elsewhere(secret, proven, now),
            Outcome::Refused { .. } => {}
        }
        Ok(verdict)
    }

    /// Which key and generation `secret` is, or none if it was never issued. bcrypt runs only for what was.
    async fn prove(&self, secret: &Secret, now: Timestamp) -> Result<Option<Proven>, Fault> {
        let mut peppers = self.peppers.any(now).await?;
        loop {
            let digests = peppers.digests(secret);
            let Some((_, current)) = digests.first().copied() else { return Ok(None) };
            if let Some(known) = self.known(current, now) {
                return Ok(known);
            }
            let _turn = self.first_sights.take(current).await;
            if let Some(known) = self.known(current, now) {
                return Ok(known);
            }
            if let Some((found, key, proof)) = self.look_up(secret, &digests).await? {
                let proved = Proved { key, proof, elsewhere: (found != current).then_some((found, now)) };
                self.cache().proven(current, proved.clone());
                return Ok(Some(Proven { digest: current, proved }));
            }
            match self.newer(&peppers, now).await? {
                Some(newer) => peppers = newer,
                None => {
                    self.cache().unknown(current, now);
                    return Ok(None);
                }
            }
        }
    }

    /// What this instance has found out about a secret before.
    fn known(&self, digest: Digest, now: Timestamp) -> Option<Option<Proven>> {
        let mut cache = self.cache();
        if cache.is_unknown(&digest, now) {
            return Some(None);
        }
        cache.proof(&digest).map(|proved| Some(Proven { digest, proved }))
    }

    /// Under which digest a secret has an alias, and whose it is.
    async fn look_up(&self, secret: &Secret, digests: &[(u32, Digest)]) -> Result<Option<(Digest, KeyId, Proof)>, Fault> {
        for (_, digest) in digests {
            if let Some(alias) = self.store.alias(digest).await? {
                // Whoever has the digest has the whole secret: a hash that doesn't fit was tampered with, and isn't the caller's fault.
                return match secret.verify(&alias.hash).await? {
                    true => Ok(Some((*digest, alias.key, alias.proof))),
                    false => Err(Fault::corrupt("alias", "the hash is another secret's")),
                };
            }
        }
        Ok(None)
    }

    /// A set of peppers to try instead of `tried`, if that one is too old to answer "unknown" and another has come.
    async fn newer(&self, tried: &Arc<Peppers>, now: Timestamp) -> Result<Option<Arc<Peppers>>, Fault> {
        let fresh = self.peppers.fresh(now).await?;
        if fresh.same(tried) {
            return Ok(None);
        }
        // What was unknown under the former set may be known under this one.
        self.cache().forget_unknown();
        Ok(Some(fresh))
    }

    async fn admit(
        &self,
        id: &KeyId,
        proof: &Proof,
        request: &Request<'_>,
        (now, deadline): (Timestamp, Instant),
    ) -> Result<Verdict, Undecided> {
        let cached = self.cache().records.get(id);
        let mut certain = cached.is_none();
        let mut current = match cached {
            Some(record) => Some(record),
            None => in_time(deadline, self.read(id)).await?,
        };
        let mut nonce = None;
        let (mut shared, mut shares) = (None, false);
        let mut uncertain = 0;
        let mut fault = None;
        let mut tries = 0;
        loop {
            let Some(record) = current else {
                return Ok(Verdict::unknown(now, uncertain));
            };
            let undecided = |fault| Undecided { fault, uncertain, key: None };
            let mut decided = match decision::decide(&record, proof, request, now) {
                Ok(Decision::Proceed(r#use)) => Ok(r#use),
                Ok(Decision::Refuse(refusal)) => Err(refusal),
                Err(behind) => return Err(undecided(Fault::new("clock.behind", behind))),
            };
            // Once for each request, however often its key has to be tried: what is counted there stays counted.
            if decided.is_ok() && record.shared_limits && !shares {
                let (counted, limits) = self.share(&record.owner, (now, deadline)).await.map_err(undecided)?;
                shares = counted.is_ok();
                shared = Some(limits);
                decided = counted.and(decided);
            }
            let r#use = match decided {
                Ok(r#use) => r#use,
                Err(refusal) if certain || refusal == Refusal::Revoked => {
                    return Ok(Verdict { shared, ..Verdict::refused(refusal, record, proof, uncertain, now) });
                }
                Err(_) => {
                    certain = true;
                    current = in_time(deadline, self.read_again(&record, proof)).await.map_err(undecided)?;
                    continue;
                }
            };
            if tries == TRIES || Instant::now() >= deadline {
                let contended = || Fault::new("use.contended", format_args!("{id} changed at each of {tries} tries"));
                return Err(Undecided { fault: fault.unwrap_or_else(contended), uncertain, key: None });
            }
            if fault.is_some() {
                pause(tries).await;
            }
            tries += 1;
            let nonce = match &mut nonce {
                Some(nonce) => nonce,
                none => none.insert(charge::nonce(self.host.entropy.as_ref())?),
            };
            let as_of_millis = self.host.clock.millis();
            match self.store.charge(id, &r#use, nonce).await {
                Ok(Charge::Counted(counted)) => {
                    let record = self.cache().records.store(id, counted, as_of_millis);
                    return Ok(Verdict { shared, ..Verdict::counted(record, proof, request, uncertain, now) });
                }
                Ok(Charge::Refused(Some(found))) => {
                    let landed = found.last_request.as_ref() == Some(nonce);
                    let found = self.cache().records.store(id, found, as_of_millis);
                    if landed {
                        let uncertain = uncertain.saturating_sub(1);
                        return Ok(Verdict { shared, ..Verdict::counted(found, proof, request, uncertain, now) });
                    }
                    certain = true;
                    fault = None;
                    current = Some(found);
                }
                Ok(Charge::Refused(None)) => {
                    self.cache().records.forget(id);
                    current = None;
                }
                Err(failed) => {
                    uncertain += u32::from(failed.ambiguous);
                    if !failed.retryable {
                        return Err(Undecided { fault: self.explain(id, failed).await, uncertain, key: None });
                    }
                    fault = Some(failed);
                    current = Some(record);
                }
            }
        }
    }

    /// The record again, after a remembered one has refused: a refusal is never older than a second, and for the sake of
    /// refusals no key is read more often than that. A generation that the record can't know yet is always worth a read.
    async fn read_again(&self, record: &Record, proof: &Proof) -> Result<Option<Arc<Record>>, Fault> {
        let id = &record.id;
        let recent = || match proof.number > record.newest() {
            true => Ok(None),
            false => self.cache().records.recent(id, self.host.clock.millis()),
        };
        if let Some(record) = recent()? {
            return Ok(Some(record));
        }
        let _turn = self.reads.take(id.clone()).await;
        match recent()? {
            Some(record) => Ok(Some(record)),
            None => self.read(id).await,
        }
    }

    /// Why a use was refused by DynamoDB itself. It adds to no counter that isn't a number, and doesn't say that this was it.
    async fn explain(&self, id: &KeyId, refused: Fault) -> Fault {
        self.store.record(id).await.err().filter(Fault::is_corrupt).unwrap_or(refused)
    }

    async fn read(&self, id: &KeyId) -> Result<Option<Arc<Record>>, Fault> {
        let as_of_millis = self.host.clock.millis();
        let read = self.store.record(id).await;
        let mut cache = self.cache();
        match read {
            Ok(Some(record)) => Ok(Some(cache.records.store(id, record, as_of_millis))),
            Ok(None) => {
                cache.records.forget(id);
                Ok(None)
            }
            Err(fault) => {
                cache.records.unread(id, &fault, self.host.clock.millis());
                Err(fault)
            }
        }
    }

    // Nothing panics while holding it, and a cache that did would still be one.
    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does one chore.
    ///
    /// # Errors
    /// A [`Fault`]; nothing is lost by it, the next use that sees the same finds the same chore.
    pub async fn tidy(&self, chore: &Chore, retention: Retention) -> Result<(), Fault> {
        match chore {
            Chore::Sweep(id, sweep) => self.store.sweep(id, sweep).await,
            Chore::Fold { record, day, count, up_to } => {
                self.store.fold(record, *day, *count, *up_to, day.end().plus(retention.usage_seconds)).await
            }
            Chore::Realias(realias) => self.realias(realias, retention.ended_seconds).await,
        }
    }
}

/// The pause before another try, after a failure of DynamoDB's.
async fn pause(tries: u32) {
    tokio::time::sleep(Duration::from_millis(LONGEST_PAUSE_MILLIS.min(10 << tries))).await;
}

/// What comes of `work`, if that is in time. Only for work that counts nothing: it is dropped where it stands.
async fn in_time<T>(deadline: Instant, work: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
    let late = |_| Err(Fault::new("verify.deadline", "no answer in time"));
    tokio::time::timeout_at(deadline, work).await.unwrap_or_else(late)
}
