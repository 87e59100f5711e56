//! Promises 1 and 2: engine calls per outcome. One write for a warm and allowed request; no free work for attackers.

use std::sync::Arc;

use serde_json::{Value, json};
use tests::{Answer, Instance, Stack, event::Call};

const NONE: [&str; 0] = [];
/// First sight of a secret: its alias, its key.
const FIRST_SIGHT: [&str; 2] = ["GetItem", "GetItem"];

async fn calls(instance: &Instance, call: &Call<'_>, expected: &Answer) -> Vec<String> {
    assert_eq!(instance.call(call).await, *expected);
    instance.wire.take()
}

#[tokio::test]
async fn an_allowed_request_is_one_write_and_at_first_sight_two_reads_more() {
    let stack = Stack::start().await;
    let key = stack.issue(json!({ "limits": [{ "requests": 100, "per": "second" }, { "requests": 1000, "per": "day" }] })).await;
    let instance = stack.instance().await;
    let cold = calls(&instance, &Call::get(&key.secret), &Answer::Allowed).await;
    assert_eq!(cold, ["GetItem", "GetItem", "UpdateItem"]);
    for _ in 0..20 {
        assert_eq!(calls(&instance, &Call::get(&key.secret), &Answer::Allowed).await, ["UpdateItem"]);
        stack.clock.advance(1);
    }
}

#[tokio::test]
async fn many_first_sights_at_once_are_one_bcrypt_and_one_read_of_the_alias() {
    let stack = Stack::start().await;
    let key = stack.issue(json!({})).await;
    let unknown = "mbk_live_0123456789abcdefghijklmnopqrstuv";
    for (secret, expected, bcrypt) in [(key.secret.as_str(), Answer::Allowed, 1), (unknown, Answer::Unauthorized, 0)] {
        let instance = Arc::new(stack.instance().await);
        let _ = stack.lines.take();
        let callers = (0..32).map(|_| (Arc::clone(&instance), secret.to_owned()));
        let tasks: Vec<_> = callers.map(|(instance, secret)| tokio::spawn(async move { instance.get(&secret).await })).collect();
        for task in tasks {
            assert_eq!(task.await.unwrap(), expected);
        }
        let runs: u64 = stack
            .lines
            .take()
            .iter()
            .map(|line| serde_json::from_str::<Value>(line).unwrap()["bcrypt_runs"].as_u64().unwrap_or_default())
            .sum();
        assert_eq!(runs, bcrypt);
        let calls = instance.wire.take();
        let of = |name: &str| calls.iter().filter(|call| *call == name).count();
        // The record is read by whoever comes first, and by those who came before that was done.
        assert!(of("GetItem") <= 33 && (bcrypt == 1 || of("GetItem") == 1), "{calls:?}");
    }
}

#[tokio::test]
async fn a_warm_request_with_a_typical_record_consumes_one_write_unit() {
    let stack = Stack::start().await;
    let key = stack
        .issue(json!({
            "name": "Reporting for Example Ltd",
            "scopes": ["read", "write", "GET /reports/{id}", "POST /webhooks/{*rest}"],
            "ip_allowlist": ["203.0.113.0/24", "2001:db8::/32"],
            "limits": [{ "requests": 10, "per": "second" }, { "requests": 1000, "per": "hour" }, { "requests": 100_000, "per": "month" }],
            "expires_at": "2027-12-31T00:00:00Z",
        }))
        .await;
    assert_eq!(stack.rotate(&key.id, &json!({})).await.0, 200);
    let instance = stack.instance().await;
    for _ in 0..60 {
        assert_eq!(instance.get(&key.secret).await, Answer::Allowed);
        stack.clock.advance(1);
    }
    assert_eq!(instance.wire.take_write_units(), vec![1.0; 60]);
}

#[tokio::test]
async fn the_largest_policy_that_is_taken_still_consumes_one_write_unit() {
    let stack = Stack::start().await;
    let limits: Vec<_> = ["second", "minute", "hour", "day", "month"].map(|per| json!({ "requests": 800, "per": per })).into();
    let order = |length: usize| {
        json!({
            "name": "n".repeat(64), "owner": { "type": "service", "id": "o".repeat(64) }, "environment": "live",
            "scopes": ["read", format!("GET /{}", "p".repeat(length))], "limits": limits,
        })
    };
    let mut largest = None;
    for length in (1..400).rev() {
        let answer = stack.order(order(length)).await.unwrap();
        if answer["secret"].is_string() {
            largest = Some(tests::stack::issued(&answer));
            break;
        }
        assert_eq!(answer["code"], "policy_too_large");
    }
    let largest = largest.expect("some policy fits");
    let ends = json!({ "until_first_use": true, "expires_at": "2030-01-01T00:00:00Z" });
    let (status, rotated) = stack.rotate(&largest.id, &ends).await;
    assert_eq!(status, 200, "what can be issued can be rotated: {rotated}");
    let instances = [stack.instance().await, stack.instance().await, stack.instance().await];
    for step in 0..120 {
        assert_eq!(instances[step % 3].get(&largest.secret).await, Answer::Allowed, "step {step}");
        stack.clock.advance(1);
    }
    for instance in &instances {
        instance.settle().await;
        let units = instance.wire.take_write_units();
        assert!(units.len() >= 40 && units.iter().all(|units| *units <= 1.0), "{units:?}");
    }
}

