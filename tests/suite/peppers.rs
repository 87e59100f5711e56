//! Promise 7 where peppers are concerned: a pepper that isn't the right one makes nobody "unknown".

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::json;
use tests::{Answer, Stack, runbook::forget_fingerprint};

async fn replace(stack: &Stack, secret: serde_json::Value) {
    let put = stack.engine.secrets().put_secret_value().secret_id(stack.pepper_secret());
    put.secret_string(secret.to_string()).send().await.unwrap();
}

async fn current(stack: &Stack) -> serde_json::Value {
    let answer = stack.engine.secrets().get_secret_value().secret_id(stack.pepper_secret()).send().await.unwrap();
    serde_json::from_str(answer.secret_string().unwrap()).unwrap()
}

#[tokio::test]
async fn a_changed_pepper_is_our_fault_and_restoring_it_mends_it() {
    let stack = Stack::start().await;
    let key = stack.issue(json!({})).await;
    let original = current(&stack).await;
    replace(&stack, json!({ "issue_with": "1", "1": "x".repeat(64) })).await;
    assert_eq!(stack.instance().await.get(&key.secret).await, Answer::Fault);
    replace(&stack, original).await;
    assert_eq!(stack.instance().await.get(&key.secret).await, Answer::Allowed);
}

#[tokio::test]
async fn a_missing_pepper_is_our_fault() {
    let stack = Stack::start().await;
    let key = stack.issue(json!({})).await;
    replace(&stack, json!({ "issue_with": "2", "2": "y".repeat(64) })).await;
    assert_eq!(stack.instance().await.get(&key.secret).await, Answer::Fault);
}

#[tokio::test]
async fn instances_answer_unknown_only_with_peppers_that_are_fresh() {
    let stack = Stack::start().await;
    let key = stack.issue(json!({})).await;
    let instance = stack.instance().await;
    assert_eq!(instance.get(&key.secret).await, Answer::Allowed);
    stack.clock.advance(301);
    replace(&stack, json!({ "issue_with": "1", "1": "x".repeat(64) })).await;
    assert_eq!(instance.get("mbk_live_0123456789abcdefghijklmnopqrstuv").await, Answer::Fault);
    assert_eq!(instance.get(&key.secret).await, Answer::Allowed, "what was proven stays proven");
}

#[tokio::test]
async fn a_second_pepper_is_tried_too_and_used_once_every_instance_knows_it() {
    let stack = Stack::start().await;
    let old = stack.issue(json!({})).await;
    let warm = stack.instance().await;
    let mut peppers = current(&stack).await;
    peppers["2"] = json!("z".repeat(64));
    peppers["issue_with"] = json!("2");
    replace(&stack, peppers).await;
    stack.clock.advance(301);
    let first = stack.issue(json!({})).await;
    assert_eq!(warm.get(&first.secret).await, Answer::Allowed, "issued under the pepper that everybody knows");
    stack.clock.advance(601);
    let second = stack.issue(json!({})).await;
    let cold = stack.instance().await;
    for secret in [&old.secret, &first.secret, &second.secret] {
        assert_eq!(warm.get(secret).await, Answer::Allowed);
        assert_eq!(cold.get(secret).await, Answer::Allowed);
    }
    let items = stack.scan("KeysTable").await;
    let recorded = items.iter().find(|item| item["pk"].as_s().unwrap() == "pepper").unwrap();
    assert!(recorded.contains_key("p1") && recorded.contains_key("p2"));
}

#[tokio::test]
async fn a_hash_that_is_not_the_secrets_own_is_our_fault() {
    let stack = Stack::start().await;
    let (one, other) = (stack.issue(json!({})).await, stack.issue(json!({})).await);
    let items = stack.scan("KeysTable").await;
    let alias =
        |id: &str| items.iter().find(|item| item.get("key").is_some_and(|key| key.as_s().unwrap() == id)).unwrap().clone();
    let mut tampered = alias(&one.id);
    tampered.insert("hash".to_owned(), alias(&other.id)["hash"].clone());
    stack.engine.dynamodb().put_item().table_name(stack.table("KeysTable")).set_item(Some(tampered)).send().await.unwrap();
    assert_eq!(stack.instance().await.get(&one.secret).await, Answer::Fault);
}

