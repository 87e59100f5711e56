//! What a caller may try with a key, and what the authorizer makes of it.

use local::seed::{self, Seeded};
use serde_json::{Value, json};

use super::{Expected, Recorded, USAGE_KEY, api_gateway::Asked};

const UNKNOWN: &str = "mbk_test_ThisKeyWasNeverIssuedAnywhere000";

fn effect(effect: &str) -> Value {
    json!({ "policyDocument": { "Statement": [{ "Effect": effect }] } })
}

fn with(mut answer: Value, name: &str, value: Value) -> Value {
    answer[name] = value;
    answer
}

fn denied(code: &str) -> Expected {
    Expected::Answer(with(effect("Deny"), "context", json!({ "code": code })))
}

pub(super) fn events(seeded: &Seeded) -> Vec<Recorded> {
    let secret = |name: &str| seeded[name].secret.as_str();
    let get = |name: &str| Asked::example("GET", secret(name));
    let reader = secret("reader");
    let allowed = |name: &str| {
        let answer = with(effect("Allow"), "context", json!({ "name": name }));
        Expected::Answer(with(answer, "usageIdentifierKey", json!(USAGE_KEY)))
    };
    let unauthorized = Expected::Error("Unauthorized");
    let keyless = Asked { header_key: None, ..get("reader") };
    let mut events = Vec::new();
    let mut add = |name, what, answer, expected: &Expected, event| {
        events.push(Recorded { name, what, answer, expected: expected.clone(), event });
    };
    let refused = "the error `Unauthorized`, which API Gateway turns into 401";
    add(
        "authorizer-allowed",
        "`GET /example` with a key that may read",
        "a policy that allows it, and what is known of the key",
        &allowed("reader"),
        get("reader").authorizer(),
    );
    let by_query = Asked { query: vec![("api_key", reader)], ..keyless.clone() };
    add(
        "authorizer-allowed-by-query",
        "the key as the query parameter `api_key`",
        "the same",
        &allowed("reader"),
        by_query.authorizer(),
    );
    add(
        "authorizer-allowed-http-api",
        "the same from an HTTP API, payload format 2.0",
        "`isAuthorized: true`",
        &Expected::Answer(json!({ "isAuthorized": true, "context": { "name": "reader" } })),
        get("reader").http_authorizer(),
    );
    let keys = |key| Asked { resource: "/v1/keys", path: "/v1/keys".to_owned(), ..Asked::example("GET", key) };
    add(
        "authorizer-allowed-admin",
        "`GET /v1/keys` with an admin key",
        "a policy that allows it",
        &allowed("admin"),
        keys(seed::ADMIN).authorizer(),
    );
    add("authorizer-missing-key", "no key", refused, &unauthorized, keyless.authorizer());
    add(
        "authorizer-malformed-key",
        "a key that is too short",
        refused,
        &unauthorized,
        Asked::example("GET", "mbk_test_tooShort").authorizer(),
    );
    let conflicting = Asked { query: vec![("api_key", UNKNOWN)], ..get("reader") };
    add(
        "authorizer-conflicting-keys",
        "two different keys, one in the header and one in the query",
        refused,
        &unauthorized,
        conflicting.authorizer(),
    );
    add(
        "authorizer-unknown-key",
        "a well-formed key that nobody issued",
        refused,
        &unauthorized,
        Asked::example("GET", UNKNOWN).authorizer(),
    );
    add("authorizer-expired-key", "a key that has expired", refused, &unauthorized, get("expired").authorizer());
    add("authorizer-revoked-key", "a revoked key", refused, &unauthorized, get("revoked").authorizer());
    add("authorizer-disabled-key", "a disabled key", refused, &unauthorized, get("disabled").authorizer());
    add(
        "authorizer-replaced-key",
        "the old secret of a rotated key, after its grace period",
        refused,
        &unauthorized,
        get("replaced").authorizer(),
    );
    add(
        "authorizer-expired-key-http-api",
        "an expired key at an HTTP API",
        "`isAuthorized: false` with the code, which API Gateway turns into 403",
        &Expected::Answer(json!({ "isAuthorized": false, "context": { "code": "expired_key" } })),
        get("expired").http_authorizer(),
    );
    let denies = "a policy that denies it, with the code: 403";
    add(
        "authorizer-scope-not-allowed",
        "`POST` with a key that may only read",
        denies,
        &denied("scope_not_allowed"),
        Asked::example("POST", reader).authorizer(),
    );
    add(
        "authorizer-not-admin",
        "`GET /v1/keys` with a key that isn't an admin's",
        denies,
        &denied("scope_not_allowed"),
        keys(reader).authorizer(),
    );
    add(
        "authorizer-address-not-allowed",
        "an address that the key's allowlist doesn't hold",
        denies,
        &denied("address_not_allowed"),
        get("office").authorizer(),
    );
    add(
        "authorizer-rate-limited",
        "a key whose limit of one request a month is used up",
        "a policy that allows it with a usage key that no plan has, which API Gateway turns into 429",
        &Expected::WithUnknownUsageKey(with(effect("Allow"), "context", json!({ "code": "rate_limited" }))),
        get("limited").authorizer(),
    );
    let mut elsewhere = get("limited").authorizer();
    elsewhere["stageVariables"] = json!({});
    add(
        "authorizer-rate-limited-elsewhere",
        "the same at an API that hasn't opted into 429",
        denies,
        &denied("rate_limited"),
        elsewhere,
    );
    let fault = "the error `Internal error`, a 500: nobody is let in, and nobody is told that the key was at fault";
    add(
        "authorizer-damaged-record",
        "a key whose stored record is damaged",
        fault,
        &Expected::Error("Internal error"),
        get("damaged").authorizer(),
    );
    let token = json!({ "type": "TOKEN", "authorizationToken": "x", "methodArn": get("reader").authorizer()["methodArn"] });
    add(
        "authorizer-not-understood",
        "a TOKEN event, which only a misconfigured API sends",
        "the error `Event not understood`, a 500",
        &Expected::Error("Event not understood"),
        token,
    );
    events
}
