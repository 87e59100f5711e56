//! A new pepper: a secret that was found under an old one gets a second alias under the current one, after a response, so that
//! the old pepper can be given up one day without any secret becoming unknown.

use super::{Proved, Proven, Verifier};
use crate::{
    decision::Proof,
    error::Fault,
    id::KeyId,
    key::{Digest, Secret},
    secrets::FRESH_SECONDS,
    store::alias::Alias,
    time::Timestamp,
};

/// A secret that may need another alias.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Realias {
    key: KeyId,
    proof: Proof,
    /// Where it is remembered that it was found under another pepper.
    remembered: Digest,
    /// The alias that it was found by.
    found: Digest,
    /// What its digests are, by the numbers of their peppers.
    digests: Vec<(u32, Digest)>,
}

impl Verifier {
    /// What there may be to do for a secret that was allowed: at most once in five minutes, which is how old peppers may be.
    pub(super) fn elsewhere(&self, secret: &Secret, proven: Proven, now: Timestamp) -> Option<Realias> {
        let Proven { digest: remembered, proved: Proved { key, proof, elsewhere } } = proven;
        let (found, next) = elsewhere?;
        if now < next {
            return None;
        }
        self.cache().see_again(&remembered, Some(now.plus(FRESH_SECONDS)));
        let digests = self.peppers.known()?.digests(secret);
        Some(Realias { key, proof, remembered, found, digests })
    }

    /// note → alias → a look at the record: whatever ends the secret meanwhile either finds the note, or is found.
    pub(super) async fn realias(&self, realias: &Realias, retention_seconds: u64) -> Result<(), Fault> {
        let Realias { key, proof, remembered, found, digests } = realias;
        let now = self.host.clock.now();
        let peppers = self.peppers.fresh(now).await?;
        let dependable = peppers.dependable(now);
        let Some((pepper, digest)) = digests.iter().find(|(number, digest)| Some(*number) == dependable && digest != found)
        else {
            return Ok(());
        };
        if let Some(alias) = self.store.alias(found).await?
            && self.store.note_digest(key, &proof.tag, (*pepper, digest), now).await?
        {
            self.store.add_alias(digest, &Alias { pepper: *pepper, ..alias }).await?;
            let record = self.store.record(key).await?;
            let end = record.map_or(Some(now), |record| record.alias_ends_at(&proof.tag, now));
            if let Some(end) = end {
                self.store.end_alias(&digest.encoded(), (key, &proof.tag), end.plus(retention_seconds)).await?;
            }
        }
        self.cache().see_again(remembered, None);
        Ok(())
    }
}
