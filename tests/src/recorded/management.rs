//! What an administrator may ask for, and what the functions answer. Each event that changes a key has one of its own, and
//! may be repeated.

use local::seed::Seeded;
use serde_json::{Value, json};

use super::{Expected, Recorded, api_gateway::Asked};

/// A request for `resource` of the management API, which the authorizer has let through.
fn ask(method: &str, resource: &str, id: Option<&str>, body: Option<&Value>, authorizer: Value) -> Value {
    ask_if(None, method, resource, id, body, authorizer)
}

/// The same for a key of certain versions only.
fn ask_if(
    if_match: Option<&str>,
    method: &str,
    resource: &str,
    id: Option<&str>,
    body: Option<&Value>,
    authorizer: Value,
) -> Value {
    let path = resource.replace("{id}", id.unwrap_or_default());
    let parameters = id.map(|id| json!({ "id": id })).unwrap_or_default();
    let body = body.map(ToString::to_string);
    let asked = Asked { method, resource, path, header_key: None, if_match, query: Vec::new() };
    asked.proxy(parameters, body.as_deref(), authorizer)
}

fn answered(status: u16, body: Value) -> Expected {
    Expected::Answer(json!({ "statusCode": status, "body": body }))
}

fn refused(status: u16, code: &str) -> Expected {
    answered(status, json!({ "code": code }))
}