#[tokio::test]
async fn a_malformed_key_costs_no_call() {
    let instance = Stack::start().await.instance().await;
    for bad in ["", "nonsense", "mbk_live_short", "sk_live_0123456789abcdefghijklmnopqrstuv"] {
        assert_eq!(calls(&instance, &Call::get(bad), &Answer::Unauthorized).await, NONE);
    }
    let none = Call { key: None, ..Call::get("") };
    assert_eq!(calls(&instance, &none, &Answer::Unauthorized).await, NONE);
}

#[tokio::test]
async fn an_unknown_key_costs_one_read_a_minute() {
    let stack = Stack::start().await;
    let instance = stack.instance().await;
    let unknown = Call::get("mbk_live_0123456789abcdefghijklmnopqrstuv");
    assert_eq!(calls(&instance, &unknown, &Answer::Unauthorized).await, ["GetItem"]);
    stack.clock.advance(59);
    assert_eq!(calls(&instance, &unknown, &Answer::Unauthorized).await, NONE);
    stack.clock.advance(1);
    assert_eq!(calls(&instance, &unknown, &Answer::Unauthorized).await, ["GetItem"]);
}

#[tokio::test]
async fn a_revoked_key_costs_nothing_once_it_was_seen() {
    let stack = Stack::start().await;
    let key = stack.issue(json!({})).await;
    let (warm, cold) = (stack.instance().await, stack.instance().await);
    assert_eq!(warm.get(&key.secret).await, Answer::Allowed);
    let _ = warm.wire.take();
    assert_eq!(stack.revoke(&key.id).await.0, 200);
    let call = Call::get(&key.secret);
    assert_eq!(calls(&warm, &call, &Answer::Unauthorized).await, ["UpdateItem"], "the write that would have counted it");
    assert_eq!(calls(&cold, &call, &Answer::Unauthorized).await, FIRST_SIGHT);
    for instance in [&warm, &cold] {
        assert_eq!(calls(instance, &call, &Answer::Unauthorized).await, NONE);
        stack.clock.advance(3600);
        assert_eq!(calls(instance, &call, &Answer::Unauthorized).await, NONE, "a revocation is final");
    }
}

/// Refused without a write, by a cold instance, by the same again at once, and again a second later.
async fn refused(stack: &Stack, call: &Call<'_>, expected: Answer) {
    let instance = stack.instance().await;
    assert_eq!(calls(&instance, call, &expected).await, FIRST_SIGHT);
    for _ in 0..5 {
        assert_eq!(calls(&instance, call, &expected).await, NONE);
    }
    stack.clock.advance(1);
    assert_eq!(calls(&instance, call, &expected).await, ["GetItem"], "once a second it looks whether the key has changed");
    assert_eq!(calls(&instance, call, &expected).await, NONE);
}

#[tokio::test]
async fn refusals_by_scope_address_expiry_and_status_cost_no_write_and_one_read_a_second() {
    let stack = Stack::start().await;
    let key = stack.issue(json!({ "scopes": ["read"], "ip_allowlist": ["203.0.113.0/24"] })).await;
    let delete = Call { method: "DELETE", ..Call::get(&key.secret) };
    refused(&stack, &delete, Answer::Denied("scope_not_allowed".to_owned())).await;
    let elsewhere = Call { source_ip: "198.51.100.1", ..Call::get(&key.secret) };
    refused(&stack, &elsewhere, Answer::Denied("address_not_allowed".to_owned())).await;

    let expiring = stack.issue(json!({ "expires_at": stack.clock.now().plus(10) })).await;
    stack.clock.advance(10);
    refused(&stack, &Call::get(&expiring.secret), Answer::Unauthorized).await;

    let disabled = stack.issue(json!({})).await;
    stack.manage("POST", "/v1/keys/{id}/disable", Some(&disabled.id), &json!({})).await;
    refused(&stack, &Call::get(&disabled.secret), Answer::Unauthorized).await;
}

#[tokio::test]
async fn a_reached_limit_costs_no_write_until_the_window_ends() {
    let stack = Stack::start().await;
    let key = stack.issue(json!({ "limits": [{ "requests": 2, "per": "minute" }] })).await;
    let instance = stack.instance().await;
    let call = Call::get(&key.secret);
    for _ in 0..2 {
        assert_eq!(instance.call(&call).await, Answer::Allowed);
    }
    let _ = instance.wire.take();
    assert_eq!(calls(&instance, &call, &Answer::Limited).await, NONE, "read within this second, at first sight");
    stack.clock.advance(1);
    assert_eq!(calls(&instance, &call, &Answer::Limited).await, ["GetItem"], "somebody may have raised it");
    assert_eq!(calls(&instance, &call, &Answer::Limited).await, NONE);
    stack.clock.set(tests::NOW + 60);
    assert_eq!(calls(&instance, &call, &Answer::Allowed).await, ["UpdateItem"]);
}

#[tokio::test]
async fn of_many_refusals_at_once_one_reads() {
    let stack = std::sync::Arc::new(Stack::start().await);
    let key = stack.issue(json!({ "scopes": ["read"] })).await;
    let instance = std::sync::Arc::new(stack.instance().await);
    let delete = |secret: String, instance: std::sync::Arc<Instance>| async move {
        instance.call(&Call { method: "DELETE", ..Call::get(&secret) }).await
    };
    delete(key.secret.clone(), instance.clone()).await;
    let _ = instance.wire.take();
    stack.clock.advance(1);
    let tasks: Vec<_> = (0..32).map(|_| tokio::spawn(delete(key.secret.clone(), instance.clone()))).collect();
    for task in tasks {
        assert_eq!(task.await.unwrap(), Answer::Denied("scope_not_allowed".to_owned()));
    }
    assert_eq!(instance.wire.take(), ["GetItem"]);
}
