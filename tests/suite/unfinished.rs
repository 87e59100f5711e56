//! Changes broken off after each of their calls: the key works or is refused as it should, and repeating finishes.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};
use tests::{Answer, Stack, stack::issued};

/// More calls than any change makes.
const MOST_CALLS: usize = 12;

async fn audit(stack: &Stack, action: &str) -> (usize, usize) {
    let items = stack.changes().await;
    let of = |suffix: &str| {
        items
            .iter()
            .filter(|item| item["action"].as_s().unwrap() == action && item["sk"].as_s().unwrap().ends_with(suffix))
            .count()
    };
    (of("#intent"), of("#outcome"))
}

#[tokio::test]
async fn issuing_stores_all_of_a_key_or_nothing() {
    let stack = Stack::start().await;
    let order = json!({ "name": "n", "owner": { "type": "user", "id": "1" }, "environment": "live", "scopes": ["read"] });
    let (mut refused, mut whole) = (0, 0);
    // The first ones also ask for the peppers.
    for calls in (0..MOST_CALLS).chain(0..MOST_CALLS) {
        // A failed fetch of the peppers is remembered for a moment.
        stack.clock.advance(10);
        let before = stack.scan("KeysTable").await.iter().filter(|item| item["pk"].as_s().unwrap() != "pepper").count();
        stack.wire.cut_after(calls);
        let answer = stack.order(order.clone()).await;
        stack.wire.mend();
        let after = stack.scan("KeysTable").await.iter().filter(|item| item["pk"].as_s().unwrap() != "pepper").count();
        match answer {
            Ok(_) => assert_eq!(after, before + 3, "hot item, about item, alias"),
            // Either nothing, or a whole key whose answer nobody got.
            Err(_) => {
                refused += 1;
                whole += usize::from(after == before + 3);
                assert!([before, before + 3].contains(&after), "cut after {calls} calls");
            }
        }
        let (intents, outcomes) = audit(&stack, "issue").await;
        let keys = stack.scan("KeysTable").await.iter().filter(|item| is(item, "sk", "key")).count();
        assert!(intents >= keys && keys >= outcomes, "{intents} intents, {keys} keys, {outcomes} outcomes");
    }
    assert_eq!(whole, 1, "the outcome is the last call");
    assert!((4..MOST_CALLS).contains(&refused), "{refused}");
    let instance = stack.instance().await;
    let issued = issued(&stack.order(order).await.unwrap());
    assert_eq!(instance.get(&issued.secret).await, Answer::Allowed, "repeating gives a key that works");
}

#[tokio::test]
async fn a_rotation_that_breaks_off_leaves_the_old_secret_and_repeating_it_gives_a_new_one() {
    let stack = Stack::start().await;
    let mut broken = 0;
    for calls in 0..MOST_CALLS {
        let key = stack.issue(json!({})).await;
        let instance = stack.instance().await;
        assert_eq!(instance.get(&key.secret).await, Answer::Allowed);
        stack.wire.cut_after(calls);
        let (status, _) = stack.rotate(&key.id, &json!({})).await;
        stack.wire.mend();
        broken += usize::from(status != 200);
        assert!(status == 200 || status == 503, "cut after {calls} calls: {status}");
        assert_eq!(instance.get(&key.secret).await, Answer::Allowed, "cut after {calls} calls");

        let (status, again) = stack.rotate(&key.id, &json!({})).await;
        assert_eq!(status, 200, "{again}");
        let again = issued(&again);
        for secret in [&key.secret, &again.secret] {
            assert_eq!(instance.get(secret).await, Answer::Allowed, "cut after {calls} calls, and repeated");
        }
        let shown = stack.show(&key.id).await;
        assert!(shown["generations"].as_array().unwrap().iter().all(|generation| generation["hint"].is_string()), "{shown}");
        let aliases: Vec<_> = stack.scan("KeysTable").await.into_iter().filter(|item| is(item, "key", &key.id)).collect();
        let endless = aliases.iter().filter(|alias| !alias.contains_key("ttl")).count();
        assert_eq!(endless, 1, "only the newest secret's alias has no end, whatever broke off: cut after {calls} calls");
    }
    assert!((3..MOST_CALLS).contains(&broken), "{broken}");
    let (intents, outcomes) = audit(&stack, "rotate").await;
    assert!(intents > outcomes && outcomes >= MOST_CALLS, "what broke off shows as an intent without an outcome");
}

