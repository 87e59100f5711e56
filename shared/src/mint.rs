//! Making secrets: generation, hash, digest and the alias that leads from one to its key.

use std::collections::BTreeMap;

use crate::{
    base62,
    config::SecretConfig,
    decision::Proof,
    error::{Fault, Rejection},
    host::Host,
    id::KeyId,
    key::{Digest, Environment, Malformed, Secret},
    record::TAG_LENGTH,
    secrets::PepperSource,
    store::{about::SecretNote, alias::Alias},
};

/// Makes secrets as the stack is configured.
pub struct Mint {
    config: SecretConfig,
    peppers: PepperSource,
    host: Host,
}

/// A new secret and all that is stored of it.
#[derive(Debug)]
pub struct Minted {
    /// The plain text, for the answer and for nothing else.
    pub secret: Secret,
    /// Where its alias is stored.
    pub digest: Digest,
    /// Its alias.
    pub alias: Alias,
    /// What may be known of it.
    pub note: SecretNote,
}

impl Mint {
    /// A mint of that configuration.
    #[must_use]
    pub const fn new(config: SecretConfig, peppers: PepperSource, host: Host) -> Self {
        Self { config, peppers, host }
    }

    /// A new secret.
    ///
    /// # Errors
    /// A [`Fault`] if there is no randomness.
    pub fn generate(&self, environment: Environment) -> Result<Secret, Fault> {
        Secret::generate(&self.config.prefix, environment, self.host.entropy.as_ref())
    }

    /// A secret that was made elsewhere, from the field at `path`. No error repeats anything of it.
    ///
    /// # Errors
    /// `invalid_field` with the first way in which it can't be imported.
    pub fn import(&self, path: &str, text: &str) -> Result<Secret, Rejection> {
        let SecretConfig { prefix, imported, .. } = &self.config;
        Secret::import(prefix, imported, text).map_err(|malformed| match malformed {
            Malformed::Prefix => {
                let accepted = imported.each().collect::<Vec<_>>().join(", ");
                let accepted = if accepted.is_empty() { "none".to_owned() } else { accepted };
                let which = "must begin with a prefix that this stack is configured to accept (parameter ImportPrefixes)";
                Rejection::field(path, format!("{which}, which are: {accepted}"))
            }
            other => Rejection::field(path, other.to_string()),
        })
    }

    /// The digests that `secret` may be stored under already.
    ///
    /// # Errors
    /// A [`Fault`] if there is no pepper to be trusted.
    pub async fn digests(&self, secret: &Secret) -> Result<Vec<Digest>, Fault> {
        let peppers = self.peppers.fresh(self.host.clock.now()).await?;
        Ok(peppers.digests(secret).into_iter().map(|(_, digest)| digest).collect())
    }

    /// All that is stored of `secret` as generation `number` of `key`, asked for by `actor`.
    ///
    /// # Errors
    /// A [`Fault`] if there is no randomness, or no pepper to be trusted.
    pub async fn mint(&self, secret: Secret, key: &KeyId, number: u32, actor: &str) -> Result<Minted, Fault> {
        let now = self.host.clock.now();
        let tag = base62::random(self.host.entropy.as_ref(), TAG_LENGTH)?.to_string();
        let (pepper, digest) = self.peppers.issue(&secret, now).await?;
        let hash = secret.hash(self.config.bcrypt_cost).await?;
        let digests = BTreeMap::from([(pepper, digest.encoded())]);
        let note = SecretNote { hint: secret.hint(), digests, noted_at: now, created_at: now, created_by: actor.to_owned() };
        let alias = Alias { key: key.clone(), proof: Proof { number, tag }, hash, pepper };
        Ok(Minted { alias, secret, digest, note })
    }

    /// Fetches the peppers in the time that Lambda gives to a starting instance.
    ///
    /// # Errors
    /// A [`Fault`]; the first request tries again.
    pub async fn warm(&self) -> Result<(), Fault> {
        self.peppers.any(self.host.clock.now()).await.map(|_| ())
    }
}
