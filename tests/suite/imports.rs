//! `POST /v1/keys/import`: a secret from elsewhere works as it is, if the stack accepts its kind; everything else stays malformed.

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};
use tests::{
    Answer, Stack,
    event::{management, management_of, with_header},
};

/// 40 characters.
const SECRET: &str = "acme_9f8b7c6d5e4f3a2b1c0d9e8f7a6b5c4d3e2";

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

async fn accepting(prefixes: &str) -> Stack {
    Stack::start_with(&[("ImportPrefixes", prefixes)]).await
}

fn order(secret: &str) -> Value {
    json!({
        "name": "from elsewhere", "owner": { "type": "user", "id": "1" }, "environment": "live", "scopes": ["read"],
        "secret": secret,
    })
}

async fn import(stack: &Stack, body: &Value) -> (u16, Value) {
    stack.send(management("POST", "/v1/keys/import", None, &[], &body.to_string())).await
}

#[tokio::test]
async fn an_imported_secret_works_on_every_instance_within_60_s() {
    let stack = accepting("acme_,old-").await;
    let (sees, blind) = (stack.instance().await, stack.instance().await);
    assert_eq!(sees.get(SECRET).await, Answer::Unauthorized, "before");
    let (status, imported) = import(&stack, &order(SECRET)).await;
    assert_eq!(status, 201, "{imported}");
    assert_eq!(imported.get("secret"), None, "whoever sent it has it");
    assert_eq!(imported["generations"][0]["hint"], "acme_9f8b…");
    assert_eq!(blind.get(SECRET).await, Answer::Allowed);
    assert_eq!(sees.get(SECRET).await, Answer::Unauthorized, "it is remembered as unknown");
    stack.clock.advance(60);
    assert_eq!(sees.get(SECRET).await, Answer::Allowed);
}

#[tokio::test]
async fn an_imported_key_is_a_key_like_any_other() {
    let stack = accepting("acme_").await;
    let mut order = order(SECRET);
    order["limits"] = json!([{ "requests": 2, "per": "minute" }]);
    let (_, imported) = import(&stack, &order).await;
    let id = imported["id"].as_str().unwrap();
    let instance = stack.instance().await;
    for expected in [Answer::Allowed, Answer::Allowed, Answer::Limited] {
        assert_eq!(instance.get(SECRET).await, expected);
    }
    stack.clock.advance(60);
    let (status, rotated) = stack.rotate(id, &json!({ "grace_seconds": 100 })).await;
    let new = rotated["secret"].as_str().unwrap();
    assert!(status == 200 && new.starts_with("mbk_live_"), "{rotated}");
    assert_eq!((instance.get(SECRET).await, instance.get(new).await), (Answer::Allowed, Answer::Allowed));
    stack.clock.advance(100);
    assert_eq!((instance.get(SECRET).await, instance.get(new).await), (Answer::Unauthorized, Answer::Allowed));
    assert_eq!(stack.revoke(id).await.0, 200);
    assert_eq!(instance.get(new).await, Answer::Unauthorized);
    let actions: Vec<_> = stack.changes().await.iter().map(|change| change["action"].as_s().unwrap().clone()).collect();
    assert!(actions.contains(&"import".to_owned()), "{actions:?}");
}

#[tokio::test]
async fn what_is_not_accepted_stays_malformed_and_costs_nothing() {
    let stack = accepting("old-").await;
    let instance = stack.instance().await;
    for malformed in [SECRET, "old-0123456789abcde", &format!("old-{}", "x".repeat(69)), "old- with a space 0123456789"] {
        let _ = stack.lines.take();
        assert_eq!(instance.get(malformed).await, Answer::Unauthorized);
        assert_eq!(stack.lines.only()["outcome"], "malformed_key", "{malformed}");
    }
    assert_eq!(instance.wire.take(), Vec::<String>::new());
    let _ = stack.lines.take();
    assert_eq!(instance.get("old-0123456789abcdef").await, Answer::Unauthorized);
    assert_eq!(stack.lines.only()["outcome"], "unknown_key");
}

