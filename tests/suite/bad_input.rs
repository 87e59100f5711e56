//! Bad input: each with its status, its code and its field, and nothing stored on any of it.

use serde_json::{Value, json};
use tests::{
    Stack,
    event::{as_http_api, management, management_of, with_header},
};

fn order(more: &Value) -> Value {
    let mut order = json!({ "name": "n", "owner": { "type": "user", "id": "1" }, "environment": "live", "scopes": ["read"] });
    for (name, value) in more.as_object().unwrap() {
        if value == "ABSENT" {
            order.as_object_mut().unwrap().remove(name);
        } else {
            order[name] = value.clone();
        }
    }
    order
}

async fn stored(stack: &Stack) -> usize {
    stack.scan("KeysTable").await.len() + stack.scan("AuditTable").await.len()
}

#[tokio::test]
async fn a_bad_order_is_refused_with_its_field_and_nothing_is_stored() {
    let stack = Stack::start().await;
    let long = "x".repeat(65);
    let scopes: Vec<_> = (0..21).map(|n| format!("GET /{n}")).collect();
    for (more, code, field) in [
        (json!({ "name": "ABSENT" }), "invalid_field", "name"),
        (json!({ "name": "" }), "invalid_field", "name"),
        (json!({ "name": long }), "invalid_field", "name"),
        (json!({ "name": 7 }), "invalid_field", "name"),
        (json!({ "owner": "user:1" }), "invalid_field", "owner"),
        (json!({ "shared_limits": [] }), "invalid_field", "shared_limits"),
        (json!({ "shared_limits": true }), "invalid_field", "shared_limits"),
        (json!({ "owner": { "type": "team", "id": "1" } }), "invalid_field", "owner.type"),
        (json!({ "owner": { "type": "user", "id": "" } }), "invalid_field", "owner.id"),
        (json!({ "owner": { "type": "user", "id": "a b" } }), "invalid_field", "owner.id"),
        (json!({ "owner": { "type": "user", "id": "1", "name": "x" } }), "unknown_field", "owner.name"),
        (json!({ "environment": "production" }), "invalid_field", "environment"),
        (json!({ "scopes": "ABSENT" }), "invalid_field", "scopes"),
        (json!({ "scopes": [] }), "invalid_field", "scopes"),
        (json!({ "scopes": ["everything"] }), "invalid_field", "scopes[0]"),
        (json!({ "scopes": ["read", "GET /{"] }), "invalid_field", "scopes[1]"),
        (json!({ "scopes": ["GET /a/../b"] }), "invalid_field", "scopes[0]"),
        (json!({ "scopes": ["read", "read"] }), "invalid_field", "scopes"),
        (json!({ "scopes": scopes }), "invalid_field", "scopes"),
        (json!({ "ip_allowlist": ["10.0.0.0/33"] }), "invalid_field", "ip_allowlist[0]"),
        (json!({ "ip_allowlist": "10.0.0.0/8" }), "invalid_field", "ip_allowlist"),
        (json!({ "limits": [{ "requests": 0, "per": "minute" }] }), "invalid_field", "limits[0].requests"),
        (json!({ "limits": [{ "requests": 801, "per": "second" }] }), "invalid_field", "limits[0].requests"),
        (json!({ "limits": [{ "requests": 69_120_001, "per": "day" }] }), "invalid_field", "limits[0].requests"),
        (json!({ "limits": [{ "requests": 1, "per": "fortnight" }] }), "invalid_field", "limits[0].per"),
        (json!({ "limits": [{ "requests": 1, "per": "day" }, { "requests": 2, "per": "day" }] }), "invalid_field", "limits"),
        (json!({ "expires_at": "2020-01-01T00:00:00Z" }), "invalid_field", "expires_at"),
        (json!({ "expires_at": "next week" }), "invalid_field", "expires_at"),
        (json!({ "expires_at": 1_900_000_000 }), "invalid_field", "expires_at"),
        (json!({ "metadata": [] }), "invalid_field", "metadata"),
        (json!({ "metadata": { "x": "y".repeat(4096) } }), "invalid_field", "metadata"),
        (json!({ "rotate_every_days": 0 }), "invalid_field", "rotate_every_days"),
        (json!({ "rotate_every_days": 3651 }), "invalid_field", "rotate_every_days"),
        (json!({ "secret": "mbk_live_mine" }), "unknown_field", "secret"),
    ] {
        let body = order(&more).to_string();
        let (status, problem) = stack.send(management("POST", "/v1/keys", None, &[], &body)).await;
        assert_eq!((status, &problem["code"], &problem["field"]), (400, &json!(code), &json!(field)), "{more}: {problem}");
        assert!(problem["detail"].as_str().is_some_and(|detail| detail.len() > 10), "says what is allowed: {problem}");
        let direct = stack.order(order(&more)).await.unwrap();
        assert_eq!(direct["code"], json!(code), "and the same when invoked directly");
    }
    let (_, problem) = stack.send(management("POST", "/v1/keys", None, &[], "{}")).await;
    assert_eq!(problem["field"], "name", "what an order begins with comes first");
    assert_eq!(stored(&stack).await, 0);
}

