//! Management changes as the audit table keeps them: who meant to do what to which key, plan or owner, and what became of it.

use serde_json::Value;
use uuid::Uuid;

use crate::{error::Fault, host::Host, id::KeyId, owner::Owner, plan::PlanName, time::Timestamp};

/// What a change is done to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A key.
    Key(KeyId),
    /// A plan.
    Plan(PlanName),
    /// What the keys of an owner share.
    Owner(String),
}

impl Subject {
    /// The attribute that names it.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Key(_) => "key",
            Self::Plan(_) => "plan",
            Self::Owner(_) => "owner",
        }
    }

    /// Its id or name; an owner's is its type and id, as `user:42`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Key(id) => id.as_str(),
            Self::Plan(name) => name.as_str(),
            Self::Owner(owner) => owner,
        }
    }
}

impl From<&KeyId> for Subject {
    fn from(id: &KeyId) -> Self {
        Self::Key(id.clone())
    }
}

impl From<&PlanName> for Subject {
    fn from(name: &PlanName) -> Self {
        Self::Plan(name.clone())
    }
}

impl From<&Owner> for Subject {
    fn from(owner: &Owner) -> Self {
        Self::Owner(owner.to_string())
    }
}

/// One change, from its intent to its outcome.
#[derive(Clone, Debug)]
pub struct Event {
    /// The change's own id, time-ordered (UUID version 7).
    pub id: Uuid,
    /// When it began.
    pub at: Timestamp,
    /// What is done: `issue`, `import`, `rotate`, `update`, `disable`, `enable`, `revoke`, `put_plan`,
    /// `put_limits`.
    pub action: &'static str,
    /// What it is done to.
    pub subject: Subject,
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
    pub fn new(
        host: &Host,
        action: &'static str,
        subject: impl Into<Subject>,
        actor: &str,
        detail: Value,
    ) -> Result<Self, Fault> {
        let subject = subject.into();
        Ok(Self { id: host.uuid()?, at: host.clock.now(), action, subject, actor: actor.to_owned(), detail })
    }
}
