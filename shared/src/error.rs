//! What can go wrong, told in two languages: to the caller a stable [`Code`] and a sentence, to the operator a [`Fault`].
//!
//! The two never mix: a fault's text is logged and never sent; a rejection's text is written for the caller.

use std::fmt;

use aws_sdk_dynamodb::{
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
};
use http::StatusCode;
use problem_details::ProblemDetails;
use serde::Serialize;

/// Every code that a caller can see. A closed list: codes are part of the API and never change their meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// No key was sent.
    MissingKey,
    /// Two different keys were sent in one request.
    ConflictingKeys,
    /// What was sent does not have the form of a key.
    MalformedKey,
    /// No such key was ever issued here, or it has been removed.
    UnknownKey,
    /// The key has passed its expiry date.
    ExpiredKey,
    /// The key has been revoked, for good.
    RevokedKey,
    /// The key is switched off, for now.
    DisabledKey,
    /// The key's secret was replaced by a rotation, and its grace period is over.
    ReplacedKey,
    /// The key's scopes don't cover this request.
    ScopeNotAllowed,
    /// The key's allowlist doesn't cover the caller's address.
    AddressNotAllowed,
    /// One of the key's limits is reached.
    RateLimited,
    /// The body is not JSON.
    InvalidJson,
    /// The body has a field that doesn't exist here.
    UnknownField,
    /// A field or parameter is missing, of the wrong type or out of range.
    InvalidField,
    /// The cursor was not issued by this API for this list.
    InvalidCursor,
    /// Scopes, allowlist, names and limits together are too large for a key.
    PolicyTooLarge,
    /// There is no key of that id.
    NoSuchKey,
    /// There is no plan of that name.
    NoSuchPlan,
    /// The owner's keys share no limits.
    NoSuchLimits,
    /// There is no such route.
    NoSuchRoute,
    /// The key is revoked and can't be changed any more.
    KeyRevoked,
    /// Somebody else changed the key at the same moment.
    ChangedMeanwhile,
    /// The secrets of the last two generations may both be in use.
    RotationInProgress,
    /// The key hasn't the version that `If-Match` names.
    PreconditionFailed,
    /// The body is longer than 64 KiB.
    BodyTooLarge,
    /// The same `Idempotency-Key` came with another request before.
    IdempotencyKeyReused,
    /// The secret that a repeated request would replace has been used.
    SecretInUse,
    /// The secret that is to be imported is a key's already.
    SecretExists,
    /// A fault of ours.
    Internal,
}

impl Code {
    /// All of them, in the order of their status.
    pub const ALL: [Self; 29] = [
        Self::InvalidJson,
        Self::UnknownField,
        Self::InvalidField,
        Self::InvalidCursor,
        Self::PolicyTooLarge,
        Self::MissingKey,
        Self::ConflictingKeys,
        Self::MalformedKey,
        Self::UnknownKey,
        Self::ExpiredKey,
        Self::RevokedKey,
        Self::DisabledKey,
        Self::ReplacedKey,
        Self::ScopeNotAllowed,
        Self::AddressNotAllowed,
        Self::NoSuchKey,
        Self::NoSuchPlan,
        Self::NoSuchLimits,
        Self::NoSuchRoute,
        Self::KeyRevoked,
        Self::ChangedMeanwhile,
        Self::RotationInProgress,
        Self::SecretInUse,
        Self::SecretExists,
        Self::PreconditionFailed,
        Self::BodyTooLarge,
        Self::IdempotencyKeyReused,
        Self::RateLimited,
        Self::Internal,
    ];

    /// The code's text in answers, logs and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MissingKey => "missing_key",
            Self::ConflictingKeys => "conflicting_keys",
            Self::MalformedKey => "malformed_key",
            Self::UnknownKey => "unknown_key",
            Self::ExpiredKey => "expired_key",
            Self::RevokedKey => "revoked_key",
            Self::DisabledKey => "disabled_key",
            Self::ReplacedKey => "replaced_key",
            Self::ScopeNotAllowed => "scope_not_allowed",
            Self::AddressNotAllowed => "address_not_allowed",
            Self::RateLimited => "rate_limited",
            Self::InvalidJson => "invalid_json",
            Self::UnknownField => "unknown_field",
            Self::InvalidField => "invalid_field",
            Self::InvalidCursor => "invalid_cursor",
            Self::PolicyTooLarge => "policy_too_large",
            Self::NoSuchKey => "no_such_key",
            Self::NoSuchPlan => "no_such_plan",
            Self::NoSuchLimits => "no_such_limits",
            Self::NoSuchRoute => "no_such_route",
            Self::KeyRevoked => "key_revoked",
            Self::ChangedMeanwhile => "changed_meanwhile",
            Self::RotationInProgress => "rotation_in_progress",
            Self::PreconditionFailed => "precondition_failed",
            Self::BodyTooLarge => "body_too_large",
            Self::IdempotencyKeyReused => "idempotency_key_reused",
            Self::SecretInUse => "secret_in_use",
            Self::SecretExists => "secret_exists",
            Self::Internal => "internal",
        }
    }

    /// The HTTP status that goes with it.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        match self {
            Self::InvalidJson | Self::UnknownField | Self::InvalidField | Self::InvalidCursor | Self::PolicyTooLarge => {
                StatusCode::BAD_REQUEST
            }
            Self::MissingKey
            | Self::ConflictingKeys
            | Self::MalformedKey
            | Self::UnknownKey
            | Self::ExpiredKey
            | Self::RevokedKey
            | Self::DisabledKey
            | Self::ReplacedKey => StatusCode::UNAUTHORIZED,
            Self::ScopeNotAllowed | Self::AddressNotAllowed => StatusCode::FORBIDDEN,
            Self::NoSuchKey | Self::NoSuchPlan | Self::NoSuchLimits | Self::NoSuchRoute => StatusCode::NOT_FOUND,
            Self::KeyRevoked | Self::ChangedMeanwhile | Self::RotationInProgress | Self::SecretInUse | Self::SecretExists => {
                StatusCode::CONFLICT
            }
            Self::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::IdempotencyKeyReused => StatusCode::UNPROCESSABLE_ENTITY,
            Self::RateLimited => StatusCode::TOO_MANY_REQUESTS,
            Self::Internal => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

