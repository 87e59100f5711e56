//! Limits that an owner's keys share: never more than they allow together, and nothing between a revocation and its effect.

use std::sync::Arc;

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};
use shared::{owner::Owner, shared_limits::SharedLimits};

use tests::{
    Answer, Stack,
    event::{Call, management_of, own},
    stack::Issued,
};

use crate::limits::admitted;

const LIMITS: &str = "/v1/owners/{type}/{id}/limits";

async fn a_minute(stack: &Stack, requests: u64) {
    let (status, answer) = stack.share(&json!([{ "requests": requests, "per": "minute" }])).await;
    assert!(status < 300, "{answer}");
}

async fn sharing(stack: &Stack) -> Issued {
    stack.issue(json!({ "shared_limits": true })).await
}

async fn stored(stack: &Stack) -> SharedLimits {
    stack.store().shared_limits(&Owner::parse("user:42").unwrap()).await.unwrap().unwrap()
}

async fn total(stack: &Stack, key: &Issued) -> u64 {
    stack.record(&key.id).await.counters.total
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_keys_on_sixty_four_instances_are_admitted_exactly_the_limit_together() {
    let stack = Stack::start().await;
    let (status, answer) = stack.share(&json!([{ "requests": 600, "per": "hour" }, { "requests": 500, "per": "month" }])).await;
    assert_eq!(status, 201, "{answer}");
    let mut keys = Vec::new();
    for _ in 0..4 {
        keys.push(sharing(&stack).await);
    }
    let mut callers = Vec::new();
    for number in 0..64 {
        callers.push((stack.instance().await, keys[number % 4].secret.clone()));
    }
    assert_eq!(admitted(callers, 20).await, 500, "of 1,280 attempts");
    let mut counted = 0;
    for key in &keys {
        counted += total(&stack, key).await;
    }
    assert_eq!((counted, stored(&stack).await.total), (500, 500));
}

#[tokio::test]
async fn a_warm_use_is_two_writes_and_a_refusal_is_none() {
    let stack = Stack::start().await;
    a_minute(&stack, 2).await;
    let (one, other) = (sharing(&stack).await, sharing(&stack).await);
    let instance = stack.instance().await;
    let calls = async |key: &Issued, expected: Answer| {
        assert_eq!(instance.get(&key.secret).await, expected);
        instance.wire.take()
    };
    assert_eq!(calls(&one, Answer::Allowed).await, ["GetItem", "GetItem", "GetItem", "UpdateItem", "UpdateItem"]);
    let _ = instance.wire.take_write_units();
    assert_eq!(calls(&one, Answer::Allowed).await, ["UpdateItem", "UpdateItem"]);
    assert_eq!(instance.wire.take_write_units(), [1.0, 1.0]);
    assert_eq!(calls(&other, Answer::Limited).await, ["GetItem", "GetItem"], "its alias and record");
    assert_eq!(calls(&other, Answer::Limited).await, [""; 0]);
    stack.clock.advance(1);
    assert_eq!(calls(&other, Answer::Limited).await, ["GetItem", "GetItem"], "either may have been changed meanwhile");
    assert_eq!(calls(&one, Answer::Limited).await, ["GetItem"], "what is shared was read within this second");
    stack.clock.advance(60);
    assert_eq!(calls(&other, Answer::Allowed).await, ["UpdateItem", "UpdateItem"]);
}

#[tokio::test]
async fn sharing_begins_and_ends_at_once_on_warm_instances() {
    let stack = Stack::start().await;
    a_minute(&stack, 3).await;
    let (sharing, alone) = (sharing(&stack).await, stack.issue(json!({})).await);
    let (one, other) = (stack.instance().await, stack.instance().await);
    for instance in [&one, &other, &one] {
        assert_eq!(instance.get(&alone.secret).await, Answer::Allowed);
    }
    assert_eq!(stored(&stack).await.total, 0, "it hasn't opted in");
    assert_eq!(one.get(&sharing.secret).await, Answer::Allowed);
    let (status, updated) = stack.update(&alone.id, &json!({ "shared_limits": true })).await;
    assert_eq!((status, &updated["shared_limits"]), (200, &json!(true)));
    for expected in [Answer::Allowed, Answer::Allowed, Answer::Limited] {
        assert_eq!(other.get(&alone.secret).await, expected);
    }
    assert_eq!(one.get(&sharing.secret).await, Answer::Limited);
    assert_eq!(stack.update(&alone.id, &json!({ "shared_limits": false })).await.0, 200);
    stack.clock.advance(1);
    assert_eq!(other.get(&alone.secret).await, Answer::Allowed);
    assert_eq!(one.get(&sharing.secret).await, Answer::Limited);
}

#[tokio::test]
async fn limits_that_are_put_count_for_the_next_use_on_every_instance_and_what_was_counted_stays() {
    let stack = Stack::start().await;
    a_minute(&stack, 100).await;
    let key = sharing(&stack).await;
    let instances = [stack.instance().await, stack.instance().await];
    for instance in &instances {
        assert_eq!(instance.get(&key.secret).await, Answer::Allowed);
    }
    a_minute(&stack, 3).await;
    assert_eq!(instances[0].get(&key.secret).await, Answer::Allowed, "the third");
    for instance in &instances {
        assert_eq!(instance.get(&key.secret).await, Answer::Limited);
    }
    let (status, answer) = stack.share(&json!([])).await;
    assert_eq!((status, &answer["version"]), (200, &json!(3)));
    stack.clock.advance(1);
    assert_eq!(instances[1].get(&key.secret).await, Answer::Allowed, "none");
    a_minute(&stack, 3).await;
    assert_eq!(instances[1].get(&key.secret).await, Answer::Limited, "the three are counted still");
}

#[tokio::test]
async fn a_revoked_key_is_refused_although_its_owners_count_comes_first() {
    let stack = Stack::start().await;
    a_minute(&stack, 100).await;
    let key = sharing(&stack).await;
    let instance = stack.instance().await;
    assert_eq!(instance.get(&key.secret).await, Answer::Allowed);
    assert_eq!(stack.revoke(&key.id).await.0, 200);
    for _ in 0..3 {
        assert_eq!(instance.get(&key.secret).await, Answer::Unauthorized);
    }
    assert_eq!(
        stored(&stack).await.total,
        2,
        "one use that the key then refused is counted; those after it were known to be in vain"
    );
    assert_eq!(total(&stack, &key).await, 1);
}

#[tokio::test]
async fn a_full_shared_limit_never_hides_that_a_key_is_revoked_or_disabled() {
    for action in ["revoke", "disable"] {
        let stack = Stack::start().await;
        a_minute(&stack, 1).await;
        let key = sharing(&stack).await;
        let instance = stack.instance().await;
        assert_eq!(instance.get(&key.secret).await, Answer::Allowed);
        let body = if action == "revoke" { json!({ "reason": "a test" }) } else { Value::Null };
        assert_eq!(stack.manage("POST", &format!("/v1/keys/{{id}}/{action}"), Some(&key.id), &body).await.0, 200);
        stack.clock.advance(1);
        assert_eq!(instance.get(&key.secret).await, Answer::Unauthorized, "{action}");
    }
}

#[tokio::test]
async fn what_the_key_refuses_may_be_counted_for_the_owner_and_never_the_other_way_round() {
    let stack = Stack::start().await;
    a_minute(&stack, 100).await;
    let key = stack.issue(json!({ "shared_limits": true, "limits": [{ "requests": 10, "per": "minute" }] })).await;
    let instances = [stack.instance().await, stack.instance().await, stack.instance().await];
    for round in 0..8 {
        for instance in &instances {
            let expected = if total(&stack, &key).await < 10 { Answer::Allowed } else { Answer::Limited };
            assert_eq!(instance.get(&key.secret).await, expected, "round {round}");
        }
    }
    let counted = stored(&stack).await.total;
    assert!((10..=12).contains(&counted), "{counted}: at most one in vain on each of the others");
}

#[tokio::test]
async fn a_use_whose_answer_was_lost_is_counted_once_for_the_owner() {
    for lost in [0..1, 1..2, 0..2] {
        let stack = Stack::start().await;
        a_minute(&stack, 100).await;
        let key = sharing(&stack).await;
        let instance = stack.instance().await;
        assert_eq!(instance.get(&key.secret).await, Answer::Allowed);
        instance.wire.lose_replies(lost.clone());
        assert_eq!(instance.get(&key.secret).await, Answer::Allowed);
        assert_eq!((stored(&stack).await.total, total(&stack, &key).await), (2, 2), "{lost:?}");
    }
}

#[tokio::test]
async fn without_what_it_shares_a_key_is_answered_500_and_counts_nothing() {
    for damage in ["gone", "limits", "newer"] {
        let stack = Stack::start().await;
        a_minute(&stack, 100).await;
        let key = sharing(&stack).await;
        let warm = stack.instance().await;
        assert_eq!(warm.get(&key.secret).await, Answer::Allowed);
        let place = [("pk", "owner#user:42"), ("sk", "limits")].map(|(name, text)| (name, AttributeValue::S(text.to_owned())));
        let table = stack.table("KeysTable");
        if damage == "gone" {
            let delete = stack.engine.dynamodb().delete_item().table_name(table);
            delete.set_key(Some(place.map(|(name, value)| (name.to_owned(), value)).into())).send().await.unwrap();
        } else {
            let update = stack.engine.dynamodb().update_item().table_name(table);
            let update = update.set_key(Some(place.map(|(name, value)| (name.to_owned(), value)).into()));
            let (expression, value) = match damage {
                "limits" => ("SET limits = :v, version = version + :v", AttributeValue::N("1".to_owned())),
                _ => ("SET #s = :v, version = version + :v", AttributeValue::N("2".to_owned())),
            };
            let update = update.update_expression(expression).expression_attribute_values(":v", value);
            let update = if damage == "newer" { update.expression_attribute_names("#s", "schema") } else { update };
            update.send().await.unwrap();
        }
        for instance in [&warm, &stack.instance().await] {
            assert_eq!(instance.get(&key.secret).await, Answer::Fault, "{damage}");
        }
        assert_eq!(total(&stack, &key).await, 1, "{damage}");
        let asked = stack.send(own("GET", "/v1/self", &key.id, (1, "read"), "")).await;
        assert_eq!(asked.0, 503, "{damage}");
    }
}

#[tokio::test]
async fn ended_windows_are_swept_and_a_slow_clock_begins_none_anew() {
    let stack = Stack::start().await;
    let (status, _) = stack.share(&json!([{ "requests": 3, "per": "second" }, { "requests": 300, "per": "day" }])).await;
    assert_eq!(status, 201);
    let key = sharing(&stack).await;
    let slow = Arc::new(stack.instance_at(&stack.clock.skewed(-2000)).await);
    let instance = stack.instance().await;
    for _ in 0..90 {
        assert_eq!(instance.get(&key.secret).await, Answer::Allowed);
        assert_eq!(slow.get(&key.secret).await, Answer::Allowed);
        stack.clock.advance(1);
    }
    let limits = stored(&stack).await;
    assert_eq!(limits.total, 180);
    assert!(limits.windows.len() < 20, "{} windows", limits.windows.len());
    stack.clock.advance(2 * 86_400);
    assert_eq!(instance.get(&key.secret).await, Answer::Allowed);
    assert!(stored(&stack).await.windows.len() <= 3, "days are swept as well");
}

#[tokio::test]
async fn everybody_is_told_what_is_shared_and_what_is_left_of_it() {
    let stack = Stack::start().await;
    a_minute(&stack, 2).await;
    let limits = json!([{ "requests": 5, "per": "minute" }]);
    let key = stack.issue(json!({ "shared_limits": true, "limits": limits })).await;
    let instance = stack.instance().await;
    let context = instance.context(&key.secret).await;
    for (name, value) in [
        ("limit_minute", json!(5)),
        ("remaining_minute", json!(4)),
        ("owner_limit_minute", json!(2)),
        ("owner_remaining_minute", json!(1)),
        ("rateLimitPolicy", json!("\"minute\";q=5;w=60, \"owner-minute\";q=2;w=60")),
        ("rateLimit", json!("\"minute\";r=4;t=60, \"owner-minute\";r=1;t=60")),
    ] {
        assert_eq!(context[name], value, "{name} in {context}");
    }
    let (_, me) = stack.send(own("GET", "/v1/self", &key.id, (1, "read"), "")).await;
    let left = json!([{ "requests": 2, "per": "minute", "remaining": 1, "resets_in_seconds": 60 }]);
    assert_eq!(me["owner_limits"], left);
    assert_eq!(stack.show(&key.id).await["shared_limits"], true);
    assert_eq!(instance.get(&key.secret).await, Answer::Allowed);
    let refused = instance.answer(Call::get(&key.secret).rest()).await.unwrap();
    assert_eq!(
        refused["context"]["detail"],
        "The limit of 2 requests per minute that the owner's keys share is reached. Try again in 60 s."
    );
    assert_eq!(refused["context"]["rateLimit"], "\"minute\";r=3;t=60, \"owner-minute\";r=0;t=60");
    let (_, checked) = stack.manage("POST", "/v1/keys/{id}/check", Some(&key.id), &json!({ "path": "/example" })).await;
    assert_eq!((&checked["code"], &checked["decided_by"]), (&json!("rate_limited"), &json!("owner_limit_minute")));
    assert_eq!(stored(&stack).await.total, 2, "the dry run counts nothing");
}

#[tokio::test]
async fn limits_are_put_whole_shown_and_audited() {
    let stack = Stack::start().await;
    let show = || management_of("GET", LIMITS, &[("type", "user"), ("id", "42")], &[], "");
    let (status, problem) = stack.send(show()).await;
    assert_eq!((status, &problem["code"]), (404, &json!("no_such_limits")));
    for (limits, field) in [
        (json!([{ "requests": 0, "per": "day" }]), "limits[0].requests"),
        (json!([{ "requests": 1, "per": "week" }]), "limits[0].per"),
        (json!({ "day": 5 }), "limits"),
        (Value::Null, "limits"),
    ] {
        let (status, problem) = stack.share(&limits).await;
        assert_eq!((status, &problem["field"]), (400, &json!(field)), "{problem}");
    }
    let team = management_of("PUT", LIMITS, &[("type", "team"), ("id", "42")], &[], r#"{"limits": []}"#);
    let (status, problem) = stack.send(team).await;
    assert_eq!((status, &problem["field"]), (400, &json!("type")));
    a_minute(&stack, 5).await;
    stack.clock.advance(1);
    let (status, answer) = stack.share(&json!([{ "requests": 7, "per": "day" }])).await;
    assert_eq!((status, &answer["version"], &answer["put_by"]), (200, &json!(2), &json!("key_admin")));
    assert_eq!(answer["owner"], json!({ "type": "user", "id": "42" }));
    assert_eq!(stack.send(show()).await.1, answer);
    let changes = stack.changes().await;
    let of = |phase: &str| changes.iter().filter(|item| item["sk"].as_s().unwrap().ends_with(phase)).collect::<Vec<_>>();
    assert_eq!((of("#intent").len(), of("#outcome").len()), (2, 2), "none of what was refused");
    let detail: Value = changes
        .iter()
        .filter_map(|item| serde_json::from_str(item["detail"].as_s().unwrap()).ok())
        .find(|detail: &Value| detail["version"] == 2)
        .unwrap();
    assert_eq!(detail["before"], json!({ "limits": [{ "requests": 5, "per": "minute" }] }));
    assert_eq!(detail["after"], json!({ "limits": [{ "requests": 7, "per": "day" }] }));
    assert!(changes.iter().all(|item| item["owner"].as_s().unwrap() == "user:42"));
}

#[tokio::test]
async fn of_two_who_put_limits_at_once_one_is_told_and_a_lost_answer_is_a_success() {
    let stack = Stack::start().await;
    a_minute(&stack, 5).await;
    let before = stored(&stack).await;
    let by = |name: &str| SharedLimits { version: 2, put: (stack.clock.now(), name.to_owned()), ..before.clone() };
    let [other, late] = [(); 2].map(|()| stack.clock.host(&stack.lines).uuid().unwrap());
    assert!(stack.store().put_shared_limits(&by("key_other"), other).await.unwrap());
    assert!(!stack.store().put_shared_limits(&by("key_late"), late).await.unwrap());
    assert_eq!(stored(&stack).await.put.1, "key_other");
    stack.wire.lose_replies(2..3);
    let (status, answer) = stack.share(&json!([{ "requests": 9, "per": "day" }])).await;
    assert_eq!((status, &answer["version"]), (200, &json!(3)), "read, intent, and the write whose answer was lost: {answer}");
}
