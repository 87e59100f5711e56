//! Plans: named scopes and limits that keys are issued with, and keep.

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};
use shared::plan::{Plan, PlanName};
use tests::{Stack, event::management_of};

const PLAN: &str = "/v1/plans/{name}";

async fn put(stack: &Stack, name: &str, body: &Value) -> (u16, Value) {
    stack.send(management_of("PUT", PLAN, &[("name", name)], &[], &body.to_string())).await
}

async fn get(stack: &Stack, name: &str) -> (u16, Value) {
    stack.send(management_of("GET", PLAN, &[("name", name)], &[], "")).await
}

fn basic() -> Value {
    json!({ "scopes": ["read"], "limits": [{ "requests": 10, "per": "minute" }], "rotate_every_days": 90 })
}

fn order(more: &Value) -> Value {
    let mut order = json!({ "name": "planned", "owner": { "type": "user", "id": "1" }, "environment": "test" });
    order.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    order
}

#[tokio::test]
async fn a_plan_is_put_whole_shown_and_listed() {
    let stack = Stack::start().await;
    let (status, created) = put(&stack, "basic", &basic()).await;
    assert_eq!(status, 201, "{created}");
    let expected = json!({
        "name": "basic", "scopes": ["read"], "limits": [{ "requests": 10, "per": "minute" }], "rotate_every_days": 90,
        "put_at": "2027-01-15T08:00:00Z", "put_by": "key_admin",
    });
    assert_eq!(created, expected);
    assert_eq!(get(&stack, "basic").await, (200, expected));
    // What isn't sent again is gone.
    let (status, replaced) = put(&stack, "basic", &json!({ "scopes": ["write"] })).await;
    assert_eq!((status, &replaced["limits"], &replaced["rotate_every_days"]), (200, &json!([]), &Value::Null));
    for name in ["c", "a", "b"] {
        assert_eq!(put(&stack, name, &basic()).await.0, 201);
    }
    let (mut names, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let mut query = vec![("limit", "3")];
        query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
        let (status, page) = stack.ask("/v1/plans", None, &query).await;
        assert_eq!(status, 200, "{page}");
        names.extend(page["plans"].as_array().unwrap().iter().map(|plan| plan["name"].as_str().unwrap().to_owned()));
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = Some(next.to_owned());
    }
    assert_eq!(names, ["a", "b", "basic", "c"]);
}

#[tokio::test]
async fn a_key_is_issued_with_what_its_plan_was_then_and_keeps_it() {
    let stack = Stack::start().await;
    put(&stack, "basic", &basic()).await;
    let key = stack.order(order(&json!({ "plan": "basic" }))).await.unwrap();
    put(&stack, "basic", &json!({ "scopes": ["admin"] })).await;
    let shown = stack.show(key["id"].as_str().unwrap()).await;
    for (field, expected) in [("plan", json!("basic")), ("scopes", json!(["read"])), ("rotate_every_days", json!(90))] {
        assert_eq!(shown[field], expected, "{field}");
    }
    assert_eq!((&shown["limits"][0]["requests"], &shown["limits"][0]["per"]), (&json!(10), &json!("minute")));
    let without = stack.show(&stack.issue(json!({})).await.id).await;
    assert_eq!(without["plan"], Value::Null);
}

#[tokio::test]
async fn what_an_order_says_itself_wins_over_its_plan() {
    let stack = Stack::start().await;
    put(&stack, "basic", &basic()).await;
    let own = json!({ "plan": "basic", "scopes": ["write"], "limits": [], "rotate_every_days": null });
    let key = stack.order(order(&own)).await.unwrap();
    assert_eq!(
        (&key["plan"], &key["scopes"], &key["limits"], &key["rotate_every_days"]),
        (&json!("basic"), &json!(["write"]), &json!([]), &Value::Null)
    );
}