#[tokio::test]
async fn secrets_that_cannot_be_imported_are_refused_each_with_its_reason() {
    let stack = accepting("acme_").await;
    for (secret, reason) in [
        (json!(format!("acme_{}", "x".repeat(15))), "at least 16 bytes"),
        (json!(format!("acme_{}", "x".repeat(68))), "at least 16 bytes"),
        (json!("acme_0123456789 0123456789"), "visible ASCII"),
        (json!("acme_0123456789é0123456789"), "visible ASCII"),
        (json!("other_0123456789abcdef0123"), "acme_"),
        (json!("mbk_live_0123456789abcdefghijklmnopqrstuv"), "acme_"),
        (json!(42), "must be a text"),
        (Value::Null, "must be a text"),
    ] {
        let mut order = order("");
        order["secret"] = secret.clone();
        let (status, problem) = import(&stack, &order).await;
        assert_eq!((status, &problem["code"], &problem["field"]), (400, &json!("invalid_field"), &json!("secret")), "{secret}");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(reason), "{secret}: {detail}");
        assert!(secret.as_str().is_none_or(|secret| !problem.to_string().contains(&secret[10..])), "{problem}");
    }
    for length in [21, 72] {
        let (status, answer) = import(&stack, &order(&format!("acme_{}", "x".repeat(length - 5)))).await;
        assert_eq!(status, 201, "{length} bytes: {answer}");
    }
    let mut without = order("");
    without.as_object_mut().unwrap().remove("secret");
    assert_eq!(import(&stack, &without).await.1["detail"], "is required");
    let nothing = Stack::start().await;
    let (status, problem) = import(&nothing, &order(SECRET)).await;
    assert_eq!((status, problem["detail"].as_str().unwrap().contains("none")), (400, true), "{problem}");
}