#[tokio::test]
async fn bodies_that_are_not_small_json_objects_are_refused() {
    let stack = Stack::start().await;
    let large = format!("{{\"name\": \"{}\"}}", "x".repeat(64 * 1024));
    for (body, status, code) in [
        ("{", 400, "invalid_json"),
        ("[]", 400, "invalid_json"),
        ("\"text\"", 400, "invalid_json"),
        ("{\"name\": \"a\"} trailing", 400, "invalid_json"),
        (large.as_str(), 413, "body_too_large"),
    ] {
        let (answered, problem) = stack.send(management("POST", "/v1/keys", None, &[], body)).await;
        assert_eq!((answered, &problem["code"]), (status, &json!(code)));
    }
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let (status, _) = stack.send(management("POST", "/v1/keys", None, &[], &format!("{{\"metadata\": {deep}}}"))).await;
    assert_eq!(status, 400);
    assert_eq!(stored(&stack).await, 0);
}

#[tokio::test]
async fn a_policy_that_does_not_fit_one_write_unit_is_refused_at_issue_and_update() {
    let stack = Stack::start().await;
    let scopes: Vec<_> = (0..15).map(|n| format!("GET /{}/{n}", "p".repeat(60))).collect();
    let (status, problem) =
        stack.send(management("POST", "/v1/keys", None, &[], &order(&json!({ "scopes": scopes })).to_string())).await;
    assert_eq!((status, &problem["code"]), (400, &json!("policy_too_large")));
    let key = stack.issue(json!({})).await;
    let (status, problem) = stack.update(&key.id, &json!({ "scopes": scopes })).await;
    assert_eq!((status, &problem["code"]), (400, &json!("policy_too_large")));
    assert_eq!(stack.record(&key.id).await.version, 1);
}

#[tokio::test]
async fn unknown_keys_are_404_on_every_route_and_leave_no_trace() {
    let stack = Stack::start().await;
    // What else would be wrong with the request.
    let body = |resource: &str| match resource {
        "/v1/keys/{id}/revoke" => json!({ "reason": "r" }),
        "/v1/keys/{id}/check" => json!({ "path": "/x" }),
        _ => json!({}),
    };
    let routes = stack.template.routes.iter().map(|route| (route.method.as_str(), route.path.as_str()));
    let routes: Vec<_> = routes.filter(|(_, path)| path.starts_with("/v1/keys/{id}")).collect();
    assert!(routes.len() >= 10, "{routes:?}");
    for id in ["key_0123456789abcdefghijkl", "key_short", "nonsense", "lookup#x", "pepper"] {
        for (method, resource) in &routes {
            let (status, problem) = stack.manage(method, resource, Some(id), &body(resource)).await;
            assert_eq!((status, &problem["code"]), (404, &json!("no_such_key")), "{method} {resource} {id}");
        }
    }
    assert_eq!(stored(&stack).await, 0);
}

#[tokio::test]
async fn a_scope_that_names_half_of_an_endpoint_is_refused_wherever_scopes_are_given() {
    let stack = Stack::start().await;
    let key = stack.issue(json!({})).await;
    let before = stored(&stack).await;
    for scope in ["custom", "GET", "GET "] {
        let scopes = json!({ "scopes": [scope] });
        let plan = management_of("PUT", "/v1/plans/{name}", &[("name", "basic")], &[], &scopes.to_string());
        for event in [
            management("POST", "/v1/keys", None, &[], &order(&scopes).to_string()),
            management("PATCH", "/v1/keys/{id}", Some(&key.id), &[], &scopes.to_string()),
            plan,
        ] {
            let route = event["resource"].clone();
            let (status, problem) = stack.send(event).await;
            let told = (status, &problem["code"], &problem["field"]);
            assert_eq!(told, (400, &json!("invalid_field"), &json!("scopes[0]")), "{scope:?} on {route}");
        }
    }
    assert_eq!(stored(&stack).await, before);
}