/// The first step of `docs/runbooks/pepper.md`: adds a pepper and names it the current one.
async fn add(stack: &Stack, number: &str, letter: &str) {
    let mut peppers = current(stack).await;
    peppers[number] = json!(letter.repeat(64));
    peppers["issue_with"] = json!(number);
    replace(stack, peppers).await;
}

/// The same, until secrets may depend on it: whoever issues first makes it known.
async fn introduce(stack: &Stack) {
    add(stack, "2", "z").await;
    stack.clock.advance(301);
    stack.issue(json!({})).await;
    stack.clock.advance(601);
}

/// The second step: gives up a pepper, first its fingerprint and then itself.
async fn give_up(stack: &Stack, number: u64) {
    forget_fingerprint(&stack.engine.dynamodb(), &stack.table("KeysTable"), number).await;
    let mut peppers = current(stack).await;
    peppers.as_object_mut().unwrap().remove(&number.to_string());
    replace(stack, peppers).await;
}

/// The aliases of a key.
async fn aliases(stack: &Stack, id: &str) -> Vec<HashMap<String, AttributeValue>> {
    let mut items = stack.scan("KeysTable").await;
    items.retain(|item| item["sk"].as_s().unwrap() == "alias" && item["key"].as_s().unwrap() == id);
    items
}

/// The peppers that the about item of a key has digests of, of all secrets, as `p1`.
async fn noted(stack: &Stack, id: &str) -> Vec<String> {
    let items = stack.scan("KeysTable").await;
    let about = items.iter().find(|item| item["pk"].as_s().unwrap() == id && item["sk"].as_s().unwrap() == "about").unwrap();
    let notes = about["secrets"].as_m().unwrap().values().flat_map(|note| note.as_m().unwrap().keys().cloned());
    let mut noted: Vec<_> = notes.filter(|name| name.starts_with('p')).collect();
    noted.sort();
    noted
}

#[tokio::test]
async fn an_old_pepper_can_be_given_up_once_every_secret_was_used_under_the_new_one() {
    let stack = Stack::start().await;
    let (used, unused) = (stack.issue(json!({})).await, stack.issue(json!({})).await);
    let warm = stack.instance().await;
    assert_eq!(warm.get(&used.secret).await, Answer::Allowed);
    add(&stack, "2", "z").await;
    stack.clock.advance(301);
    // Whoever issues first makes the new pepper known.
    let between = stack.issue(json!({})).await;
    stack.clock.advance(601);
    let after = stack.issue(json!({})).await;
    let instance = stack.instance().await;
    for key in [&used, &between, &after] {
        assert_eq!(instance.get(&key.secret).await, Answer::Allowed);
    }
    instance.settle().await;
    for (key, peppers) in [(&used, &["p1", "p2"][..]), (&between, &["p1", "p2"]), (&unused, &["p1"]), (&after, &["p2"])] {
        assert_eq!(noted(&stack, &key.id).await, peppers);
        assert_eq!(aliases(&stack, &key.id).await.len(), peppers.len());
    }
    give_up(&stack, 1).await;
    stack.clock.advance(301);
    let cold = stack.instance().await;
    for key in [&used, &between, &after] {
        for instance in [&warm, &instance, &cold] {
            assert_eq!(instance.get(&key.secret).await, Answer::Allowed);
        }
    }
    assert_eq!(cold.get(&unused.secret).await, Answer::Unauthorized, "what docs/runbooks/pepper.md warns of");
    assert_eq!(stack.rotate(&unused.id, &json!({})).await.0, 200, "and how it is mended");
}

#[tokio::test]
async fn no_secret_depends_on_a_pepper_before_every_instance_knows_it() {
    let stack = Stack::start().await;
    let key = stack.issue(json!({})).await;
    add(&stack, "2", "z").await;
    let instance = stack.instance().await;
    for (wait, expected) in [(0, 1), (700, 1), (0, 1)] {
        stack.clock.advance(wait);
        assert_eq!(instance.get(&key.secret).await, Answer::Allowed);
        instance.settle().await;
        assert_eq!(aliases(&stack, &key.id).await.len(), expected, "nobody has recorded it");
    }
    stack.issue(json!({})).await;
    for (wait, expected) in [(301, 1), (301, 2)] {
        stack.clock.advance(wait);
        assert_eq!(instance.get(&key.secret).await, Answer::Allowed);
        instance.settle().await;
        assert_eq!(aliases(&stack, &key.id).await.len(), expected, "recorded for {wait} s more");
    }
}