#[tokio::test]
async fn a_rotation_whose_answers_are_lost_is_never_said_to_have_changed_nothing() {
    let stack = Stack::start().await;
    // Record, about, intent, note, alias: the sixth call of a rotation is its commit.
    let commit = 5;
    for lost in 0..MOST_CALLS {
        let key = stack.issue(json!({})).await;
        // The first rotation ever also asks for the peppers.
        stack.rotate(&stack.issue(json!({})).await.id, &json!({})).await;
        let _ = stack.wire.take();
        stack.wire.lose_replies(lost..lost + 1);
        let (status, answer) = stack.rotate(&key.id, &json!({})).await;
        stack.wire.mend();
        let rotated = stack.record(&key.id).await.newest() == 2;
        match status {
            200 => assert!(rotated, "{answer}"),
            503 => {}
            _ => panic!("answer {lost} was lost: {answer}"),
        }
        if lost == commit {
            assert_eq!((status, &stack.wire.take()[5..7]), (200, ["UpdateItem".to_owned(), "UpdateItem".to_owned()].as_slice()));
        }
        let instance = stack.instance().await;
        assert_eq!(instance.get(&key.secret).await, Answer::Allowed);
        let again = issued(&stack.rotate(&key.id, &json!({})).await.1);
        assert_eq!(instance.get(&again.secret).await, Answer::Allowed);
    }
}

#[tokio::test]
async fn a_key_whose_life_was_extended_keeps_all_that_is_known_of_it() {
    let stack = Stack::start().await;
    for calls in 0..MOST_CALLS {
        let key = stack.issue(json!({ "expires_at": "2028-01-01T00:00:00Z" })).await;
        stack.wire.cut_after(calls);
        stack.update(&key.id, &json!({ "expires_at": null })).await;
        stack.wire.mend();
        let items: Vec<_> = stack.scan("KeysTable").await.into_iter().filter(|item| is(item, "pk", &key.id)).collect();
        let endless = |sort: &str| items.iter().any(|item| is(item, "sk", sort) && !item.contains_key("ttl"));
        assert!(!endless("key") || endless("about"), "cut after {calls} calls: the key lives on and what is known of it ends");
    }
}

#[tokio::test]
async fn of_updates_at_once_each_that_was_answered_is_there() {
    let stack = std::sync::Arc::new(Stack::start().await);
    let key = stack.issue(json!({})).await;
    let update = |n: u64| {
        let (stack, id) = (stack.clone(), key.id.clone());
        // Metadata is not part of the record: equal records must not be taken for one change.
        tokio::spawn(async move { stack.update(&id, &json!({ "metadata": { "n": n } })).await })
    };
    let tasks: Vec<_> = (0..12).map(update).collect();
    let mut answered = Vec::new();
    for task in tasks {
        let (status, answer) = task.await.unwrap();
        assert!(status == 200 || answer["code"] == "changed_meanwhile", "{answer}");
        answered.extend((status == 200).then_some(answer));
    }
    answered.sort_by_key(|answer| answer["version"].as_u64());
    let versions: Vec<_> = answered.iter().map(|answer| answer["version"].as_u64().unwrap()).collect();
    assert_eq!(versions, (2..2 + u64::try_from(answered.len()).unwrap()).collect::<Vec<_>>(), "a version each");
    assert_eq!(stack.show(&key.id).await["metadata"], answered.last().unwrap()["metadata"], "and the last one stays");
}

