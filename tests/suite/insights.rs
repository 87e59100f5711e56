//! What an operator finds out: attempts, changes, dry runs and advice; and what a key finds out about itself.

use serde_json::{Value, json};
use tests::{
    Answer, Stack,
    event::{Call, own},
};

const AUDIT: &str = "/v1/keys/{id}/audit";

#[tokio::test]
async fn attempts_are_listed_newest_first_over_days_and_pages_each_once() {
    let stack = Stack::start().await;
    let key = stack.issue(json!({ "scopes": ["read"] })).await;
    let instance = stack.instance().await;
    for day in 0..3 {
        for n in 0..7 {
            let path = format!("/example/{day}/{n}");
            let method = if n % 3 == 0 { "POST" } else { "GET" };
            instance.call(&Call { method, path: &path, ..Call::get(&key.secret) }).await;
            stack.clock.advance(1);
        }
        stack.clock.advance(86_400);
    }
    instance.close().await;
    let all = async |filter: &[(&str, &str)]| {
        let (mut cursor, mut paths) = (None::<String>, Vec::new());
        for _ in 0..50 {
            let mut query = filter.to_vec();
            query.push(("limit", "4"));
            query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
            let (status, page) = stack.ask(AUDIT, Some(&key.id), &query).await;
            assert_eq!(status, 200, "{page}");
            let attempts = page["attempts"].as_array().unwrap();
            assert!(attempts.len() <= 4);
            paths.extend(attempts.iter().map(|attempt| attempt["path"].as_str().unwrap().to_owned()));
            match page["next_cursor"].as_str() {
                Some(next) => cursor = Some(next.to_owned()),
                None => return paths,
            }
        }
        panic!("pages without end");
    };
    let newest_first = |keep: fn(i32) -> bool| -> Vec<String> {
        let each = (0..3).rev().flat_map(|day| (0..7).rev().map(move |n| (day, n)));
        each.filter(|(_, n)| keep(*n)).map(|(day, n)| format!("/example/{day}/{n}")).collect()
    };
    assert_eq!(all(&[]).await, newest_first(|_| true));
    assert_eq!(all(&[("outcome", "allowed")]).await, newest_first(|n| n % 3 != 0));
    assert_eq!(all(&[("outcome", "refused")]).await, newest_first(|n| n % 3 == 0));
    assert_eq!(all(&[("outcome", "scope_not_allowed")]).await, newest_first(|n| n % 3 == 0));
    assert_eq!(all(&[("outcome", "rate_limited")]).await, [""; 0]);
    assert_eq!(all(&[("from", "2027-01-16"), ("to", "2027-01-16")]).await, newest_first(|_| true)[7..14]);
    let (_, page) = stack.ask(AUDIT, Some(&key.id), &[("limit", "1")]).await;
    let newest = &page["attempts"][0];
    assert_eq!(newest["at"], "2027-01-17T08:00:20.000Z");
    assert_eq!(
        (&newest["source_ip"], &newest["generation"], &newest["method"]),
        (&json!("203.0.113.7"), &json!(1), &json!("POST"))
    );
    // A cursor is of one list only.
    let cursor = page["next_cursor"].as_str().unwrap();
    for query in [
        &[("cursor", cursor), ("outcome", "allowed")][..],
        &[("outcome", "nonsense")],
        &[("limit", "0")],
        &[("limit", "1000")],
        &[("from", "2020-01-01")],
        &[("until", "2027-01-01")],
    ] {
        assert_eq!(stack.ask(AUDIT, Some(&key.id), query).await.0, 400, "{query:?}");
    }
    assert_eq!(stack.ask(AUDIT, Some("key_0123456789abcdefghijkl"), &[]).await.0, 404);
}

