//! Making secrets: generation, hash, digest and the alias that leads from one to its key.

use crate::{
    base62,
    config::SecretConfig,
    decision::Proof,
    error::Fault,
    host::Host,
    id::KeyId,
    key::{Digest, Environment, Secret},
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

    /// A new secret for generation `number` of `key`, asked for by `actor`.
    ///
    /// # Errors
    /// A [`Fault`] if there is no randomness, or no pepper to be trusted.
    pub async fn mint(&self, key: &KeyId, environment: Environment, number: u32, actor: &str) -> Result<Minted, Fault> {
        let now = self.host.clock.now();
        let entropy = self.host.entropy.as_ref();
        let secret = Secret::generate(&self.config.prefix, environment, entropy)?;
        let tag = base62::random(entropy, TAG_LENGTH)?.to_string();
        let digest = self.peppers.issue(&secret, now).await?;
        let hash = secret.hash(self.config.bcrypt_cost).await?;
        let note = SecretNote { hint: secret.hint(), digest: digest.encoded(), created_at: now, created_by: actor.to_owned() };
        Ok(Minted { alias: Alias { key: key.clone(), proof: Proof { number, tag }, hash }, secret, digest, note })
    }

    /// Fetches the peppers in the time that Lambda gives to a starting instance.
    ///
    /// # Errors
    /// A [`Fault`]; the first request tries again.
    pub async fn warm(&self) -> Result<(), Fault> {
        self.peppers.any(self.host.clock.now()).await.map(|_| ())
    }
}
