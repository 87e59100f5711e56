//! `POST /v1/owners/{type}/{id}/revoke`: all keys of an owner, page by page; whatever breaks off is gone on with.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use fastrand::Rng;
use serde_json::{Value, json};
use tests::{
    Answer, Issued, Stack,
    event::{as_http_api, management_of},
    proxy::{Odds, Proxy, Weather},
    simulation::{clock::TrueTime, sandbox::Sandbox},
    stack,
};

const REVOKE: &str = "/v1/owners/{type}/{id}/revoke";

async fn revoke(stack: &Stack, query: &[(&str, &str)]) -> (u16, Value) {
    let body = json!({ "reason": "the contract has ended" }).to_string();
    stack.send(management_of("POST", REVOKE, &[("type", "service"), ("id", "gone")], query, &body)).await
}

/// Keys of the owner whose keys are revoked, oldest first.
async fn keys(stack: &Stack, count: usize) -> Vec<Issued> {
    let mut keys = Vec::new();
    for _ in 0..count {
        keys.push(stack.issue(json!({ "owner": { "type": "service", "id": "gone" } })).await);
        stack.clock.advance(1);
    }
    keys
}

fn ids(page: &Value, name: &str) -> Vec<String> {
    page[name].as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn all_keys_of_an_owner_are_revoked_page_by_page_and_no_others() {
    let stack = Stack::start().await;
    let all = keys(&stack, 5).await;
    let other = stack.issue(json!({ "owner": { "type": "user", "id": "gone" } })).await;
    let instance = stack.instance().await;
    assert_eq!(instance.get(&all[0].secret).await, Answer::Allowed);
    stack.revoke(&all[3].id).await;
    let (mut revoked, mut already, mut cursor) = (Vec::new(), Vec::new(), None::<String>);
    loop {
        let mut query = vec![("limit", "2")];
        query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
        let (status, page) = revoke(&stack, &query).await;
        assert_eq!((status, &page["failed"]), (200, &json!([])), "{page}");
        revoked.extend(ids(&page, "revoked"));
        already.extend(ids(&page, "already_revoked"));
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = Some(next.to_owned());
    }
    assert_eq!(revoked, [&all[4], &all[2], &all[1], &all[0]].map(|key| key.id.clone()), "newest first");
    assert_eq!(already, [all[3].id.clone()]);
    for key in &all {
        assert_eq!(instance.get(&key.secret).await, Answer::Unauthorized);
        assert_eq!(stack.show(&key.id).await["status"], "revoked");
    }
    assert_eq!(instance.get(&other.secret).await, Answer::Allowed);
    assert_eq!(stack.show(&all[0].id).await["revocation"]["reason"], "the contract has ended");
    let (_, again) = revoke(&stack, &[]).await;
    assert_eq!((ids(&again, "revoked").len(), ids(&again, "already_revoked").len()), (0, 5));
}

#[tokio::test]
async fn a_page_that_breaks_off_says_what_is_done_and_its_cursor_goes_on() {
    for calls in 0..22 {
        let stack = Stack::start().await;
        let all = keys(&stack, 3).await;
        stack.wire.cut_after(calls);
        let (status, page) = revoke(&stack, &[]).await;
        stack.wire.mend();
        let mut revoked = Vec::new();
        let mut query = Vec::new();
        if status == 200 {
            revoked.extend(ids(&page, "revoked"));
            assert_eq!(ids(&page, "failed").len(), 1, "{calls} calls: {page}");
            query.push(("cursor", page["next_cursor"].as_str().expect("a cursor")));
        } else {
            assert_eq!(status, 503, "{calls} calls: {page}");
        }
        let (status, rest) = revoke(&stack, &query).await;
        assert_eq!((status, &rest["next_cursor"]), (200, &Value::Null), "{calls} calls: {rest}");
        revoked.extend(ids(&rest, "revoked"));
        // One whose revocation broke off after its commit may have come into the index as revoked.
        revoked.extend(ids(&rest, "already_revoked"));
        assert_eq!(revoked.len(), 3, "{calls} calls: {revoked:?}");
        for key in &all {
            assert_eq!(stack.record(&key.id).await.status.as_str(), "revoked", "{calls} calls");
        }
        let items = stack.scan("KeysTable").await;
        let aliases: Vec<_> = items.iter().filter(|item| item["sk"].as_s().unwrap() == "alias").collect();
        assert!(aliases.len() == 3 && aliases.iter().all(|alias| alias.contains_key("ttl")), "{calls} calls: {aliases:?}");
    }
}

#[tokio::test]
async fn a_damaged_key_keeps_no_other_from_being_revoked() {
    let stack = Stack::start().await;
    let all = keys(&stack, 3).await;
    let damage = stack.engine.dynamodb().update_item().table_name(stack.table("KeysTable"));
    let text = |text: &str| aws_sdk_dynamodb::types::AttributeValue::S(text.to_owned());
    let damage = damage.key("pk", text(&all[1].id)).key("sk", text("about"));
    let damage = damage.update_expression("SET metadata = :m").expression_attribute_values(":m", text("{"));
    damage.send().await.unwrap();
    let (status, page) = revoke(&stack, &[]).await;
    assert_eq!((status, ids(&page, "failed")), (200, vec![all[1].id.clone()]), "{page}");
    assert_eq!((ids(&page, "revoked").len(), &page["next_cursor"]), (2, &Value::Null));
    // It is refused all the same; what has failed is what follows.
    assert_eq!(stack.record(&all[1].id).await.status.as_str(), "revoked");
}

#[tokio::test]
async fn what_the_index_says_of_one_key_keeps_no_other_from_being_revoked() {
    let stack = Stack::start().await;
    let all = keys(&stack, 3).await;
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let number = |number: u64| AttributeValue::N(number.to_string());
    let update = || stack.engine.dynamodb().update_item().table_name(stack.table("KeysTable"));
    // What the lists show of one is damaged; one item is no key's; the place in the list of another can't be told.
    let damaged =
        update().key("pk", text(&all[1].id)).key("sk", text("about")).update_expression("SET #n = :n REMOVE env_status");
    let damaged = damaged.expression_attribute_names("#n", "name").expression_attribute_values(":n", number(1));
    damaged.send().await.unwrap();
    for (pk, created_at) in [("stray", text_number("1.5")), ("other", number(tests::NOW + 1))] {
        let stray = update().key("pk", text(pk)).key("sk", text("about")).update_expression("SET #o = :o, created_at = :at");
        let stray = stray.expression_attribute_names("#o", "owner").expression_attribute_values(":o", text("service:gone"));
        stray.expression_attribute_values(":at", created_at).send().await.unwrap();
    }
    let (mut revoked, mut failed, mut cursor) = (Vec::new(), Vec::new(), None::<String>);
    loop {
        let mut query = vec![("limit", "1")];
        query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
        let (status, page) = revoke(&stack, &query).await;
        assert_eq!(status, 200, "{page}");
        revoked.extend(ids(&page, "revoked"));
        failed.extend(ids(&page, "failed"));
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = Some(next.to_owned());
    }
    assert_eq!(revoked, [&all[2], &all[1], &all[0]].map(|key| key.id.clone()));
    assert_eq!(failed, ["other", "stray"]);
}

fn text_number(digits: &str) -> AttributeValue {
    AttributeValue::N(digits.to_owned())
}

#[tokio::test]
async fn what_was_found_before_a_fault_is_told() {
    let stack = Stack::start().await;
    let all = keys(&stack, 2).await;
    stack.revoke(&all[1].id).await;
    stack.wire.cut_after(1);
    let (status, page) = revoke(&stack, &[]).await;
    stack.wire.mend();
    assert_eq!(status, 200, "{page}");
    assert_eq!((ids(&page, "already_revoked"), ids(&page, "failed")), (vec![all[1].id.clone()], vec![all[0].id.clone()]));
    let (_, rest) = revoke(&stack, &[("cursor", page["next_cursor"].as_str().expect("a cursor"))]).await;
    assert_eq!((ids(&rest, "revoked"), &rest["next_cursor"]), (vec![all[0].id.clone()], &Value::Null));
}

#[tokio::test(start_paused = true)]
async fn a_page_stops_in_time_and_its_cursor_goes_on() {
    let template = stack::template();
    let proxy = Proxy::start(&template).await;
    let (time, mut rng) = (TrueTime::begin(tests::NOW), Rng::with_seed(1));
    let mut start = async |name| Sandbox::start(name, 1, (&proxy, &template), time, &mut rng).await;
    let (issue, manage) = (start("issue").await, start("manage").await);
    for _ in 0..7 {
        let owner = json!({ "type": "service", "id": "gone" });
        let order = json!({ "name": "n", "owner": owner, "environment": "live", "scopes": ["read"] });
        let issued = stack::read(&issue.ask(tests::event::management("POST", "/v1/keys", None, &[], &order.to_string())).await);
        assert_eq!(issued.0, 201);
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    // Each call takes half a second, and each key about six of them.
    proxy.set(Weather::new(Odds::fair(250..=250)));
    let (mut revoked, mut pages, mut cursor) = (0, 0, None::<String>);
    loop {
        let body = json!({ "reason": "r" }).to_string();
        let query: Vec<_> = cursor.as_deref().map(|cursor| ("cursor", cursor)).into_iter().collect();
        let began = tokio::time::Instant::now();
        let event = management_of("POST", REVOKE, &[("type", "service"), ("id", "gone")], &query, &body);
        let (status, page) = stack::read(&manage.ask(event).await);
        assert_eq!((status, &page["failed"]), (200, &json!([])), "{page}");
        assert!(began.elapsed() < Duration::from_secs(13), "{:?}", began.elapsed());
        (revoked, pages) = (revoked + ids(&page, "revoked").len(), pages + 1);
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = Some(next.to_owned());
    }
    assert_eq!(revoked, 7);
    assert!((2..=4).contains(&pages), "{pages}");
}

#[tokio::test]
async fn bad_requests_revoke_nothing() {
    let stack = Stack::start().await;
    let key = &keys(&stack, 1).await[0];
    let good = json!({ "reason": "r" });
    for (kind, id, query, body, field) in [
        ("team", "gone", vec![], &good, "type"),
        ("service", "", vec![], &good, "id"),
        ("service", "gone", vec![("limit", "0")], &good, "limit"),
        ("service", "gone", vec![("limit", "101")], &good, "limit"),
        ("service", "gone", vec![("cursor", "x")], &good, "cursor"),
        ("service", "gone", vec![("all", "true")], &good, "all"),
        ("service", "gone", vec![], &json!({}), "reason"),
        ("service", "gone", vec![], &json!({ "reason": "r", "limit": 1 }), "limit"),
    ] {
        let event = management_of("POST", REVOKE, &[("type", kind), ("id", id)], &query, &body.to_string());
        let (status, problem) = stack.send(event).await;
        assert_eq!((status, &problem["field"]), (400, &json!(field)), "{problem}");
    }
    assert_eq!(stack.record(&key.id).await.version, 1);
}

#[tokio::test]
async fn an_owner_is_the_same_however_a_client_writes_its_path() {
    let stack = Stack::start().await;
    let resource = "/v1/owners/{type}/{id}/limits";
    let body = json!({ "limits": [{ "requests": 5, "per": "day" }] }).to_string();
    for (id, paths) in [
        ("ann@example.com", &["ann@example.com", "ann%40example.com", "%61nn%40example.com"][..]),
        ("50%off", &["50%25off", "50%off"]),
        ("%40", &["%2540"]),
        ("a/b", &["a%2Fb", "a%2fb"]),
    ] {
        for path in paths {
            let event = management_of("PUT", resource, &[("type", "user"), ("id", path)], &[], &body);
            let (status, answer) = stack.send(event.clone()).await;
            assert_eq!((status / 100, &answer["owner"]["id"]), (2, &json!(id)), "{path}");
            // An HTTP API has decoded it, and nothing may decode it again.
            let mut event = as_http_api(&event);
            event["pathParameters"]["id"] = json!(id);
            let (status, answer) = stack.send(event).await;
            assert_eq!((status, &answer["owner"]["id"]), (200, &json!(id)), "{path}");
        }
    }
    let event = management_of("PUT", resource, &[("type", "user"), ("id", "%FF")], &[], &body);
    let (status, answer) = stack.send(event).await;
    assert_eq!((status, &answer["code"], &answer["field"]), (400, &json!("invalid_field"), &json!("id")), "no text at all");
}