#[tokio::test]
async fn an_empty_stretch_of_days_is_gone_through_in_bounded_steps() {
    let stack = Stack::start().await;
    let key = stack.issue(json!({})).await;
    let instance = stack.instance().await;
    instance.get(&key.secret).await;
    instance.close().await;
    stack.clock.advance(80 * 86_400);
    let (mut cursor, mut pages, mut found) = (None::<String>, 0, 0);
    loop {
        let query: Vec<_> = cursor.as_deref().map(|cursor| ("cursor", cursor)).into_iter().collect();
        let _ = stack.wire.take();
        let (_, page) = stack.ask(AUDIT, Some(&key.id), &query).await;
        assert!(stack.wire.take().len() <= 2 + 2 * 31, "at most a month of days a page");
        (pages, found) = (pages + 1, found + page["attempts"].as_array().unwrap().len());
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = Some(next.to_owned());
    }
    assert_eq!((pages, found), (3, 1));
}

#[tokio::test]
async fn changes_say_who_did_what_and_what_it_was_before_and_after() {
    let stack = Stack::start().await;
    let key = stack.issue(json!({ "scopes": ["read"], "metadata": { "team": "a" } })).await;
    stack.clock.advance(1);
    let body = json!({ "scopes": ["read", "write"], "limits": [{ "requests": 5, "per": "day" }], "metadata": { "team": "b" } });
    assert_eq!(stack.update(&key.id, &body).await.0, 200);
    stack.clock.advance(1);
    assert_eq!(stack.rotate(&key.id, &json!({ "grace_seconds": 60 })).await.0, 200);
    stack.clock.advance(1);
    stack.manage("POST", "/v1/keys/{id}/disable", Some(&key.id), &Value::Null).await;
    stack.clock.advance(1);
    stack.revoke(&key.id).await;
    let (status, page) = stack.ask("/v1/audit", None, &[]).await;
    assert_eq!(status, 200);
    let changes = page["changes"].as_array().unwrap();
    let actions: Vec<_> = changes.iter().map(|change| change["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["revoke", "disable", "rotate", "update", "issue"]);
    assert!(changes.iter().all(|change| change["outcome"] == "done" && change["key"] == key.id));
    assert_eq!((&changes[4]["actor"], &changes[0]["actor"]), (&json!("iam"), &json!("key_admin")));
    assert_eq!(changes[3]["detail"]["before"], json!({ "scopes": ["read"], "limits": [], "metadata": { "team": "a" } }));
    let after = json!({ "scopes": ["read", "write"], "limits": [{ "requests": 5, "per": "day" }], "metadata": { "team": "b" } });
    assert_eq!(changes[3]["detail"]["after"], after);
    assert_eq!(changes[2]["detail"]["before"]["generations"].as_array().unwrap().len(), 1);
    let generations = changes[2]["detail"]["after"]["generations"].as_array().unwrap();
    assert_eq!((generations.len(), &generations[0]["grace_ends_at"]), (2, &json!("2027-01-15T08:01:02Z")));
    assert_eq!(
        (&changes[1]["detail"]["before"], &changes[1]["detail"]["after"]),
        (&json!({ "status": "active" }), &json!({ "status": "disabled" }))
    );
    assert_eq!(
        (&changes[0]["detail"]["before"], &changes[0]["detail"]["reason"]),
        (&json!({ "status": "disabled" }), &json!("a test"))
    );
    // Page by page, each once.
    let (mut cursor, mut paged) = (None::<String>, Vec::new());
    loop {
        let mut query = vec![("limit", "2"), ("day", "2027-01-15")];
        query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
        let (_, page) = stack.ask("/v1/audit", None, &query).await;
        paged.extend(page["changes"].as_array().unwrap().clone());
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = Some(next.to_owned());
    }
    assert_eq!(&paged, changes);
    for (query, field) in [
        ([("day", "2027-01-16")], "day"),
        ([("day", "2020-01-01")], "day"),
        ([("day", "x")], "day"),
        ([("limit", "101")], "limit"),
    ] {
        let (status, problem) = stack.ask("/v1/audit", None, &query).await;
        assert_eq!((status, &problem["field"]), (400, &json!(field)));
    }
}

#[tokio::test]
async fn a_change_that_broke_off_is_shown_as_unfinished() {
    let stack = Stack::start().await;
    let key = stack.issue(json!({})).await;
    stack.wire.cut_after(3);
    assert_eq!(stack.update(&key.id, &json!({ "name": "lost" })).await.0, 503);
    stack.wire.mend();
    let (_, page) = stack.ask("/v1/audit", None, &[]).await;
    let unfinished: Vec<_> =
        page["changes"].as_array().unwrap().iter().filter(|change| change["outcome"] == "unfinished").collect();
    assert_eq!(unfinished.len(), 1);
    assert_eq!(unfinished[0]["action"], "update");
}

#[tokio::test]
async fn a_dry_run_says_what_decides_and_counts_nothing() {
    let stack = Stack::start().await;
    let more = json!({
        "scopes": ["read", "POST /reports/{id}"], "ip_allowlist": ["203.0.113.0/24"], "limits": [{ "requests": 1, "per": "day" }],
    });
    let key = stack.issue(more).await;
    let check = async |body: Value| stack.manage("POST", "/v1/keys/{id}/check", Some(&key.id), &body).await;
    let before = stack.record(&key.id).await;
    let inside = json!({ "path": "/x", "source_ip": "203.0.113.9" });
    let (status, allowed) = check(inside.clone()).await;
    assert_eq!((status, &allowed["allowed"], &allowed["decided_by"]), (200, &json!(true), &Value::Null), "{allowed}");
    let because = |answer: &Value, rule: &str| {
        answer["rules"].as_array().unwrap().iter().find(|entry| entry["rule"] == rule).unwrap()["because"].clone()
    };
    assert_eq!(because(&allowed, "scopes"), "read");
    assert_eq!(because(&allowed, "ip_allowlist"), "203.0.113.0/24 covers 203.0.113.9");
    assert_eq!(because(&allowed, "limit_day"), "1 of 1 are left for 57600 s");
    for (body, code, rule) in [
        (json!({ "path": "/x", "source_ip": "198.51.100.1" }), "address_not_allowed", "ip_allowlist"),
        (json!({ "path": "/x" }), "address_not_allowed", "ip_allowlist"),
        (json!({ "method": "POST", "path": "/other", "source_ip": "203.0.113.9" }), "scope_not_allowed", "scopes"),
        (json!({ "path": "/v1/keys", "source_ip": "203.0.113.9", "management": true }), "scope_not_allowed", "scopes"),
    ] {
        let (_, refused) = check(body).await;
        assert_eq!((&refused["allowed"], &refused["code"], &refused["decided_by"]), (&json!(false), &json!(code), &json!(rule)));
    }
    assert_eq!(stack.record(&key.id).await, before, "nothing is counted");
    // And it is what happens.
    let instance = stack.instance().await;
    let post = Call { method: "POST", path: "/reports/7", ..Call::get(&key.secret) };
    assert_eq!(check(json!({ "method": "POST", "path": "/reports/7", "source_ip": "203.0.113.7" })).await.1["allowed"], true);
    assert_eq!(instance.call(&post).await, Answer::Allowed);
    assert_eq!(check(inside).await.1["decided_by"], "limit_day");
    assert_eq!(instance.call(&post).await, Answer::Limited);
    for (body, field) in [
        (json!({}), "path"),
        (json!({ "path": "x" }), "path"),
        (json!({ "path": "/x?y" }), "path"),
        (json!({ "path": "/x", "method": "get" }), "method"),
        (json!({ "path": "/x", "source_ip": "home" }), "source_ip"),
        (json!({ "path": "/x", "generation": 2 }), "generation"),
        (json!({ "path": "/x", "generation": 0 }), "generation"),
        (json!({ "path": "/x", "when": "now" }), "when"),
    ] {
        let (status, problem) = check(body).await;
        assert_eq!((status, &problem["field"]), (400, &json!(field)));
    }
}

#[tokio::test]
async fn advice_names_what_a_key_could_do_without() {
    let stack = Stack::start().await;
    let key = stack.issue(json!({ "scopes": ["read", "write", "delete"] })).await;
    let instance = stack.instance().await;
    for address in ["203.0.113.7", "203.0.113.8"] {
        assert_eq!(instance.call(&Call { source_ip: address, ..Call::get(&key.secret) }).await, Answer::Allowed);
    }
    stack.clock.advance(60);
    let (_, rotated) = stack.rotate(&key.id, &json!({})).await;
    instance.get(&key.secret).await;
    instance.get(rotated["secret"].as_str().unwrap()).await;
    instance.close().await;
    let (status, answer) = stack.ask("/v1/keys/{id}/advice", Some(&key.id), &[]).await;
    assert_eq!((status, &answer["based_on"]), (200, &json!({ "uses": 4, "since": "2027-01-15T08:00:00Z", "complete": true })));
    let of = |code: &str| {
        answer["advice"].as_array().unwrap().iter().find(|advice| advice["code"] == code).cloned().unwrap_or_default()
    };
    assert_eq!(of("unused_scopes")["scopes"], json!(["write", "delete"]));
    assert_eq!(of("allowlist")["ip_allowlist"], json!(["203.0.113.7/32", "203.0.113.8/32"]));
    assert_eq!((&of("old_secret_in_use")["uses"], &of("old_secret_in_use")["complete"]), (&json!(1), &json!(true)));
    assert_eq!(of("idle"), Value::Null);
    stack.clock.advance(45 * 86_400);
    let (_, answer) = stack.ask("/v1/keys/{id}/advice", Some(&key.id), &[]).await;
    assert!(
        answer["advice"].as_array().unwrap().iter().any(|advice| advice["code"] == "idle" && advice["days"] == 45),
        "{answer}"
    );
    let idle = async || {
        let (_, answer) = stack.ask("/v1/keys/{id}/advice", Some(&key.id), &[]).await;
        let advice = answer["advice"].as_array().unwrap().clone();
        let idle = advice.iter().find(|advice| advice["code"] == "idle");
        (advice.len(), idle.map(|idle| idle["detail"].as_str().unwrap().to_owned()))
    };
    assert!(idle().await.1.is_some_and(|detail| detail.contains("Disable it")));
    stack.manage("POST", "/v1/keys/{id}/disable", Some(&key.id), &Value::Null).await;
    assert!(idle().await.1.is_some_and(|detail| !detail.contains("Disable it") && detail.contains("revoke it")));
    stack.revoke(&key.id).await;
    assert_eq!(idle().await, (0, None), "nothing is left to be done about it");
}

#[tokio::test]
async fn an_endpoint_that_a_long_path_may_have_needed_is_not_called_unused() {
    let stack = Stack::start().await;
    let key = stack.issue(json!({ "scopes": ["read", "delete", "GET /files/{*rest}"] })).await;
    let instance = stack.instance().await;
    let unused = async || {
        instance.settle().await;
        instance.close().await;
        let (_, answer) = stack.ask("/v1/keys/{id}/advice", Some(&key.id), &[]).await;
        answer["advice"][0]["scopes"].clone()
    };
    instance.get(&key.secret).await;
    assert_eq!(unused().await, json!(["delete", "GET /files/{*rest}"]));
    let long = format!("/{}", "é".repeat(300));
    instance.call(&Call { path: &long, ..Call::get(&key.secret) }).await;
    assert_eq!(unused().await, json!(["delete"]));
}

#[tokio::test]
async fn a_key_learns_what_it_is_and_has_left_and_nothing_else() {
    let stack = Stack::start().await;
    let key = stack.issue(json!({ "limits": [{ "requests": 10, "per": "day" }], "metadata": { "price": "secret" } })).await;
    let instance = stack.instance().await;
    instance.get(&key.secret).await;
    stack.rotate(&key.id, &json!({ "grace_seconds": 60 })).await;
    let (status, me) = stack.send(own("GET", "/v1/self", &key.id, (1, "read,write"), "")).await;
    assert_eq!((status, &me["id"], &me["limits"][0]["remaining"]), (200, &json!(key.id), &json!(9)));
    let presented = json!({
        "generation": 1, "newest": false, "replaced_at": "2027-01-15T08:00:00Z", "ends_at": "2027-01-15T08:01:00Z",
    });
    assert_eq!(me["presented"], presented);
    for hidden in ["metadata", "created_by", "generations", "version"] {
        assert_eq!(me[hidden], Value::Null, "{hidden}");
    }
    // Whoever comes past the authorizer is nobody.
    let mut nobody = own("GET", "/v1/self", &key.id, (1, "read"), "");
    nobody["requestContext"]["authorizer"] = Value::Null;
    assert_eq!(stack.send(nobody).await.0, 403);
    // No key needs a scope for it, and none is enough for the rest of the management API.
    let call = |method, path| Call { method, path, ..Call::get(&key.secret) };
    assert_eq!(instance.call(&call("GET", "/v1/self")).await, Answer::Allowed);
    let refused = Answer::Denied("scope_not_allowed".to_owned());
    for (method, path) in [("POST", "/v1/self/rotate"), ("GET", "/v1/audit"), ("GET", "/v1/self/"), ("GET", "/v1/keys/x/usage")] {
        assert_eq!(instance.call(&call(method, path)).await, refused, "{method} {path}");
    }
}

#[tokio::test]
async fn a_key_rotates_itself_only_with_a_scope_that_nothing_implies_and_never_prolongs_its_life() {
    let stack = Stack::start().await;
    let expiry = stack.clock.now().plus(86_400).to_string();
    let key = stack.issue(json!({ "scopes": ["read", "self:rotate"], "expires_at": expiry })).await;
    let admin = stack.issue(json!({ "scopes": ["admin"] })).await;
    let instance = stack.instance().await;
    let rotate = |secret| Call { method: "POST", path: "/v1/self/rotate", ..Call::get(secret) };
    assert_eq!(instance.call(&rotate(&key.secret)).await, Answer::Allowed);
    assert_eq!(instance.call(&rotate(&admin.secret)).await, Answer::Denied("scope_not_allowed".to_owned()), "not even admin");
    let ask = async |scopes: &str, body: Value| {
        stack.send(own("POST", "/v1/self/rotate", &key.id, (1, scopes), &body.to_string())).await
    };
    for scopes in ["read", "admin", "self", "self:rotate2", ""] {
        let (status, problem) = ask(scopes, json!({})).await;
        assert_eq!((status, &problem["code"]), (403, &json!("scope_not_allowed")), "{scopes}");
    }
    for field in ["expires_at", "force"] {
        let (status, problem) = ask("self:rotate", json!({ field: null })).await;
        assert_eq!((status, &problem["field"]), (400, &json!(field)));
    }
    let (status, answer) = ask("read,self:rotate", json!({ "grace_seconds": 60 })).await;
    assert_eq!((status, &answer["generation"], &answer["expires_at"]), (200, &json!(2), &json!(expiry)), "{answer}");
    assert_eq!(answer["replaced"], json!({ "generation": 1, "ends_at": "2027-01-15T08:01:00Z" }));
    for secret in [key.secret.as_str(), answer["secret"].as_str().unwrap()] {
        assert_eq!(instance.get(secret).await, Answer::Allowed);
    }
    let changes = stack.changes().await;
    let actors: Vec<_> = changes
        .iter()
        .filter(|item| item["action"].as_s().unwrap() == "rotate")
        .map(|item| item["actor"].as_s().unwrap())
        .collect();
    assert_eq!(actors, [&key.id, &key.id]);
}

#[tokio::test]
async fn a_backend_is_told_when_a_secret_was_replaced_and_when_it_ends() {
    let stack = Stack::start().await;
    let key = stack.issue(json!({})).await;
    let instance = stack.instance().await;
    let context = instance.context(&key.secret).await;
    assert_eq!((&context["generation"], &context["deprecation"], &context["sunset"]), (&json!(1), &Value::Null, &Value::Null));
    let (_, rotated) = stack.rotate(&key.id, &json!({ "grace_seconds": 3600 })).await;
    let context = instance.context(&key.secret).await;
    assert_eq!(context["deprecation"], "@1800000000");
    assert_eq!(context["sunset"], "Fri, 15 Jan 2027 09:00:00 GMT");
    let context = instance.context(rotated["secret"].as_str().unwrap()).await;
    assert_eq!((&context["generation"], &context["sunset"]), (&json!(2), &Value::Null));
}