#[tokio::test]
async fn a_second_alias_is_made_once_and_never_in_the_way_of_an_answer() {
    let stack = Stack::start().await;
    let key = stack.issue(json!({})).await;
    introduce(&stack).await;
    let instance = stack.instance().await;
    let uses = async || {
        let _ = instance.wire.take();
        assert_eq!(instance.get(&key.secret).await, Answer::Allowed);
        let awaited = instance.wire.take().len();
        instance.settle().await;
        (awaited, instance.wire.take().len())
    };
    assert_eq!(uses().await, (4, 4), "two aliases looked for, the record, the use; then alias, note, alias, record");
    assert_eq!(uses().await, (1, 0));
    stack.clock.advance(301);
    assert_eq!(uses().await, (1, 0));
    // An instance that finds it under the new one has nothing to do.
    let other = stack.instance().await;
    assert_eq!(other.get(&key.secret).await, Answer::Allowed);
    other.settle().await;
    assert_eq!(other.wire.take(), ["GetItem", "GetItem", "UpdateItem"]);
}

#[tokio::test]
async fn every_alias_of_a_secret_ends_with_it() {
    for end in ["revoke", "rotate", "rotate twice"] {
        let stack = Stack::start().await;
        let key = stack.issue(json!({})).await;
        introduce(&stack).await;
        let instance = stack.instance().await;
        assert_eq!(instance.get(&key.secret).await, Answer::Allowed);
        instance.settle().await;
        let old: Vec<_> = aliases(&stack, &key.id).await.iter().map(|alias| alias["pk"].clone()).collect();
        assert_eq!(old.len(), 2);
        match end {
            "revoke" => assert_eq!(stack.revoke(&key.id).await.0, 200),
            _ => {
                for _ in 0..end.split(' ').count() {
                    assert_eq!(stack.rotate(&key.id, &json!({ "grace_seconds": 0, "force": true })).await.0, 200);
                }
            }
        }
        let left = aliases(&stack, &key.id).await;
        assert!(left.iter().filter(|alias| old.contains(&alias["pk"])).all(|alias| alias.contains_key("ttl")), "{end}: {left:?}");
        let endless = left.iter().filter(|alias| !alias.contains_key("ttl")).count();
        assert_eq!(endless, usize::from(end != "revoke"), "{end}: {left:?}");
        assert_eq!(stack.instance().await.get(&key.secret).await, Answer::Unauthorized, "{end}");
    }
}

/// However far the work after the answer has come when the secret ends, no alias of it stays for ever.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_alias_that_is_made_while_its_secret_ends_ends_as_well() {
    for done in 0..4 {
        for end in ["revoke", "rotate"] {
            let stack = Stack::start().await;
            let key = stack.issue(json!({})).await;
            introduce(&stack).await;
            let instance = stack.instance().await;
            instance.wire.hold_after(4 + done);
            assert_eq!(instance.get(&key.secret).await, Answer::Allowed);
            instance.wire.holds().await;
            match end {
                "revoke" => assert_eq!(stack.revoke(&key.id).await.0, 200),
                _ => assert_eq!(stack.rotate(&key.id, &json!({ "grace_seconds": 0, "force": true })).await.0, 200),
            }
            instance.wire.mend();
            instance.settle().await;
            let live = usize::from(end == "rotate");
            let endless = aliases(&stack, &key.id).await.iter().filter(|alias| !alias.contains_key("ttl")).count();
            assert_eq!(endless, live, "{end} after {done} calls");
        }
    }
}

/// The same if the instance dies there. What is noted is found by whatever ends the secret.
#[tokio::test]
async fn an_alias_that_was_made_before_its_instance_died_ends_with_its_secret() {
    for done in 0..4 {
        let stack = Stack::start().await;
        let key = stack.issue(json!({})).await;
        introduce(&stack).await;
        let instance = stack.instance().await;
        instance.wire.cut_after(4 + done);
        assert_eq!(instance.get(&key.secret).await, Answer::Allowed);
        instance.settle().await;
        assert_eq!(stack.revoke(&key.id).await.0, 200);
        let endless = aliases(&stack, &key.id).await.iter().filter(|alias| !alias.contains_key("ttl")).count();
        assert_eq!(endless, 0, "{done} calls");
    }
}
