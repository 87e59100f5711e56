//! Management changes as the audit table keeps them: who meant to do what to which key, and what became of it.

use serde_json::Value;
use uuid::Uuid;

use crate::{error::Fault, host::Host, id::KeyId, time::Timestamp};

/// One change, from its intent to its outcome.
#[derive(Clone, Debug)]
pub struct Event {
    /// The change's own id, time-ordered (UUID version 7).
    pub id: Uuid,
    /// When it began.
    pub at: Timestamp,
    /// What is done: `issue`, `rotate`, `update`, `disable`, `enable`, `revoke`.
    pub action: &'static str,
    /// The key that it is done to.
    pub key: KeyId,
    /// The principal that does it: an admin key's id, or `iam` for a direct invocation.
    pub actor: String,
    /// What was asked for; holds no secret.
    pub detail: Value,
}

impl Event {
    /// A change that begins now.
    ///
    /// # Errors
    /// A [`Fault`] if there is no randomness for its id.
    pub fn new(host: &Host, action: &'static str, key: &KeyId, actor: &str, detail: Value) -> Result<Self, Fault> {
        Ok(Self { id: host.uuid()?, at: host.clock.now(), action, key: key.clone(), actor: actor.to_owned(), detail })
    }
}
