//! What sandboxes are asked to do, and what comes of it.

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::{Answer, event};

/// A secret as somebody has it.
#[derive(Clone, Debug)]
pub struct Held {
    /// The plain text.
    pub secret: String,
    /// Its key; none for one that was never issued.
    pub key: Option<String>,
    /// Its generation.
    pub number: u64,
    /// The tag of that.
    pub tag: String,
}

/// A change of one key.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// `PATCH`, with that body.
    Update(Value),
    /// Rotation, with that body.
    Rotate(Value),
    /// Off, for now.
    Disable,
    /// On.
    Enable,
    /// Off, for good.
    Revoke,
}

impl Change {
    /// The action as the audit names it.
    #[must_use]
    pub const fn action(&self) -> &'static str {
        match self {
            Self::Update(_) => "update",
            Self::Rotate(_) => "rotate",
            Self::Disable => "disable",
            Self::Enable => "enable",
            Self::Revoke => "revoke",
        }
    }
}

/// One invocation.
#[derive(Clone, Debug)]
pub enum Job {
    /// A request to a protected route.
    Use {
        /// With this secret.
        held: Held,
        /// `GET` or `POST`.
        method: &'static str,
        /// From there.
        address: &'static str,
    },
    /// A new key.
    Issue(Value),
    /// A change of the key of that id, perhaps only if it has that version (`If-Match`).
    Change(String, Change, Option<u64>),
    /// A look at the key of that id.
    Show(String),
    /// The keys of the owner that all keys here have.
    List,
    /// Other limits for those of its keys that share them.
    Share(Value),
}

/// What came of an invocation.
#[derive(Clone, Debug, PartialEq)]
pub enum End {
    /// The process was killed, or ran into its timeout.
    Killed,
    /// The authorizer's answer.
    Verdict {
        /// In API Gateway's terms.
        answer: Answer,
        /// In the words of its line.
        outcome: String,
        /// How many uses may have been counted in vain, as its line says.
        uncertain: u64,
    },
    /// A management function's answer.
    Reply {
        /// Its status.
        status: u64,
        /// Its body.
        body: Value,
    },
}

/// A job in the hands of a sandbox.
#[derive(Clone, Debug)]
pub struct Errand {
    /// Its number.
    pub id: u64,
    /// What it is.
    pub job: Job,
    /// The sandbox.
    pub sandbox: usize,
    /// When it began.
    pub began: Instant,
    /// When it ended.
    pub ended: Instant,
    /// How.
    pub end: End,
}

impl Job {
    /// The name of the function that does it.
    #[must_use]
    pub const fn function(&self) -> &'static str {
        match self {
            Self::Use { .. } => "authorizer",
            Self::Issue(_) => "issue",
            Self::Change(_, Change::Rotate(_), _) => "rotate",
            Self::Change(..) | Self::Show(_) | Self::List | Self::Share(_) => "manage",
        }
    }

    /// The event that a management function gets.
    #[must_use]
    pub fn event(&self) -> Value {
        let of = |method: &str, resource: &str, id: &str, body: &Value| {
            let body = if body.is_null() { String::new() } else { body.to_string() };
            event::management(method, resource, Some(id), &[], &body)
        };
        match self {
            Self::Use { held, method, address } => {
                event::Call { method, path: "/example", key: Some(&held.secret), source_ip: address }.rest()
            }
            Self::Issue(body) => event::management("POST", "/v1/keys", None, &[], &body.to_string()),
            Self::Show(id) => of("GET", "/v1/keys/{id}", id, &Value::Null),
            Self::List => event::management("GET", "/v1/keys", None, &[("owner_type", "user"), ("owner_id", "simulated")], ""),
            Self::Share(limits) => {
                let (owner, body) = ([("type", "user"), ("id", "simulated")], json!({ "limits": limits }).to_string());
                event::management_of("PUT", "/v1/owners/{type}/{id}/limits", &owner, &[], &body)
            }
            Self::Change(id, change, version) => {
                let event = match change {
                    Change::Update(body) => of("PATCH", "/v1/keys/{id}", id, body),
                    Change::Rotate(body) => of("POST", "/v1/keys/{id}/rotate", id, body),
                    Change::Disable => of("POST", "/v1/keys/{id}/disable", id, &Value::Null),
                    Change::Enable => of("POST", "/v1/keys/{id}/enable", id, &Value::Null),
                    Change::Revoke => of("POST", "/v1/keys/{id}/revoke", id, &json!({ "reason": "simulated" })),
                };
                match version {
                    Some(version) => event::with_header(event, "If-Match", &[&format!("\"{version}\"")]),
                    None => event,
                }
            }
        }
    }
}

impl Errand {
    /// Whether it is known what has become of it: what isn't may still take effect.
    #[must_use]
    pub fn is_certain(&self) -> bool {
        match &self.end {
            End::Killed => false,
            End::Verdict { answer, .. } => *answer != Answer::Fault,
            End::Reply { status, .. } => *status < 500,
        }
    }

    /// Whether a change was answered as done.
    #[must_use]
    pub fn is_done(&self) -> bool {
        matches!(self.end, End::Reply { status: 200 | 201, .. })
    }
}