#[tokio::test]
async fn bad_changes_are_refused_with_their_field() {
    let stack = Stack::start().await;
    let key = stack.issue(json!({})).await;
    let before = stored(&stack).await;
    for (method, resource, body, code, field) in [
        ("PATCH", "/v1/keys/{id}", json!({ "owner": { "type": "user", "id": "2" } }), "unknown_field", "owner"),
        ("PATCH", "/v1/keys/{id}", json!({ "scopes": [] }), "invalid_field", "scopes"),
        ("PATCH", "/v1/keys/{id}", json!({ "expires_at": "2001-01-01T00:00:00Z" }), "invalid_field", "expires_at"),
        ("PATCH", "/v1/keys/{id}", json!({ "limits": null }), "invalid_field", "limits"),
        ("POST", "/v1/keys/{id}/rotate", json!({ "grace_seconds": -1 }), "invalid_field", "grace_seconds"),
        ("POST", "/v1/keys/{id}/rotate", json!({ "grace_seconds": 2_592_001 }), "invalid_field", "grace_seconds"),
        ("PATCH", "/v1/keys/{id}", json!({ "scopes": ["GET x"] }), "invalid_field", "scopes[0]"),
        ("PATCH", "/v1/keys/{id}", json!({ "ip_allowlist": ["10.0.0.0/33"] }), "invalid_field", "ip_allowlist[0]"),
        ("PATCH", "/v1/keys/{id}", json!({ "limits": [{ "requests": 0, "per": "day" }] }), "invalid_field", "limits[0].requests"),
        ("PATCH", "/v1/keys/{id}", json!({ "metadata": { "x": "y".repeat(4096) } }), "invalid_field", "metadata"),
        ("POST", "/v1/keys/{id}/rotate", json!({ "expires_at": "2001-01-01T00:00:00Z" }), "invalid_field", "expires_at"),
        ("POST", "/v1/keys/{id}/rotate", json!({ "force": "yes" }), "invalid_field", "force"),
        ("POST", "/v1/keys/{id}/rotate", json!({ "grace": 1 }), "unknown_field", "grace"),
        ("POST", "/v1/keys/{id}/revoke", json!({}), "invalid_field", "reason"),
        ("POST", "/v1/keys/{id}/revoke", json!({ "reason": "x".repeat(257) }), "invalid_field", "reason"),
        ("POST", "/v1/keys/{id}/disable", json!({ "reason": "x" }), "unknown_field", "reason"),
    ] {
        let (status, problem) = stack.manage(method, resource, Some(&key.id), &body).await;
        assert_eq!((status, &problem["code"], &problem["field"]), (400, &json!(code), &json!(field)), "{method} {body}");
    }
    assert_eq!(stored(&stack).await, before);
    assert_eq!(stack.record(&key.id).await.version, 1);
}

#[tokio::test]
async fn an_if_match_that_can_not_be_read_is_refused_and_nothing_is_stored() {
    let stack = Stack::start().await;
    let key = stack.issue(json!({})).await;
    let before = stored(&stack).await;
    for lines in [
        &[""][..],
        &["1"],
        &["\"1"],
        &["1\""],
        &["'1'"],
        &["W/1"],
        &["w/\"1\""],
        &["\"1\" \"2\""],
        &["\"1\"; \"2\""],
        &["\"1\", 2"],
        &["*, \"1\""],
        &["*", "*"],
        &["\"1\"", "nonsense"],
        &["nonsense", "\"1\""],
        &[","],
    ] {
        for (method, resource) in [("PATCH", "/v1/keys/{id}"), ("POST", "/v1/keys/{id}/enable"), ("POST", "/v1/keys/{id}/rotate")]
        {
            let event = with_header(management(method, resource, Some(&key.id), &[], "{}"), "If-Match", lines);
            for event in [as_http_api(&event), event] {
                let (status, problem) = stack.send(event).await;
                let told = (status, &problem["code"], &problem["field"]);
                assert_eq!(told, (400, &json!("invalid_field"), &json!("If-Match")), "{method} {resource} {lines:?}");
            }
        }
    }
    assert_eq!(stored(&stack).await, before);
    assert_eq!(stack.record(&key.id).await.version, 1);
}

#[tokio::test]
async fn routes_that_the_template_does_not_have_are_404() {
    let stack = Stack::start().await;
    let (status, problem) = stack.manage("DELETE", "/v1/keys/{id}", Some("key_0123456789abcdefghijkl"), &Value::Null).await;
    assert_eq!((status, &problem["code"]), (404, &json!("no_such_route")));
}
