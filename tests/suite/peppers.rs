//! Promise 7 where peppers are concerned: a pepper that isn't the right one makes nobody "unknown".

use serde_json::json;
use tests::{Answer, Stack};

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