#[tokio::test]
async fn a_changed_plan_is_audited_with_what_it_was() {
    let stack = Stack::start().await;
    put(&stack, "basic", &basic()).await;
    stack.clock.advance(1);
    put(&stack, "basic", &json!({ "scopes": ["write"] })).await;
    let (_, page) = stack.ask("/v1/audit", None, &[]).await;
    let changes = page["changes"].as_array().unwrap();
    assert_eq!(changes.len(), 2, "{page}");
    let newest = &changes[0];
    assert_eq!((&newest["action"], &newest["plan"], &newest["key"]), (&json!("put_plan"), &json!("basic"), &Value::Null));
    assert_eq!((&newest["actor"], &newest["outcome"]), (&json!("key_admin"), &json!("done")));
    assert_eq!(
        (&newest["detail"]["before"]["scopes"], &newest["detail"]["after"]["scopes"]),
        (&json!(["read"]), &json!(["write"]))
    );
    assert_eq!(changes[1]["detail"]["before"], Value::Null);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_plans_put_at_once_each_that_was_answered_is_audited_with_what_it_replaced() {
    let stack = std::sync::Arc::new(Stack::start().await);
    put(&stack, "basic", &basic()).await;
    let tasks = (1..=12).map(|n| {
        let stack = stack.clone();
        tokio::spawn(async move { put(&stack, "basic", &json!({ "scopes": ["read"], "rotate_every_days": n })).await })
    });
    let mut answered = 0;
    for task in tasks.collect::<Vec<_>>() {
        let (status, answer) = task.await.unwrap();
        assert!(status == 200 || (status == 409 && answer["code"] == "changed_meanwhile"), "{answer}");
        answered += usize::from(status == 200);
    }
    let mut replaced: Vec<(Value, Value)> = Vec::new();
    for change in stack.changes().await {
        let outcome = change.get("outcome").and_then(|outcome| outcome.as_s().ok());
        if outcome.is_some_and(|outcome| outcome == "done") {
            let detail: Value = serde_json::from_str(change["detail"].as_s().unwrap()).unwrap();
            replaced.push((detail["before"].clone(), detail["after"].clone()));
        }
    }
    assert_eq!(replaced.len(), answered + 1);
    let mut now = Value::Null;
    while let Some(next) = replaced.iter().position(|(before, _)| *before == now) {
        now = replaced.remove(next).1;
    }
    assert!(replaced.is_empty(), "each replaced what another one had put: {replaced:?} after {now}");
    assert_eq!(get(&stack, "basic").await.1["rotate_every_days"], now["rotate_every_days"]);
}

#[tokio::test]
async fn a_copy_of_a_plan_that_arrives_late_does_not_replace_a_newer_one() {
    let stack = Stack::start().await;
    let (store, name) = (stack.store(), PlanName::parse("basic").unwrap());
    put(&stack, "basic", &basic()).await;
    let first = store.plan(&name).await.unwrap();
    let older = Plan { rotate_every_days: Some(7), ..first.clone().unwrap() };
    let id = || stack.clock.host(&stack.lines).uuid().unwrap();
    let change = id();
    for copy in 0..2 {
        assert!(store.put_plan(&name, &older, first.as_ref(), change).await.unwrap(), "copy {copy} is the same change");
    }
    assert_eq!(put(&stack, "basic", &basic()).await.0, 200);
    assert!(!store.put_plan(&name, &older, first.as_ref(), change).await.unwrap());
    assert!(!store.put_plan(&name, &older, None, id()).await.unwrap(), "nor one that saw none");
    assert_eq!(get(&stack, "basic").await.1["rotate_every_days"], 90);
}

#[tokio::test]
async fn a_plan_as_it_was_stored_at_first_can_be_put_again() {
    let stack = Stack::start().await;
    put(&stack, "basic", &basic()).await;
    let remove = stack.engine.dynamodb().update_item().table_name(stack.table("KeysTable")).update_expression("REMOVE #c");
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let remove = remove.key("pk", text("plans")).key("sk", text("basic")).expression_attribute_names("#c", "change");
    remove.send().await.unwrap();
    let first = stack.store().plan(&PlanName::parse("basic").unwrap()).await.unwrap();
    assert_eq!(put(&stack, "basic", &json!({ "scopes": ["write"] })).await.0, 200);
    let (store, name, id) = (stack.store(), PlanName::parse("basic").unwrap(), stack.clock.host(&stack.lines).uuid().unwrap());
    assert!(!store.put_plan(&name, first.as_ref().unwrap(), first.as_ref(), id).await.unwrap());
    assert_eq!(get(&stack, "basic").await.1["scopes"], json!(["write"]));
}

#[tokio::test]
async fn bad_plans_and_orders_of_plans_have_their_errors() {
    let stack = Stack::start().await;
    for (name, body, code, field) in [
        ("Basic", basic(), "invalid_field", "name"),
        ("-x", basic(), "invalid_field", "name"),
        (&*"x".repeat(65), basic(), "invalid_field", "name"),
        ("basic", json!({}), "invalid_field", "scopes"),
        ("basic", json!({ "scopes": [] }), "invalid_field", "scopes"),
        (
            "basic",
            json!({ "scopes": ["read"], "limits": [{ "requests": 0, "per": "day" }] }),
            "invalid_field",
            "limits[0].requests",
        ),
        ("basic", json!({ "scopes": ["read"], "rotate_every_days": 0 }), "invalid_field", "rotate_every_days"),
        ("basic", json!({ "scopes": ["read"], "ip_allowlist": [] }), "unknown_field", "ip_allowlist"),
    ] {
        let (status, problem) = put(&stack, name, &body).await;
        assert_eq!((status, &problem["code"], &problem["field"]), (400, &json!(code), &json!(field)), "{name} {body}");
    }
    let (status, problem) = get(&stack, "basic").await;
    assert_eq!((status, &problem["code"]), (404, &json!("no_such_plan")));
    for (plan, detail) in
        [(json!("basic"), "there is no plan of that name"), (json!("No"), "lower-case"), (json!(1), "lower-case")]
    {
        let (status, problem) = stack.manage("POST", "/v1/keys", None, &order(&json!({ "plan": plan }))).await;
        assert_eq!((status, &problem["field"]), (400, &json!("plan")));
        assert!(problem["detail"].as_str().unwrap().contains(detail), "{problem}");
    }
    for query in [[("limit", "0")], [("limit", "101")], [("cursor", "x")], [("name", "a")]] {
        let (status, problem) = stack.ask("/v1/plans", None, &query).await;
        assert_eq!((status, &problem["field"]), (400, &json!(query[0].0)));
    }
    assert_eq!(stack.ask("/v1/plans", None, &[]).await.1["plans"], json!([]));
    assert!(stack.changes().await.is_empty(), "nothing is written down of what can't be");
}
