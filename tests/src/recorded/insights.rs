//! What an administrator may find out, and a key about itself.

use local::seed::Seeded;
use serde_json::{Value, json};

use super::{Expected, Recorded, api_gateway::Asked};

fn refused(status: u16, code: &str) -> Expected {
    Expected::Answer(json!({ "statusCode": status, "body": { "code": code } }))
}

fn ok(body: Value) -> Expected {
    Expected::Answer(json!({ "statusCode": 200, "body": body }))
}

pub(super) fn events(seeded: &Seeded) -> Vec<Recorded> {
    let admin = json!({ "principalId": seeded["admin"].id, "keyId": seeded["admin"].id, "name": "admin", "scopes": "admin" });
    let holder = |name: &str, scopes: &str| {
        let id = &seeded[name].id;
        json!({ "principalId": id, "keyId": id, "name": name, "scopes": scopes, "generation": "1" })
    };
    let ask = |method, resource: &'static str, parameters: Value, query, body: Option<&Value>, authorizer: Value| {
        let mut path = resource.to_owned();
        for (name, value) in parameters.as_object().into_iter().flatten() {
            path = path.replace(&format!("{{{name}}}"), value.as_str().unwrap_or_default());
        }
        let asked = Asked { method, resource, path, header_key: None, if_match: None, query };
        asked.proxy(parameters, body.map(ToString::to_string).as_deref(), authorizer)
    };
    let reader = json!({ "id": seeded["reader"].id });
    let get = |resource, parameters: &Value, query| ask("GET", resource, parameters.clone(), query, None, admin.clone());
    let mut events = Vec::new();
    let mut add = |name, what, answer, expected, event| events.push(Recorded { name, what, answer, expected, event });

    add(
        "insights-usage",
        "`GET /v1/keys/{id}/usage` by month",
        "200, how often the key was allowed and refused",
        ok(json!({ "granularity": "month", "exact": { "allowed": true, "refused": false } })),
        get("/v1/keys/{id}/usage", &reader, vec![("granularity", "month")]),
    );
    let mut table = get("/v1/keys/{id}/usage", &reader, vec![]);
    table["headers"]["Accept"] = json!("text/csv");
    table["multiValueHeaders"]["Accept"] = json!(["text/csv"]);
    add(
        "insights-usage-csv",
        "the same by day, with `Accept: text/csv`",
        "200, a table",
        Expected::Answer(json!({ "statusCode": 200, "multiValueHeaders": { "content-type": ["text/csv"] } })),
        table,
    );
    add(
        "insights-usage-beyond-retention",
        "the same from a day of which nothing is kept",
        "400, `invalid_field`",
        refused(400, "invalid_field"),
        get("/v1/keys/{id}/usage", &reader, vec![("from", "2020-01-01")]),
    );
    add(
        "insights-owner-usage",
        "`GET /v1/owners/{type}/{id}/usage`",
        "200, how often each of the owner's keys was allowed, but for one whose stored item is damaged",
        ok(json!({ "granularity": "day", "left_out": [seeded["damaged"].id] })),
        get("/v1/owners/{type}/{id}/usage", &json!({ "type": "service", "id": "events" }), vec![]),
    );
    add(
        "insights-audit",
        "`GET /v1/keys/{id}/audit`",
        "200, who tried the key",
        Expected::Answer(json!({ "statusCode": 200 })),
        get("/v1/keys/{id}/audit", &reader, vec![("outcome", "refused")]),
    );
    add(
        "insights-changes",
        "`GET /v1/audit`",
        "200, today's changes of keys",
        Expected::Answer(json!({ "statusCode": 200 })),
        get("/v1/audit", &Value::Null, vec![("limit", "10")]),
    );
    let question = json!({ "method": "DELETE", "path": "/example" });
    add(
        "insights-check",
        "`POST /v1/keys/{id}/check`: may a key that may read also delete?",
        "200, it may not, for its scopes",
        ok(json!({ "allowed": false, "code": "scope_not_allowed", "decided_by": "scopes" })),
        ask("POST", "/v1/keys/{id}/check", reader.clone(), vec![], Some(&question), admin.clone()),
    );
    add(
        "insights-advice",
        "`GET /v1/keys/{id}/advice`",
        "200, what the key could do without",
        ok(json!({ "based_on": {} })),
        get("/v1/keys/{id}/advice", &reader, vec![]),
    );
    add(
        "insights-self",
        "`GET /v1/self`, asked by a key that may read",
        "200, what the key is and has left",
        ok(json!({ "name": "reader", "presented": { "generation": 1, "newest": true } })),
        ask("GET", "/v1/self", Value::Null, vec![], None, holder("reader", "read")),
    );
    let mut keyless = ask("GET", "/v1/openapi.json", Value::Null, vec![], None, Value::Null);
    if let Some(context) = keyless["requestContext"].as_object_mut() {
        context.remove("authorizer");
    }
    keyless["requestContext"]["identity"]["apiKey"] = Value::Null;
    add(
        "insights-description",
        "`GET /v1/openapi.json`, asked without a key",
        "200, the description of the API",
        ok(json!({ "openapi": "3.1.0" })),
        keyless.clone(),
    );
    keyless["headers"]["If-None-Match"] = json!("*");
    keyless["multiValueHeaders"]["If-None-Match"] = json!(["*"]);
    add(
        "insights-description-known",
        "the same by somebody who has it, with `If-None-Match`",
        "304, without a body",
        Expected::Answer(json!({ "statusCode": 304 })),
        keyless,
    );
    add(
        "insights-not-admin",
        "a key that isn't an admin's",
        "403, `scope_not_allowed`: the function checks again what the authorizer has checked",
        refused(403, "scope_not_allowed"),
        ask("GET", "/v1/keys/{id}/usage", reader.clone(), vec![], None, holder("reader", "read")),
    );
    add(
        "rotate-self",
        "`POST /v1/self/rotate`, asked by a key with the scope `self:rotate`",
        "200, its new secret",
        Expected::WithSecret(json!({ "statusCode": 200, "body": { "id": seeded["turning"].id } })),
        ask("POST", "/v1/self/rotate", Value::Null, vec![], None, holder("turning", "read,self:rotate")),
    );
    add(
        "rotate-self-without-scope",
        "the same without that scope",
        "403, `scope_not_allowed`",
        refused(403, "scope_not_allowed"),
        ask("POST", "/v1/self/rotate", Value::Null, vec![], None, holder("turning", "admin")),
    );
    events
}
