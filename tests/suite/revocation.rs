//! Promise 4: the first request that begins after revoke returns is refused, on every instance, warm or not.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};
use tests::{Answer, Stack};

#[tokio::test]
async fn revoking_takes_effect_on_the_next_request_of_every_instance() {
    let stack = Stack::start().await;
    let key = stack.issue(json!({})).await;
    let warm = [stack.instance().await, stack.instance().await, stack.instance().await];
    for instance in &warm {
        assert_eq!(instance.get(&key.secret).await, Answer::Allowed);
    }
    let (status, revoked) = stack.revoke(&key.id).await;
    assert_eq!((status, &revoked["status"]), (200, &json!("revoked")));
    for instance in warm.iter().chain([&stack.instance().await]) {
        assert_eq!(instance.get(&key.secret).await, Answer::Unauthorized);
    }
    assert_eq!(stack.record(&key.id).await.counters.total, 3);
}

#[tokio::test]
async fn every_secret_of_a_revoked_key_is_refused_and_none_can_be_added() {
    let stack = Stack::start().await;
    let key = stack.issue(json!({})).await;
    let (_, rotated) = stack.rotate(&key.id, &json!({})).await;
    stack.revoke(&key.id).await;
    let instance = stack.instance().await;
    for secret in [key.secret.as_str(), rotated["secret"].as_str().unwrap()] {
        assert_eq!(instance.get(secret).await, Answer::Unauthorized);
    }
    for (method, resource, body) in [
        ("POST", "/v1/keys/{id}/rotate", json!({})),
        ("POST", "/v1/keys/{id}/enable", json!({})),
        ("POST", "/v1/keys/{id}/disable", json!({})),
        ("PATCH", "/v1/keys/{id}", json!({ "name": "back" })),
    ] {
        let (status, problem) = stack.manage(method, resource, Some(&key.id), &body).await;
        assert_eq!((status, &problem["code"]), (409, &json!("key_revoked")), "{method} {resource}");
    }
    let audited = stack.changes().await.into_iter();
    let changes =
        audited.filter(|item| matches!(item["action"].as_s().unwrap().as_str(), "enable" | "disable" | "update" | "rotate"));
    // Its intent and its outcome.
    assert_eq!(changes.count(), 2, "the rotation before; nothing is stored of what can't be");
}

#[tokio::test]
async fn revoking_twice_is_fine_and_keeps_the_first_reason() {
    let stack = Stack::start().await;
    let key = stack.issue(json!({})).await;
    let (_, first) = stack.revoke(&key.id).await;
    stack.clock.advance(100);
    let again = json!({ "reason": "another" });
    let (status, second) = stack.manage("POST", "/v1/keys/{id}/revoke", Some(&key.id), &again).await;
    assert_eq!(status, 200);
    assert_eq!(second["revocation"], first["revocation"]);
}

#[tokio::test]
async fn disabling_refuses_at_once_and_enabling_allows_within_a_second() {
    let stack = Stack::start().await;
    let key = stack.issue(json!({})).await;
    let instance = stack.instance().await;
    assert_eq!(instance.get(&key.secret).await, Answer::Allowed);
    assert_eq!(stack.manage("POST", "/v1/keys/{id}/disable", Some(&key.id), &Value::Null).await.0, 200);
    assert_eq!(instance.get(&key.secret).await, Answer::Unauthorized);
    assert_eq!(stack.manage("POST", "/v1/keys/{id}/enable", Some(&key.id), &Value::Null).await.0, 200);
    stack.clock.advance(1);
    assert_eq!(instance.get(&key.secret).await, Answer::Allowed);
}

/// Uses of a hot key never hold up its revocation, and none that begins after it is let in.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hot_key_is_revoked_under_load() {
    let stack = Arc::new(Stack::start().await);
    let key = stack.issue(json!({})).await;
    let revoked = Arc::new(AtomicBool::new(false));
    let mut tasks = Vec::new();
    for _ in 0..16 {
        let (instance, secret, revoked) = (stack.instance().await, key.secret.clone(), revoked.clone());
        tasks.push(tokio::spawn(async move {
            let mut allowed = 0;
            for _ in 0..2000 {
                let began_after = revoked.load(Ordering::SeqCst);
                match instance.get(&secret).await {
                    Answer::Allowed => allowed += 1,
                    Answer::Unauthorized => return allowed,
                    other => panic!("{other:?}"),
                }
                assert!(!began_after, "let in after the revocation had returned");
            }
            panic!("never refused");
        }));
    }
    while stack.record(&key.id).await.counters.total < 50 {
        tokio::task::yield_now().await;
    }
    assert_eq!(stack.revoke(&key.id).await.0, 200);
    revoked.store(true, Ordering::SeqCst);
    let mut allowed = 0;
    for task in tasks {
        allowed += task.await.unwrap();
    }
    assert_eq!(stack.record(&key.id).await.counters.total, allowed, "counted = allowed");
}

/// DynamoDB removes a key's items one by one, days after its end and in any order.
#[tokio::test]
async fn a_key_of_which_ttl_has_left_only_the_hot_item_is_gone_for_management_and_refused() {
    let stack = Stack::start().await;
    let end = stack.clock.now().plus(100).to_string();
    let (expired, revoked) = (stack.issue(json!({ "expires_at": end })).await, stack.issue(json!({})).await);
    stack.revoke(&revoked.id).await;
    for key in [&expired, &revoked] {
        let table = stack.table("KeysTable");
        let remove = stack.engine.dynamodb().delete_item().table_name(&table);
        let remove = remove.key("pk", AttributeValue::S(key.id.clone())).key("sk", AttributeValue::S("about".to_owned()));
        remove.send().await.unwrap();
    }
    // Before then, that is damage, which isn't hidden.
    let (status, problem) = stack.revoke(&revoked.id).await;
    assert_eq!((status, &problem["code"]), (503, &json!("internal")));
    stack.clock.advance(91 * 86_400);
    for key in [&expired, &revoked] {
        for action in ["revoke", "enable", "rotate"] {
            let resource = format!("/v1/keys/{{id}}/{action}");
            let body = if action == "revoke" { json!({ "reason": "late" }) } else { json!({}) };
            let (status, problem) = stack.manage("POST", &resource, Some(&key.id), &body).await;
            assert_eq!((status, &problem["code"]), (404, &json!("no_such_key")), "{action}");
        }
        assert_eq!(stack.show(&key.id).await["code"], "no_such_key");
        assert_eq!(stack.instance().await.get(&key.secret).await, Answer::Unauthorized);
    }
}
