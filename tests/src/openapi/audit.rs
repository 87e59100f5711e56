//! The audit: attempts with a key, and changes.

use serde_json::json;
use shared::{audit::attempt::ALLOWED, error::Code};

use super::{
    Described, Named,
    operation::Operation,
    parameters::{limit, query, shared},
    schema::{Object, about, list, named, nullable, one_of, text, whole},
    values::{day, hint, moment, next_cursor, principal},
};

const TAG: &str = "Audit";

pub(super) fn routes() -> Vec<Described> {
    let outcomes = [ALLOWED, "refused"].into_iter().chain(Code::ALL.iter().map(|code| code.as_str()));
    let codes = [Code::InvalidField, Code::UnknownField, Code::InvalidCursor];
    vec![
        (
            "get",
            "/v1/keys/{id}/audit",
            Operation::admin(TAG, "listAttempts", "List the attempts with a key")
                .about("Newest first. A page may be short or empty although there is another one. Days of a key that has been removed have to \
                        be named.")
                .takes([
                    shared("KeyId"),
                    query("outcome", "Only those that were allowed, or refused, or came to that code.", one_of(outcomes)),
                    query("from", "The first UTC day, by default that on which the key was issued.", day()),
                    query("to", "The last UTC day, by default today.", day()),
                    limit(insights::AUDITED),
                    shared("Cursor"),
                ])
                .answers(200, "A page of attempts.", "Attempts")
                .refuses(codes)
                .refuses([Code::NoSuchKey]),
        ),
        (
            "get",
            "/v1/audit",
            Operation::admin(TAG, "listChanges", "List the changes of a day")
                .about("Newest first. One that is `unfinished` broke off or is being made; sending its request again finishes it.")
                .takes([
                    query("day", "A UTC day, by default today.", day()),
                    limit(insights::AUDITED),
                    shared("Cursor"),
                ])
                .answers(200, "A page of changes.", "Changes")
                .refuses(codes),
        ),
    ]
}

pub(super) fn schemas() -> Vec<Named> {
    let of_attempts = [ALLOWED].into_iter().chain(Code::ALL.iter().map(|code| code.as_str()));
    let of_changes = ["done", "unfinished"].into_iter().chain(Code::ALL.iter().map(|code| code.as_str()));
    let attempt = Object::new()
        .with("at", moment())
        .with("outcome", one_of(of_attempts))
        .with("generation", nullable(whole(1)))
        .with("hint", nullable(hint()))
        .with("method", text())
        .with("path", about(text(), "Without its query, and perhaps cut short."))
        .with("source_ip", nullable(text()))
        .with("user_agent", text())
        .with("request_id", text())
        .with("duration_ms", nullable(json!({ "type": "number", "minimum": 0 })));
    let change = Object::new()
        .with("id", json!({ "type": "string", "format": "uuid" }))
        .with("at", moment())
        .with("action", json!({ "type": "string", "examples": ["rotate"] }))
        .with("key", about(nullable(text()), "The key that is changed, if it is one."))
        .with("plan", about(nullable(text()), "The plan that is put, if it is one."))
        .with("owner", about(nullable(text()), "Whose shared limits are put, such as `user:ann`, if it is that."))
        .with("actor", principal())
        .with("detail", json!({ "type": "object", "description": "What was asked for, and what it changed." }))
        .with("outcome", about(one_of(of_changes), "`done`, `unfinished`, or the code that it was refused with."));
    vec![
        ("Attempts", Object::new().with("attempts", list(named("Attempt"))).with("next_cursor", next_cursor()).open()),
        ("Attempt", attempt.about("A request that presented the key.").open()),
        ("Changes", Object::new().with("changes", list(named("Change"))).with("next_cursor", next_cursor()).open()),
        ("Change", change.open()),
    ]
}
