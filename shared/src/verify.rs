//! Verification: from a presented secret to a verdict, in one write for a warm and allowed request.
//!
//! Only what can't go stale unnoticed is cached: a proof holds for ever, a record is only believed when the write that
//! names its version goes through, or when it refuses and nothing newer is to be had.

use std::{num::NonZeroUsize, sync::Arc, time::Duration};

use tokio::sync::Mutex;

use crate::{
    decision::{self, Decision, Proof, Refusal, Request, Sweep},
    error::Fault,
    host::Host,
    id::KeyId,
    key::{Digest, Secret},
    limit::Window,
    record::Record,
    secrets::{PepperSource, Peppers},
    store::{Store, charge, charge::Charge},
    time::Timestamp,
};

mod cache;

use cache::Cache;

/// The most secrets and keys that one instance remembers, each.
const CAPACITY: NonZeroUsize = NonZeroUsize::new(10_000).unwrap();

/// How often a use is tried before that is our own fault. Each try after the first is answered by a newer record, or
/// follows a failure of DynamoDB's.
const TRIES: u32 = 6;

/// Checks secrets and counts their uses. One per instance.
pub struct Verifier {
    store: Store,
    peppers: PepperSource,
    host: Host,
    cache: Mutex<Cache>,
}

/// What came of a presented secret.
#[derive(Debug)]
pub struct Verdict {
    /// Allowed and counted, or refused.
    pub result: Result<Proof, Refusal>,
    /// The record that decided; none if there is no such key.
    pub record: Option<Arc<Record>>,
    /// Whether the use may have been counted twice, because an answer of DynamoDB's was lost.
    pub uncertain: bool,
    /// When it was decided.
    pub now: Timestamp,
}

/// A secret that fits its hash.
struct Proven {
    digest: Digest,
    key: KeyId,
    proof: Proof,
}

/// Work that a verdict has shown to be due, for after the response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chore {
    /// More ended windows than one use removes.
    Sweep(KeyId, Sweep),
    /// A closed day, its count, and up to when to sweep.
    Fold(KeyId, Window, u64, Timestamp),
}