pub(super) fn events(seeded: &Seeded) -> Vec<Recorded> {
    let admin = || json!({ "principalId": seeded["admin"].id, "keyId": seeded["admin"].id, "name": "admin", "scopes": "admin" });
    let reader =
        || json!({ "principalId": seeded["reader"].id, "keyId": seeded["reader"].id, "name": "reader", "scopes": "read" });
    let id = |name: &str| Some(seeded[name].id.as_str());
    let nobody = Some("key_0123456789abcdefghijkl");
    let order = json!({
        "name": "from an event", "owner": { "type": "user", "id": "ann" }, "environment": "test", "scopes": ["read"],
        "limits": [{ "requests": 5, "per": "minute" }],
    });
    let with = |name: &str, value: Value| {
        let mut order = order.clone();
        order[name] = value;
        order
    };
    let on = |method: &str, action: &str, id: Option<&str>, body: Option<&Value>| {
        ask(method, &format!("/v1/keys/{{id}}{action}"), id, body, admin())
    };
    let issue = |body: &Value| ask("POST", "/v1/keys", None, Some(body), admin());
    let mut events = Vec::new();
    let mut add = |name, what, answer, expected, event| events.push(Recorded { name, what, answer, expected, event });
    let not_admin = "403, `scope_not_allowed`: the function checks again what the authorizer has checked";

    add(
        "issue-key",
        "`POST /v1/keys`",
        "201, the key with its secret",
        Expected::WithSecret(json!({ "statusCode": 201, "body": { "name": "from an event" } })),
        issue(&order),
    );
    let direct = Expected::WithSecret(json!({ "name": "from an event", "status": "active" }));
    add(
        "issue-directly",
        "the order itself, as somebody with the permission to invoke the function may send it",
        "the key with its secret",
        direct,
        order.clone(),
    );
    let problem = Expected::Answer(json!({ "status": 400, "code": "invalid_field", "field": "name" }));
    add(
        "issue-directly-invalid",
        "the same without a name",
        "a problem that names the field",
        problem,
        with("name", Value::Null),
    );
    let mut broken = issue(&order);
    broken["body"] = json!("{\"name\": ");
    add("issue-invalid-json", "a body that breaks off", "400, `invalid_json`", refused(400, "invalid_json"), broken);
    add(
        "issue-unknown-field",
        "a field that doesn't exist",
        "400, `unknown_field`",
        refused(400, "unknown_field"),
        issue(&with("colour", json!("blue"))),
    );
    add(
        "issue-invalid-field",
        "a scope that doesn't exist",
        "400, `invalid_field`",
        refused(400, "invalid_field"),
        issue(&with("scopes", json!(["everything"]))),
    );
    let mut large = issue(&order);
    large["body"] = json!(" ".repeat(shared::input::LONGEST_BODY + 1));
    add(
        "issue-body-too-large",
        "a body of one byte more than 64 KiB",
        "413, `body_too_large`",
        refused(413, "body_too_large"),
        large,
    );
    let scopes: Vec<_> = (0..20).map(|n| format!("GET /a/long/path/that/many/scopes/begin/with/{n}")).collect();
    add(
        "issue-policy-too-large",
        "more scopes than fit into one write unit",
        "400, `policy_too_large`",
        refused(400, "policy_too_large"),
        issue(&with("scopes", json!(scopes))),
    );
    add(
        "issue-no-such-plan",
        "a plan that doesn't exist",
        "400, `invalid_field`",
        refused(400, "invalid_field"),
        issue(&with("plan", json!("none"))),
    );
    add(
        "issue-import-not-accepted",
        "`POST /v1/keys/import` with a prefix that isn't in the parameter `ImportPrefixes`",
        "400, `invalid_field`",
        refused(400, "invalid_field"),
        ask("POST", "/v1/keys/import", None, Some(&with("secret", json!("acme_0123456789abcdef"))), admin()),
    );
    add(
        "issue-not-admin",
        "a key that isn't an admin's",
        not_admin,
        refused(403, "scope_not_allowed"),
        ask("POST", "/v1/keys", None, Some(&order), reader()),
    );

    add(
        "rotate-key",
        "`POST /v1/keys/{id}/rotate`",
        "200, the key with its new secret",
        Expected::WithSecret(json!({ "statusCode": 200, "body": { "name": "turning" } })),
        on("POST", "/rotate", id("turning"), None),
    );
    add(
        "rotate-in-progress",
        "a key whose newest secret is in use while the old one still works",
        "409, `rotation_in_progress`",
        refused(409, "rotation_in_progress"),
        on("POST", "/rotate", id("rotated"), None),
    );
    add(
        "rotate-revoked",
        "a revoked key",
        "409, `key_revoked`",
        refused(409, "key_revoked"),
        on("POST", "/rotate", id("revoked"), None),
    );
    add(
        "rotate-no-such-key",
        "an id that no key has",
        "404, `no_such_key`",
        refused(404, "no_such_key"),
        on("POST", "/rotate", nobody, None),
    );
    let endless = json!({ "grace_seconds": 86_400 * 365 });
    add(
        "rotate-invalid-field",
        "a grace period of a year",
        "400, `invalid_field`",
        refused(400, "invalid_field"),
        on("POST", "/rotate", id("turning"), Some(&endless)),
    );
    // No key ever had version 0.
    let stale = Some("\"0\"");
    let stale_answer = "412, `precondition_failed`: nothing was changed";
    add(
        "rotate-precondition-failed",
        "`If-Match` with a version that the key no longer has",
        stale_answer,
        refused(412, "precondition_failed"),
        ask_if(stale, "POST", "/v1/keys/{id}/rotate", id("turning"), None, admin()),
    );
    add(
        "rotate-not-admin",
        "a key that isn't an admin's",
        not_admin,
        refused(403, "scope_not_allowed"),
        ask("POST", "/v1/keys/{id}/rotate", id("turning"), None, reader()),
    );

    let list = |query| Asked {
        method: "GET",
        resource: "/v1/keys",
        path: "/v1/keys".to_owned(),
        header_key: None,
        if_match: None,
        query,
    };
    let owned = list(vec![("owner_type", "service"), ("owner_id", "events"), ("limit", "2")]).proxy(Value::Null, None, admin());
    add(
        "manage-list",
        "`GET /v1/keys` of an owner, two to a page",
        "200, two keys and a cursor",
        answered(200, json!({ "keys": [{ "environment": "test" }, { "environment": "test" }] })),
        owned,
    );
    let bad_cursor = list(vec![("environment", "live"), ("cursor", "x")]).proxy(Value::Null, None, admin());
    add("manage-invalid-cursor", "a cursor that is none", "400, `invalid_cursor`", refused(400, "invalid_cursor"), bad_cursor);
    add(
        "manage-get",
        "`GET /v1/keys/{id}`",
        "200, the key",
        answered(200, json!({ "name": "reader", "status": "active" })),
        on("GET", "", id("reader"), None),
    );
    add(
        "manage-no-such-key",
        "an id that no key has",
        "404, `no_such_key`",
        refused(404, "no_such_key"),
        on("GET", "", nobody, None),
    );
    let change = json!({ "metadata": { "team": "reports" }, "limits": [{ "requests": 100, "per": "day" }] });
    add(
        "manage-update",
        "`PATCH /v1/keys/{id}`",
        "200, the changed key",
        answered(200, json!({ "metadata": { "team": "reports" } })),
        on("PATCH", "", id("subject"), Some(&change)),
    );
    add(
        "manage-unknown-field",
        "a change of what can't be changed",
        "400, `unknown_field`",
        refused(400, "unknown_field"),
        on("PATCH", "", id("subject"), Some(&json!({ "environment": "live" }))),
    );
    add(
        "manage-update-if-match",
        "the same with `If-Match: *`; a version would fit only once",
        "200, the changed key, with its version as `ETag`",
        answered(200, json!({ "metadata": { "team": "reports" } })),
        ask_if(Some("*"), "PATCH", "/v1/keys/{id}", id("subject"), Some(&change), admin()),
    );
    add(
        "manage-precondition-failed",
        "`If-Match` with a version that the key no longer has",
        stale_answer,
        refused(412, "precondition_failed"),
        ask_if(stale, "PATCH", "/v1/keys/{id}", id("subject"), Some(&change), admin()),
    );
    add(
        "manage-invalid-if-match",
        "`If-Match` with a version that isn't in quotes",
        "400, `invalid_field`",
        refused(400, "invalid_field"),
        ask_if(Some("0"), "PATCH", "/v1/keys/{id}", id("subject"), Some(&change), admin()),
    );
    add(
        "manage-disable",
        "`POST /v1/keys/{id}/disable`",
        "200, the disabled key",
        answered(200, json!({ "status": "disabled" })),
        on("POST", "/disable", id("subject"), None),
    );
    add(
        "manage-enable",
        "`POST /v1/keys/{id}/enable`",
        "200, the active key",
        answered(200, json!({ "status": "active" })),
        on("POST", "/enable", id("subject"), None),
    );
    add(
        "manage-enable-revoked",
        "a revoked key",
        "409, `key_revoked`",
        refused(409, "key_revoked"),
        on("POST", "/enable", id("revoked"), None),
    );
    let reason = json!({ "reason": "tried the event" });
    add(
        "manage-revoke",
        "`POST /v1/keys/{id}/revoke`",
        "200, the revoked key, however often",
        answered(200, json!({ "status": "revoked" })),
        on("POST", "/revoke", id("leaving"), Some(&reason)),
    );
    add(
        "manage-revoke-without-reason",
        "the same without saying why",
        "400, `invalid_field`",
        refused(400, "invalid_field"),
        on("POST", "/revoke", id("subject"), None),
    );
    add(
        "manage-no-such-route",
        "a route that the template doesn't have",
        "404, `no_such_route`",
        refused(404, "no_such_route"),
        on("POST", "/paint", id("subject"), None),
    );
    add(
        "manage-not-admin",
        "a key that isn't an admin's",
        not_admin,
        refused(403, "scope_not_allowed"),
        ask("GET", "/v1/keys/{id}", id("subject"), None, reader()),
    );

    let named = |method: &str, resource: &str, named: Value, body: Option<&Value>| {
        let mut event = ask(method, resource, None, body, admin());
        let mut path = resource.to_owned();
        for (name, value) in named.as_object().into_iter().flatten() {
            path = path.replace(&format!("{{{name}}}"), value.as_str().unwrap_or_default());
        }
        event["requestContext"]["path"] = json!(format!("/live{path}"));
        event["path"] = json!(path);
        event["pathParameters"] = named;
        event
    };
    let plan = json!({ "scopes": ["read"], "limits": [{ "requests": 1000, "per": "day" }], "rotate_every_days": 90 });
    let basic = || json!({ "name": "basic" });
    add(
        "manage-put-plan",
        "`PUT /v1/plans/{name}`",
        "201 the first time and 200 from then on, the plan",
        Expected::Answer(json!({ "body": { "name": "basic", "rotate_every_days": 90 } })),
        named("PUT", "/v1/plans/{name}", basic(), Some(&plan)),
    );
    add(
        "manage-put-invalid-plan",
        "the same without scopes",
        "400, `invalid_field`",
        refused(400, "invalid_field"),
        named("PUT", "/v1/plans/{name}", basic(), None),
    );
    add(
        "manage-no-such-plan",
        "`GET /v1/plans/{name}` with a name that no plan has",
        "404, `no_such_plan`",
        refused(404, "no_such_plan"),
        named("GET", "/v1/plans/{name}", json!({ "name": "none" }), None),
    );
    add(
        "manage-list-plans",
        "`GET /v1/plans`",
        "200, the plans",
        answered(200, json!({ "next_cursor": null })),
        ask("GET", "/v1/plans", None, None, admin()),
    );
    add(
        "manage-revoke-owner",
        "`POST /v1/owners/{type}/{id}/revoke` of an owner without keys",
        "200, and nothing is revoked",
        answered(200, json!({ "revoked": [], "already_revoked": [], "failed": [], "next_cursor": null })),
        named("POST", "/v1/owners/{type}/{id}/revoke", json!({ "type": "user", "id": "nobody" }), Some(&reason)),
    );

    let owner = || json!({ "type": "service", "id": "events" });
    let limits = json!({ "limits": [{ "requests": 100_000, "per": "month" }] });
    add(
        "manage-put-owner-limits",
        "`PUT /v1/owners/{type}/{id}/limits`",
        "201 the first time and 200 from then on, what the owner's keys share",
        Expected::Answer(json!({ "body": { "owner": { "type": "service", "id": "events" } } })),
        named("PUT", "/v1/owners/{type}/{id}/limits", owner(), Some(&limits)),
    );
    add(
        "manage-no-owner-limits",
        "`GET /v1/owners/{type}/{id}/limits` of an owner whose keys share nothing",
        "404, `no_such_limits`",
        refused(404, "no_such_limits"),
        named("GET", "/v1/owners/{type}/{id}/limits", json!({ "type": "user", "id": "nobody" }), None),
    );

    let example = Asked { header_key: None, ..Asked::example("GET", "") }.proxy(Value::Null, None, reader());
    add(
        "example-get",
        "`GET /example`, after the authorizer allowed it",
        "200, and what the authorizer said of the key",
        answered(200, json!({ "method": "GET", "key": { "name": "reader" } })),
        example,
    );
    events
}
