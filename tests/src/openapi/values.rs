//! Values that many routes share, and the bounds that `shared/src/input.rs` reads them within.
//!
//! A schema is laxer than the reader only in what JSON Schema has no word for: that a moment is in the future, how many bytes an
//! object has, that two spellings are one network, that braces in a path are balanced, that a plan exists.

use serde_json::{Value, json};
use shared::{
    address,
    input::{LONGEST_NAME, LONGEST_REASON, MOST_ROTATE_DAYS},
    key::{Environment, RANDOM_LENGTH},
    limit::Period,
    owner::{self, OwnerType},
    record::Status,
    scope::{self, Scope},
};

use super::{
    Named,
    schema::{Object, about, between, boolean, list, named, nullable, one_of, text, whole},
};

/// A key's id.
pub(super) const KEY_ID: &str = "^key_[0-9A-Za-z]{22}$";

/// Not only spaces, and no control characters.
const PRINTED: &str =
    r"^[^\x00-\x1f\x7f-\x9f]*[^\x00-\x20\x7f-\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000][^\x00-\x1f\x7f-\x9f]*$";

/// What an endpoint's scope may begin with.
const METHODS: [&str; 8] = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "ANY"];

/// `{name}` and `{*rest}` are placeholders. No empty segment, and nothing that could be read in two ways.
const PATTERN: &str = r"(/|(/[^/\\%?#;,\x00-\x1f\x7f-\x9f]+)+)";

pub(super) fn printed(longest: usize) -> Value {
    json!({ "type": "string", "minLength": 1, "maxLength": longest, "pattern": PRINTED })
}

/// A moment, to the second or finer.
pub(super) fn moment() -> Value {
    json!({ "type": "string", "format": "date-time", "examples": ["2027-01-31T12:00:00Z"] })
}

/// A UTC day.
pub(super) fn day() -> Value {
    json!({ "type": "string", "format": "date", "examples": ["2026-11-23"] })
}

/// A secret that is being handed out.
pub(super) fn secret() -> Value {
    json!({
        "type": "string",
        "description": "Shown in this one answer and never again.",
        "pattern": format!("^[a-z]{{2,8}}_({})_[0-9A-Za-z]{{{RANDOM_LENGTH}}}$", Environment::ALL.map(Environment::as_str).join("|")),
        "examples": ["mbk_test_ThisIsAnExampleAndNoRealSecret00"],
    })
}

/// What may be shown of a secret.
pub(super) fn hint() -> Value {
    json!({ "type": "string", "description": "The beginning of a secret.", "examples": ["mbk_test_5qKV…"] })
}

/// A principal: the id of an admin key, or `iam`.
pub(super) fn principal() -> Value {
    json!({
        "type": "string",
        "description": "The id of the key that did it, or `iam` for a direct invocation of the function.",
        "examples": ["key_YynP7PgY15wyx0OFRcia1T"],
    })
}

/// When something expires, as it is sent.
pub(super) fn expiry(description: &str) -> Value {
    about(nullable(moment()), description)
}

/// Where a list goes on.
pub(super) fn next_cursor() -> Value {
    about(nullable(text()), "Send it back as `cursor` for the next page; `null` at the end.")
}

/// How long until a rotation is due, as it is sent and shown.
pub(super) fn rotate_every_days() -> Value {
    about(nullable(between(1, MOST_ROTATE_DAYS)), "After how many days a new secret is due; `null`: never.")
}

/// Metadata, as it is sent and shown.
pub(super) fn metadata() -> Value {
    json!({ "type": "object", "description": "Anything, of at most 4096 bytes as JSON. For you; nothing here reads it.", "additionalProperties": true })
}

/// Whether a key shares limits.
pub(super) fn shared_limits() -> Value {
    about(boolean(), "Whether the key also counts against the limits that its owner's keys share.")
}

pub(super) fn schemas() -> Vec<Named> {
    let named_scopes = one_of(Scope::NAMED.iter().map(Scope::as_str));
    let endpoint = json!({
        "type": "string",
        "pattern": format!("^({}) {PATTERN}$", METHODS.join("|")),
        "examples": ["GET /reports/{id}", "ANY /files/{*path}"],
    });
    let requests = |period: Period| {
        let per = json!({ "type": "string", "const": period.as_str() });
        Object::new().with("requests", between(1, period.most())).with("per", per).closed()
    };
    let once = |period: Period| {
        let of = json!({ "type": "object", "properties": { "per": { "const": period.as_str() } }, "required": ["per"] });
        json!({ "contains": of, "minContains": 0, "maxContains": 1 })
    };
    vec![
        ("KeyId", json!({ "type": "string", "pattern": KEY_ID, "examples": ["key_W9mnlIKU02K5cJgfi7Y9Rx"] })),
        ("Name", about(printed(LONGEST_NAME), "For people; it need not be unique.")),
        ("Reason", about(printed(LONGEST_REASON), "Why. The audit keeps it.")),
        ("Owner", Object::new().with("type", one_of(OwnerType::ALL.map(OwnerType::as_str))).with("id", owner_id()).closed()),
        ("Environment", one_of(Environment::ALL.map(Environment::as_str))),
        ("Status", one_of(Status::NAMES)),
        ("Period", one_of(Period::ALL.map(Period::as_str))),
        (
            "Scope",
            json!({
                "description": "A kind of requests, or one endpoint: a method, or `ANY`, and a path.",
                "anyOf": [named_scopes, endpoint],
            }),
        ),
        (
            "Scopes",
            json!({ "type": "array", "items": named("Scope"), "minItems": 1, "maxItems": scope::MOST, "uniqueItems": true }),
        ),
        (
            "Network",
            json!({
                "description": "An address, or a network in CIDR notation.",
                "type": "string",
                "anyOf": [
                    { "format": "ipv4" },
                    { "format": "ipv6" },
                    { "pattern": r"^([0-9]{1,3}\.){3}[0-9]{1,3}/(3[0-2]|[12]?[0-9])$" },
                    { "pattern": r"^[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*/(12[0-8]|1[01][0-9]|[1-9]?[0-9])$" },
                ],
                "examples": ["203.0.113.0/24"],
            }),
        ),
        (
            "Networks",
            json!({
                "description": "From where a key may be used; empty: from anywhere.",
                "type": "array", "items": named("Network"), "maxItems": address::MOST, "uniqueItems": true,
            }),
        ),
        (
            "Limit",
            json!({
                "description": "At most so many requests in each second, minute, hour, UTC day or UTC month.",
                "oneOf": Period::ALL.map(requests),
                "examples": [{ "requests": 100, "per": "minute" }],
            }),
        ),
        (
            "Limits",
            json!({
                "description": "At most one a period.",
                "type": "array", "items": named("Limit"), "maxItems": Period::ALL.len(), "allOf": Period::ALL.map(once),
            }),
        ),
        (
            "LimitLeft",
            Object::new()
                .about("A limit, and what is left of it in its current window.")
                .with("requests", whole(1))
                .with("per", named("Period"))
                .with("remaining", whole(0))
                .with("resets_in_seconds", whole(1))
                .open(),
        ),
        ("LimitsLeft", list(named("LimitLeft"))),
    ]
}

/// An owner's id, in bodies and in paths.
pub(super) fn owner_id() -> Value {
    json!({
        "type": "string",
        "description": "The id by which you know the owner.",
        "pattern": format!("^[!-~]{{1,{}}}$", owner::LONGEST_ID),
        "examples": ["ann"],
    })
}