impl Verifier {
    /// A verifier that knows nothing yet.
    #[must_use]
    pub fn new(store: Store, peppers: PepperSource, host: Host) -> Self {
        Self { store, peppers, host, cache: Mutex::new(Cache::new(CAPACITY)) }
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
    /// A [`Fault`] of ours. Nobody is let in on one, and nobody is told that the key was at fault.
    pub async fn verify(&self, secret: &Secret, request: &Request<'_>) -> Result<Verdict, Fault> {
        let now = self.host.clock.now();
        let Some(proven) = self.prove(secret, now).await? else {
            return Ok(Verdict { result: Err(Refusal::Unknown), record: None, uncertain: false, now });
        };
        let verdict = self.admit(&proven.key, proven.proof, request, now).await?;
        if verdict.record.is_none() {
            // The alias has outlived its key: as good as never issued.
            self.cache.lock().await.unknown(proven.digest, now);
        }
        Ok(verdict)
    }

    /// Which key and generation `secret` is, or none if it was never issued. bcrypt runs only for what was.
    async fn prove(&self, secret: &Secret, now: Timestamp) -> Result<Option<Proven>, Fault> {
        let mut peppers = self.peppers.any(now).await?;
        loop {
            let digests = peppers.digests(secret);
            let Some(current) = digests.first().copied() else { return Ok(None) };
            {
                let mut cache = self.cache.lock().await;
                if cache.is_unknown(&current, now) {
                    return Ok(None);
                }
                if let Some((key, proof)) = cache.proof(&current) {
                    return Ok(Some(Proven { digest: current, key, proof }));
                }
            }
            if let Some((key, proof)) = self.look_up(secret, &digests).await? {
                self.cache.lock().await.proven(current, (key.clone(), proof.clone()));
                return Ok(Some(Proven { digest: current, key, proof }));
            }
            match self.newer(&peppers, now).await? {
                Some(newer) => peppers = newer,
                None => {
                    self.cache.lock().await.unknown(current, now);
                    return Ok(None);
                }
            }
        }
    }

    async fn look_up(&self, secret: &Secret, digests: &[Digest]) -> Result<Option<(KeyId, Proof)>, Fault> {
        for digest in digests {
            if let Some(alias) = self.store.alias(digest).await? {
                // Whoever has the digest has the whole secret: a hash that doesn't fit was tampered with, and isn't the caller's fault.
                return match secret.verify(&alias.hash).await? {
                    true => Ok(Some((alias.key, alias.proof))),
                    false => Err(Fault::corrupt("alias", "the hash is another secret's")),
                };
            }
        }
        Ok(None)
    }

    /// A set of peppers to try instead of `tried`, if that one is too old to answer "unknown" and another has come.
    async fn newer(&self, tried: &Arc<Peppers>, now: Timestamp) -> Result<Option<Arc<Peppers>>, Fault> {
        let fresh = self.peppers.fresh(now).await?;
        Ok((!fresh.same(tried)).then_some(fresh))
    }

    async fn admit(&self, id: &KeyId, proof: Proof, request: &Request<'_>, now: Timestamp) -> Result<Verdict, Fault> {
        let verdict = |result, record, uncertain| Ok(Verdict { result, record, uncertain, now });
        let cached = self.cache.lock().await.record(id);
        let mut certain = cached.is_none();
        let mut current = match cached {
            Some(record) => Some(record),
            None => self.read(id).await?,
        };
        let nonce = charge::nonce(self.host.entropy.as_ref())?;
        let mut repeated = false;
        let mut fault = Fault::new("use.contended", format_args!("{id} changed at each of {TRIES} tries"));
        let mut tries = 0;
        while tries < TRIES {
            let Some(record) = current else {
                return verdict(Err(Refusal::Unknown), None, repeated);
            };
            let decided = decision::decide(&record, &proof, request, now).map_err(|behind| Fault::new("clock.behind", behind))?;
            let r#use = match decided {
                Decision::Proceed(r#use) => r#use,
                Decision::Refuse(refusal) => {
                    if certain || !self.may_have_changed(&record, &proof, &refusal).await {
                        return verdict(Err(refusal), Some(record), repeated);
                    }
                    certain = true;
                    current = self.read(id).await?;
                    continue;
                }
            };
            tries += 1;
            match self.store.charge(id, &r#use, &nonce, repeated).await {
                Ok(Charge::Counted(counted)) => {
                    return verdict(Ok(proof), Some(self.cache.lock().await.store(counted)), repeated);
                }
                Ok(Charge::Refused(Some(found))) => {
                    let landed = repeated && found.last_request.as_ref() == Some(&nonce);
                    let found = self.cache.lock().await.store(found);
                    if landed {
                        return verdict(Ok(proof), Some(found), false);
                    }
                    certain = true;
                    current = Some(found);
                }
                Ok(Charge::Refused(None)) => {
                    self.cache.lock().await.forget(id);
                    current = None;
                }
                Err(failed) if failed.retryable => {
                    repeated |= failed.ambiguous;
                    fault = failed;
                    current = Some(record);
                    tokio::time::sleep(Duration::from_millis(10 << tries)).await;
                }
                Err(failed) => return Err(failed),
            }
        }
        Err(fault)
    }

    /// Whether a refusal by a cached record is worth a read: at most once a second and key. A revocation is final; a
    /// generation that the record can't know yet is always worth one.
    async fn may_have_changed(&self, record: &Record, proof: &Proof, refusal: &Refusal) -> bool {
        match refusal {
            Refusal::Revoked => false,
            _ if proof.number > record.newest() => true,
            _ => self.cache.lock().await.claim_read(&record.id, self.host.clock.millis()),
        }
    }

    async fn read(&self, id: &KeyId) -> Result<Option<Arc<Record>>, Fault> {
        let read = self.store.record(id).await?;
        let mut cache = self.cache.lock().await;
        Ok(match read {
            Some(record) => Some(cache.fetched(record, self.host.clock.millis())),
            None => {
                cache.forget(id);
                None
            }
        })
    }

    /// Does one chore.
    ///
    /// # Errors
    /// A [`Fault`]; nothing is lost by it, the next use that sees the same finds the same chore.
    pub async fn tidy(&self, chore: &Chore, usage_retention_seconds: u64) -> Result<(), Fault> {
        match chore {
            Chore::Sweep(id, sweep) => self.store.sweep(id, sweep).await,
            Chore::Fold(id, day, count, up_to) => {
                self.store.fold(id, *day, *count, *up_to, day.end().plus(usage_retention_seconds)).await
            }
        }
    }
}

impl Verdict {
    /// What an allowed use has shown to be due.
    #[must_use]
    pub fn chores(&self) -> Vec<Chore> {
        let Some(record) = self.record.as_ref().filter(|_| self.result.is_ok()) else { return Vec::new() };
        let many = decision::sweep(record, self.now).filter(|sweep| sweep.windows.len() > decision::MOST_SWEPT);
        let sweep = many.map(|sweep| Chore::Sweep(record.id.clone(), sweep));
        let up_to = record.swept.max(self.now.minus(decision::SWEEP_DELAY));
        let folds = decision::closed_days(record, self.now).into_iter();
        sweep.into_iter().chain(folds.map(|(day, count)| Chore::Fold(record.id.clone(), day, count, up_to))).collect()
    }
}
