//! How often what goes wrong, and what it looks like to the caller.

use std::{collections::BTreeMap, ops::RangeInclusive};

use bytes::Bytes;
use fastrand::Rng;
use http::StatusCode;
use serde_json::json;

use super::Reply;

/// What can happen to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// It takes long to arrive: perhaps longer than its caller waits.
    Delayed,
    /// It never arrives.
    RequestLost,
    /// It is applied, and nobody is told.
    ReplyLost,
    /// 400, one of the codes that mean "slower".
    Throttled,
    /// 500, which the real one says of what it has done as well.
    ServerError,
    /// 503.
    Unavailable,
    /// It is applied, and the connection closes in mid-answer.
    Torn,
    /// It is applied, and the answer can't be understood.
    Garbage,
    /// Refused, because a transaction holds an item.
    Conflict,
    /// Refused, because its partition key has had its 1,000 writes of this second.
    HotPartition,
    /// Answered from what was there some time ago.
    Stale,
}

impl Fault {
    /// Those that come by chance, in the order of [`Odds`].
    pub const BY_CHANCE: [Self; 8] = [
        Self::Delayed,
        Self::RequestLost,
        Self::ReplyLost,
        Self::Throttled,
        Self::ServerError,
        Self::Unavailable,
        Self::Torn,
        Self::Garbage,
    ];
}

/// What one operation has to expect.
#[derive(Clone, Debug, PartialEq)]
pub struct Odds {
    /// Of a thousand calls, how many meet with each of [`Fault::BY_CHANCE`].
    pub per_mille: [u32; 8],
    /// How long a call takes each way, in milliseconds.
    pub millis: RangeInclusive<u64>,
    /// How long a delayed one may take to arrive, in milliseconds.
    pub longest_delay: u64,
}

impl Odds {
    /// Everything works; a call takes `millis` milliseconds each way.
    #[must_use]
    pub const fn fair(millis: RangeInclusive<u64>) -> Self {
        Self { per_mille: [0; 8], millis, longest_delay: 8000 }
    }

    /// The same, where each kind of fault strikes `each` of a thousand calls.
    #[must_use]
    pub const fn foul(self, each: u32) -> Self {
        Self { per_mille: [each; 8], ..self }
    }

    /// The same, where `fault` strikes `per_mille` of a thousand calls.
    #[must_use]
    pub fn with(mut self, fault: Fault, per_mille: u32) -> Self {
        if let Some(index) = Fault::BY_CHANCE.iter().position(|known| *known == fault) {
            self.per_mille[index] = per_mille;
        }
        self
    }

    pub(super) fn roll(&self, rng: &mut Rng) -> Option<Fault> {
        let mut roll = rng.u32(0..1000);
        for (fault, share) in Fault::BY_CHANCE.into_iter().zip(self.per_mille) {
            match roll.checked_sub(share) {
                Some(rest) => roll = rest,
                None => return Some(fault),
            }
        }
        None
    }
}

/// The odds of every operation.
#[derive(Clone, Debug, PartialEq)]
pub struct Weather {
    general: Odds,
    special: BTreeMap<&'static str, Odds>,
}

impl Default for Weather {
    fn default() -> Self {
        Self::new(Odds::fair(0..=0))
    }
}

impl Weather {
    /// The same odds for all operations.
    #[must_use]
    pub const fn new(general: Odds) -> Self {
        Self { general, special: BTreeMap::new() }
    }

    /// The same with other odds for one operation, as `UpdateItem` or `GetSecretValue`.
    #[must_use]
    pub fn on(mut self, operation: &'static str, odds: Odds) -> Self {
        self.special.insert(operation, odds);
        self
    }

    pub(super) fn odds(&self, operation: &str) -> Odds {
        self.special.get(operation).unwrap_or(&self.general).clone()
    }
}

pub(super) fn refused(status: StatusCode, code: &str, message: &str) -> Reply {
    let body = json!({ "__type": format!("com.amazonaws.dynamodb.v20120810#{code}"), "message": message });
    Reply { status, body: body.to_string().into() }
}

/// The codes of different services and table modes: each has to be understood.
pub(super) fn throttled(operation: &str) -> Reply {
    let code = match operation {
        "GetSecretValue" | "Query" => "ThrottlingException",
        "TransactWriteItems" => "RequestLimitExceeded",
        _ => "ProvisionedThroughputExceededException",
    };
    refused(StatusCode::BAD_REQUEST, code, "Rate exceeded")
}

pub(super) fn server_error() -> Reply {
    refused(StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError", "Internal server error")
}

pub(super) fn unavailable() -> Reply {
    Reply { status: StatusCode::SERVICE_UNAVAILABLE, body: Bytes::from_static(b"<html><body>Service Unavailable</body></html>") }
}

/// Something else than the answer: bytes, another format, or JSON that ends too early. Never an answer that would be a lie.
pub(super) fn garbage(reply: &Reply, rng: &mut Rng) -> Reply {
    let body = match rng.u8(0..3) {
        0 => std::iter::repeat_with(|| rng.u8(..)).take(64).collect(),
        1 => Bytes::from_static(b"<html><body>gateway</body></html>"),
        _ => reply.body.slice(..reply.body.len() / 2),
    };
    Reply { status: reply.status, body }
}