/// A request that was understood well enough to be refused, in words for the caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// Why.
    pub code: Code,
    /// Why, as a sentence.
    pub detail: String,
    /// The field or parameter at fault, as a path such as `limits[0].per`.
    pub field: Option<String>,
}

impl Rejection {
    /// A rejection that isn't about one field.
    #[must_use]
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), field: None }
    }

    /// An invalid field; `detail` says what is allowed.
    #[must_use]
    pub fn field(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { code: Code::InvalidField, detail: detail.into(), field: Some(field.into()) }
    }

    /// A fault of ours, of which the caller is told nothing but that.
    #[must_use]
    pub fn internal() -> Self {
        Self::new(Code::Internal, "This is our fault and has been logged. Try again in a moment.")
    }

    /// The problem document (RFC 9457) for the caller.
    #[must_use]
    pub fn problem(&self) -> ProblemDetails<Extension<'_>> {
        ProblemDetails::from_status_code(self.code.status())
            .with_detail(self.detail.clone())
            .with_extensions(Extension { code: self.code.as_str(), field: self.field.as_deref() })
    }
}

/// What our problem documents have beyond RFC 9457's members.
#[derive(Serialize)]
pub struct Extension<'a> {
    /// A [`Code`].
    pub code: &'static str,
    /// The field at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<&'a str>,
}

const CORRUPT: &str = "stored.corrupt";

/// A fault of ours, or of what we depend on: for the log, never for the caller.
#[derive(Clone, Debug)]
pub struct Fault {
    /// A stable dotted name, such as `dynamodb.timeout`.
    pub code: &'static str,
    /// What happened; holds no item and no secret.
    pub detail: String,
    /// Whether the call may have taken effect nevertheless.
    pub ambiguous: bool,
    /// Whether the same call may succeed when it is made again at once.
    pub retryable: bool,
}

impl Fault {
    /// A fault that is certain to have changed nothing.
    #[must_use]
    pub fn new(code: &'static str, detail: impl fmt::Display) -> Self {
        Self { code, detail: detail.to_string(), ambiguous: false, retryable: false }
    }

    /// A stored item that isn't as this code writes it. Named by kind; its content is not repeated.
    #[must_use]
    pub fn corrupt(kind: &'static str, what: impl fmt::Display) -> Self {
        Self::new(CORRUPT, format_args!("{kind}: {what}"))
    }

    /// Whether a stored item is at fault.
    #[must_use]
    pub fn is_corrupt(&self) -> bool {
        self.code == CORRUPT
    }

    /// What became of an AWS call. Only codes and messages are kept: an error's `Debug` form can hold whole items.
    pub fn from_sdk<E>(error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata,
    {
        let message = |text: &str| format!("{}: {text}", error.code().unwrap_or("error"));
        match error {
            SdkError::ConstructionFailure(_) => Self::new("aws.request_not_built", "the request could not be built"),
            SdkError::TimeoutError(_) => Self::uncertain("aws.timeout", "no answer in time"),
            SdkError::DispatchFailure(_) => Self::uncertain("aws.connection", "the connection failed"),
            SdkError::ResponseError(_) => Self::uncertain("aws.answer_unreadable", "the answer could not be read"),
            // An error that names itself is DynamoDB's own word. Anything else may be what a broken answer was taken for.
            SdkError::ServiceError(_) if error.code().is_none() => {
                Self::uncertain("aws.answer_unreadable", "the answer could not be understood")
            }
            SdkError::ServiceError(context) => {
                let detail = message(error.message().unwrap_or("no message"));
                if context.raw().status().is_server_error() {
                    return Self::uncertain("aws.server_error", detail);
                }
                let retryable = error.code().is_some_and(|code| {
                    code.contains("Throttl")
                        || matches!(
                            code,
                            "ProvisionedThroughputExceededException" | "RequestLimitExceeded" | "TransactionConflictException"
                        )
                });
                Self { retryable, ..Self::new(if retryable { "aws.throttled" } else { "aws.refused" }, detail) }
            }
            _ => Self::uncertain("aws.unknown", "an unknown kind of failure"),
        }
    }

    fn uncertain(code: &'static str, detail: impl fmt::Display) -> Self {
        Self { ambiguous: true, retryable: true, ..Self::new(code, detail) }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.detail)
    }
}

impl std::error::Error for Fault {}

/// Why an operation did not do what it was asked to.
#[derive(Clone, Debug)]
pub enum Error {
    /// The caller's doing.
    Rejected(Rejection),
    /// Ours.
    Fault(Fault),
}

impl From<Rejection> for Error {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn codes_are_distinct_and_listed() {
        let names: HashSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(names.len(), Code::ALL.len());
        assert!(Code::ALL.is_sorted_by_key(|code| code.status()), "in the order of their status");
    }

    #[test]
    fn problems_follow_rfc_9457() {
        let rejection = Rejection::field("limits[0].per", "must be second, minute, hour, day or month");
        assert_eq!(
            serde_json::to_value(rejection.problem()).unwrap(),
            serde_json::json!({
                "status": 400, "title": "Bad Request", "detail": "must be second, minute, hour, day or month",
                "code": "invalid_field", "field": "limits[0].per",
            })
        );
    }
}