#[tokio::test]
async fn a_secret_is_imported_once_however_many_try_at_the_same_moment() {
    let stack = accepting("acme_").await;
    let order = order(SECRET);
    let answers = futures_util::future::join_all((0..8).map(|_| import(&stack, &order))).await;
    let (made, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|(status, _)| *status == 201);
    assert_eq!(made.len(), 1, "{answers:?}");
    let id = made[0].1["id"].as_str().unwrap();
    for (status, problem) in refused {
        assert_eq!((*status, &problem["code"]), (409, &json!("secret_exists")), "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains(id), "{problem}");
    }
    assert_eq!(stack.instance().await.get(SECRET).await, Answer::Allowed);
    // A revoked secret doesn't come back by being imported again.
    stack.revoke(id).await;
    assert_eq!(import(&stack, &order).await.1["code"], "secret_exists");
}

#[tokio::test]
async fn revoking_a_key_again_takes_nothing_from_the_key_that_its_secret_was_imported_to_since() {
    let stack = accepting("acme_").await;
    let (_, first) = import(&stack, &order(SECRET)).await;
    let first = first["id"].as_str().unwrap();
    stack.revoke(first).await;
    // After its end, DynamoDB removes the alias; the rest may be there for days yet.
    stack.clock.advance(91 * 86_400);
    let alias = |items: Vec<std::collections::HashMap<_, _>>| items.into_iter().find(|item| item["sk"] == text("alias"));
    let gone = alias(stack.scan("KeysTable").await).unwrap();
    let remove = stack.engine.dynamodb().delete_item().table_name(stack.table("KeysTable"));
    remove.key("pk", gone["pk"].clone()).key("sk", text("alias")).send().await.unwrap();
    let (status, second) = import(&stack, &order(SECRET)).await;
    assert_eq!(status, 201, "{second}");
    assert_eq!(stack.revoke(first).await.0, 200);
    let kept = alias(stack.scan("KeysTable").await).unwrap();
    assert_eq!((&kept["pk"], kept["key"].clone()), (&gone["pk"], text(second["id"].as_str().unwrap())));
    assert!(!kept.contains_key("ttl"), "{kept:?}");
    assert_eq!(stack.instance().await.get(SECRET).await, Answer::Allowed);
}

#[tokio::test]
async fn an_import_whose_answer_is_lost_is_told_by_the_same_request_or_by_sending_it_again() {
    // Two reads and the intent come before the transaction, and the outcome after it.
    for lost in 0..7 {
        let stack = accepting("acme_").await;
        stack.issue(json!({})).await;
        let _ = stack.wire.take();
        stack.wire.lose_replies(lost..lost + 1);
        let (status, first) = import(&stack, &order(SECRET)).await;
        let made = stack.scan("KeysTable").await.iter().filter(|item| item["sk"].as_s().unwrap() == "key").count() == 2;
        // Without its outcome nothing is said to be done, and sending it again tells.
        let outcome =
            stack.changes().await.iter().any(|change| change["action"] == text("import") && change.contains_key("outcome"));
        assert!(status == 201 || (status == 503 && (!made || outcome)), "call {lost}: {first}, made: {made}");
        stack.wire.mend();
        let (again, second) = import(&stack, &order(SECRET)).await;
        assert_eq!(again, if made { 409 } else { 201 }, "call {lost}: {second}");
        assert_eq!(stack.instance().await.get(SECRET).await, Answer::Allowed, "call {lost}");
    }
}

async fn import_again(stack: &Stack, header: &str, body: &Value) -> (u16, Value) {
    let event = management("POST", "/v1/keys/import", None, &[], &body.to_string());
    stack.send(with_header(event, "Idempotency-Key", &[header])).await
}

#[tokio::test]
async fn an_import_sent_again_with_its_idempotency_key_has_the_same_answer() {
    let stack = accepting("acme_").await;
    let (status, first) = import_again(&stack, "one", &order(SECRET)).await;
    assert_eq!(status, 201, "{first}");
    assert_eq!(import_again(&stack, "one", &order(SECRET)).await, (201, first.clone()));
    let mut renamed = order(SECRET);
    renamed["name"] = json!("another");
    for other in [order("acme_0123456789abcdefghij"), renamed] {
        let (status, problem) = import_again(&stack, "one", &other).await;
        assert_eq!((status, &problem["code"]), (422, &json!("idempotency_key_reused")), "{problem}");
    }
    assert_eq!(import_again(&stack, "two", &order(SECRET)).await.1["code"], "secret_exists");
    assert_eq!(import(&stack, &order(SECRET)).await.1["code"], "secret_exists");
    stack.rotate(first["id"].as_str().unwrap(), &json!({ "grace_seconds": 60 })).await;
    let (status, later) = import_again(&stack, "one", &order(SECRET)).await;
    assert_eq!((status, &later["id"], &later["version"]), (201, &first["id"], &json!(2)), "as it is now");
    // What is remembered has nothing to try guesses at: it is the same of another secret.
    let fingerprint = async |stack: &Stack| {
        let items = stack.scan("KeysTable").await;
        items.iter().find_map(|item| item.get("fingerprint").cloned().filter(|_| item["sk"] == text("request"))).unwrap()
    };
    let other = accepting("acme_").await;
    assert_eq!(import_again(&other, "one", &order("acme_0123456789abcdefghij")).await.0, 201);
    assert_eq!(fingerprint(&stack).await, fingerprint(&other).await);
}

#[tokio::test]
async fn of_one_import_sent_at_once_and_after_every_lost_answer_there_is_one_key_and_one_answer() {
    let stack = accepting("acme_").await;
    let order = order(SECRET);
    let answers = futures_util::future::join_all((0..8).map(|_| import_again(&stack, "one", &order))).await;
    assert!(answers.iter().all(|answer| *answer == answers[0] && answer.0 == 201), "{answers:?}");
    for lost in 0..9 {
        let stack = accepting("acme_").await;
        stack.issue(json!({})).await;
        stack.wire.lose_replies(lost..lost + 1);
        let (first, _) = import_again(&stack, "one", &order).await;
        stack.wire.mend();
        assert!([201, 503].contains(&first), "call {lost}");
        let (status, again) = import_again(&stack, "one", &order).await;
        assert_eq!(status, 201, "call {lost}: {again}");
        assert_eq!(stack.instance().await.get(SECRET).await, Answer::Allowed, "call {lost}");
    }
}

#[tokio::test]
async fn a_secret_is_imported_with_a_plan() {
    let stack = accepting("acme_").await;
    let plan = json!({ "scopes": ["read"], "limits": [{ "requests": 1, "per": "minute" }] }).to_string();
    let put = management_of("PUT", "/v1/plans/{name}", &[("name", "basic")], &[], &plan);
    assert_eq!(stack.send(put).await.0, 201);
    let mut order = order(SECRET);
    order.as_object_mut().unwrap().remove("scopes");
    order["plan"] = json!("basic");
    let (status, imported) = import(&stack, &order).await;
    assert_eq!((status, &imported["plan"], &imported["scopes"]), (201, &json!("basic"), &json!(["read"])), "{imported}");
    let instance = stack.instance().await;
    assert_eq!((instance.get(SECRET).await, instance.get(SECRET).await), (Answer::Allowed, Answer::Limited));
}

#[tokio::test]
async fn an_imported_secret_is_in_no_table_and_in_no_line() {
    let stack = accepting("acme_").await;
    let (_, imported) = import(&stack, &order(SECRET)).await;
    let instance = stack.instance().await;
    let misplaced = format!("/example/{SECRET}");
    instance.get(SECRET).await;
    let mut event = tests::event::Call { path: &misplaced, ..tests::event::Call::get(SECRET) }.rest();
    event["requestContext"]["identity"]["userAgent"] = json!(SECRET);
    let _ = instance.answer(event).await;
    let _ = stack.send(management("GET", "/v1/keys/{id}", Some(SECRET), &[], "")).await;
    instance.settle().await;
    let mut told = stack.lines.take().join("\n");
    for table in ["KeysTable", "UsageTable", "AuditTable"] {
        told.push_str(&format!("{:?}", stack.scan(table).await));
    }
    assert!(told.contains(imported["id"].as_str().unwrap()) && told.contains("acme_9f8b…"));
    assert!(!told.contains(&SECRET["acme_9f8b".len()..]), "{told}");
}
