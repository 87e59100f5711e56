//! What would come of a request, and what a key could do without.

use insights::LONGEST_PATH;
use serde_json::{Value, json};
use shared::{error::Code, limit::Period};

use super::{
    Described, Named,
    keys::old_secret,
    operation::Operation,
    parameters::shared,
    schema::{Object, about, between, boolean, list, named, nullable, one_of, text, whole},
    values::moment,
};

const TAG: &str = "Audit";

/// Why a key may be refused.
const REFUSALS: [Code; 8] = [
    Code::UnknownKey,
    Code::RevokedKey,
    Code::DisabledKey,
    Code::ExpiredKey,
    Code::ReplacedKey,
    Code::AddressNotAllowed,
    Code::ScopeNotAllowed,
    Code::RateLimited,
];

pub(super) fn routes() -> Vec<Described> {
    vec![
        (
            "post",
            "/v1/keys/{id}/check",
            Operation::admin(TAG, "checkKey", "Ask whether a request would pass")
                .about("And which rule decides. Nothing is counted.")
                .takes([shared("KeyId")])
                .body("Question", true, json!({ "method": "DELETE", "path": "/example/7", "source_ip": "203.0.113.7" }))
                .answers(200, "The decision, rule by rule.", "Checked")
                .refuses([Code::NoSuchKey]),
        ),
        (
            "get",
            "/v1/keys/{id}/advice",
            Operation::admin(TAG, "getKeyAdvice", "Ask what a key could do without")
                .about("From how it was used: scopes that nothing needed, a narrower allowlist, a secret that should be gone.")
                .takes([shared("KeyId")])
                .answers(200, "What could be done, perhaps nothing.", "AdviceOnKey")
                .refuses([Code::UnknownField, Code::NoSuchKey]),
        ),
    ]
}

pub(super) fn schemas() -> Vec<Named> {
    vec![("Question", question()), ("Checked", checked()), ("AdviceOnKey", advice_on_key()), ("Advice", advice())]
}

fn question() -> Value {
    let path = json!({
        "type": "string",
        "description": "The path without a query.",
        "pattern": r"^/[^?#\x00-\x1f\x7f-\x9f]*$",
        "maxLength": LONGEST_PATH,
    });
    Object::new()
        .may("method", json!({ "type": "string", "pattern": "^[A-Z]{1,16}$", "default": "GET" }))
        .with("path", path)
        .may("source_ip", json!({ "type": "string", "anyOf": [{ "format": "ipv4" }, { "format": "ipv6" }] }))
        .may("generation", about(between(1, u32::MAX.into()), "One of the key's secrets; by default the newest."))
        .may("management", about(boolean(), "Whether it is a request to this API, which needs the scope `admin`."))
        .closed()
}

fn checked() -> Value {
    let limits = ["limit", "owner_limit"].into_iter();
    let limits = limits.flat_map(|kind| Period::ALL.map(|period| format!("{kind}_{}", period.as_str())));
    let names: Vec<String> =
        ["status", "secret", "ip_allowlist", "scopes"].map(str::to_owned).into_iter().chain(limits).collect();
    let rule = || one_of(names.iter().map(String::as_str));
    let entry = Object::new().with("rule", rule()).with("passes", boolean()).with("because", text());
    Object::new()
        .with("allowed", boolean())
        .with("code", nullable(one_of(REFUSALS.map(Code::as_str))))
        .with("detail", nullable(text()))
        .with("generation", whole(1))
        .with("decided_by", about(nullable(rule()), "The first rule that doesn't pass."))
        .with("rules", about(list(entry.open()), "In the order in which they decide."))
        .open()
}

fn advice_on_key() -> Value {
    let based_on = Object::new()
        .with("uses", whole(0))
        .with("since", moment())
        .with("complete", about(boolean(), "Whether every use was seen. If not, nothing is called unused."));
    Object::new().with("advice", list(named("Advice"))).with("based_on", based_on.open()).open()
}

fn advice() -> Value {
    let of = |code: &str, advice: Object| {
        advice.with("code", json!({ "type": "string", "const": code })).with("detail", about(text(), "What to do.")).open()
    };
    json!({
        "oneOf": [
            of("unused_scopes", Object::new().with("scopes", list(named("Scope")))),
            of("allowlist", Object::new().with("ip_allowlist", list(named("Network")))),
            of("idle", Object::new().with("days", whole(1))),
            of("old_secret_in_use", old_secret()),
        ],
    })
}