#[tokio::test]
async fn an_update_that_breaks_off_is_finished_by_repeating_it() {
    let stack = Stack::start().await;
    let change = json!({ "name": "renamed", "scopes": ["delete"], "metadata": { "team": "red" }, "rotate_every_days": 30 });
    let mut broken = 0;
    for calls in 0..MOST_CALLS {
        let key = stack.issue(json!({ "owner": { "type": "user", "id": format!("cut-{calls}") } })).await;
        stack.wire.cut_after(calls);
        let (status, _) = stack.update(&key.id, &change).await;
        stack.wire.mend();
        broken += usize::from(status != 200);
        let answer = stack.instance().await.get(&key.secret).await;
        assert!(matches!(answer, Answer::Allowed | Answer::Denied(_)), "either policy, whole: {answer:?}");

        let (status, _) = stack.update(&key.id, &change).await;
        assert_eq!(status, 200);
        let shown = stack.show(&key.id).await;
        for field in ["name", "scopes", "metadata", "rotate_every_days"] {
            assert_eq!(shown[field], change[field], "cut after {calls} calls, and repeated");
        }
        let owner = format!("cut-{calls}");
        let query = [("owner_type", "user"), ("owner_id", owner.as_str())];
        let (_, list) = stack.send(tests::event::management("GET", "/v1/keys", None, &query, "")).await;
        assert_eq!(list["keys"][0]["name"], "renamed", "lists follow");
    }
    assert!((3..MOST_CALLS).contains(&broken), "{broken}");
}

#[tokio::test]
async fn a_revocation_that_breaks_off_is_finished_by_repeating_it() {
    let stack = Stack::start().await;
    let mut broken = 0;
    for calls in 0..MOST_CALLS {
        let key = stack.issue(json!({})).await;
        let instance = stack.instance().await;
        assert_eq!(instance.get(&key.secret).await, Answer::Allowed);
        stack.wire.cut_after(calls);
        let (status, _) = stack.revoke(&key.id).await;
        stack.wire.mend();
        broken += usize::from(status != 200);
        let committed = stack.record(&key.id).await.status.as_str() == "revoked";
        let expected = if committed { Answer::Unauthorized } else { Answer::Allowed };
        assert_eq!(instance.get(&key.secret).await, expected, "cut after {calls} calls");

        let (status, revoked) = stack.revoke(&key.id).await;
        assert_eq!((status, &revoked["status"]), (200, &json!("revoked")));
        assert_eq!(instance.get(&key.secret).await, Answer::Unauthorized);
        let kept: Vec<_> = stack.scan("KeysTable").await.into_iter().filter(|item| mentions(item, &key.id)).collect();
        assert_eq!(kept.len(), 3);
        assert!(kept.iter().all(|item| item.contains_key("ttl")), "hot item, about item and alias all have their end");
    }
    assert!((3..MOST_CALLS).contains(&broken), "{broken}");
}

fn mentions(item: &HashMap<String, AttributeValue>, id: &str) -> bool {
    is(item, "pk", id) || is(item, "key", id)
}

fn is(item: &HashMap<String, AttributeValue>, name: &str, text: &str) -> bool {
    item.get(name).and_then(|value| value.as_s().ok()).is_some_and(|found| found == text)
}

#[tokio::test]
async fn every_finished_change_has_its_intent_and_its_outcome() {
    let stack = Stack::start().await;
    let key = stack.issue(json!({})).await;
    stack.rotate(&key.id, &json!({})).await;
    stack.update(&key.id, &json!({ "name": "renamed" })).await;
    stack.manage("POST", "/v1/keys/{id}/disable", Some(&key.id), &Value::Null).await;
    stack.manage("POST", "/v1/keys/{id}/enable", Some(&key.id), &Value::Null).await;
    stack.revoke(&key.id).await;
    for action in ["issue", "rotate", "update", "disable", "enable", "revoke"] {
        assert_eq!(audit(&stack, action).await, (1, 1), "{action}");
    }
    for item in stack.changes().await {
        assert!(item["pk"].as_s().unwrap().starts_with("management#2027-01-15"));
        assert_eq!(item["key"].as_s().unwrap(), &key.id);
        assert!(item.contains_key("actor") && item.contains_key("ttl"));
    }
}
