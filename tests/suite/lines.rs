//! One line per invocation: what it says of the attempt, that it is a set of metrics, and that its counts are right.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use shared::lambda::Failure;
use tests::{Answer, Instance, Stack, event::Call};

/// What a call came to, the line that it left, and how many calls to DynamoDB there were.
async fn attempt(stack: &Stack, instance: &Instance, call: &Call<'_>) -> (Answer, Value, usize) {
    let _ = (stack.lines.take(), instance.wire.take());
    let answer = instance.call(call).await;
    let lines = stack.lines.take();
    assert_eq!(lines.len(), 1, "{lines:#?}");
    (answer, serde_json::from_str(&lines[0]).unwrap(), instance.wire.take().len())
}

/// Names and dimensions of the metrics in a line, which must be as CloudWatch takes them.
fn metrics(line: &Value) -> BTreeSet<String> {
    let millis = line["_aws"]["Timestamp"].as_u64().unwrap();
    assert!(millis > 1_700_000_000_000, "milliseconds, {millis}");
    let mut names = BTreeSet::new();
    for directive in line["_aws"]["CloudWatchMetrics"].as_array().unwrap() {
        assert_eq!(directive["Namespace"], "ApiKeys");
        let dimensions: Vec<_> =
            directive["Dimensions"].as_array().unwrap().iter().flat_map(|set| set.as_array().unwrap()).collect();
        for dimension in &dimensions {
            let value = line[dimension.as_str().unwrap()].as_str().unwrap_or_default();
            assert!(!value.is_empty(), "{dimension} is no text in {line}");
        }
        for metric in directive["Metrics"].as_array().unwrap() {
            let name = metric["Name"].as_str().unwrap();
            assert!(line[name].is_number(), "{name} is no number in {line}");
            assert!(["Count", "Milliseconds"].contains(&metric["Unit"].as_str().unwrap()));
            let dimensions: Vec<_> = dimensions.iter().filter_map(|dimension| dimension.as_str()).collect();
            names.insert(format!("{name} by {}", dimensions.join(", ")));
        }
    }
    names
}

#[tokio::test]
async fn an_attempt_s_line_says_who_tried_what_and_what_it_cost() {
    let stack = Stack::start().await;
    let key = stack.issue(json!({ "scopes": ["read"] })).await;
    let instance = stack.instance().await;
    let mut event = Call::get(&key.secret).rest();
    event["requestContext"]["apiId"] = json!("a1b2c3");
    let _ = stack.lines.take();
    let first = instance.answer(event.clone()).await;
    assert!(first.is_ok());
    let line = stack.lines.only();
    for (name, expected) in [
        ("event", json!("attempt")),
        ("outcome", json!("allowed")),
        ("key", json!(key.id)),
        ("hint", json!(format!("{}…", &key.secret[..13]))),
        ("generation", json!(1)),
        ("method", json!("GET")),
        ("path", json!("/example")),
        ("source_ip", json!("203.0.113.7")),
        ("user_agent", json!("tests")),
        ("request_id", json!("8c9f3a46-5d6b-4a51-9f0e-2f6f0a4f1b11")),
        ("api_id", json!("a1b2c3")),
        ("function", json!("authorizer")),
        ("engine_calls", json!(3)),
        ("bcrypt_runs", json!(1)),
        ("cold_start", json!(1)),
        ("own_fault", json!(0)),
        ("attempts", json!(1)),
        ("allowed", json!(1)),
    ] {
        assert_eq!(line[name], expected, "{name} in {line}");
    }
    assert!(line["duration_ms"].as_f64().unwrap() > 0.0);
    let first = metrics(&line);
    instance.answer(event).await.unwrap();
    let line = stack.lines.only();
    assert_eq!(line["engine_calls"], 1);
    let once = ["bcrypt_runs by function".to_owned(), "cold_start by function".to_owned()];
    assert_eq!(first.difference(&metrics(&line)).cloned().collect::<Vec<_>>(), once, "at first sight only");
    let always =
        ["allowed by function, api_id", "attempts by function, outcome", "duration_ms by function", "engine_calls by function"];
    assert!(always.iter().all(|name| first.contains(*name)) && first.contains("own_fault by function"), "{first:?}");
}

#[tokio::test]
async fn every_outcome_has_its_line_with_the_calls_that_were_made_and_no_bcrypt_for_what_does_not_exist() {
    let stack = Stack::start().await;
    let key = stack
        .issue(json!({ "scopes": ["read"], "ip_allowlist": ["203.0.113.0/24"], "limits": [{ "requests": 2, "per": "day" }] }))
        .await;
    let revoked = stack.issue(json!({})).await;
    stack.revoke(&revoked.id).await;
    let instance = stack.instance().await;
    let get = Call::get(&key.secret);
    for (call, outcome, bcrypt) in [
        (Call { key: None, ..get.clone() }, "missing_key", false),
        (Call::get("malformed"), "malformed_key", false),
        (Call::get("mbk_live_0123456789abcdefghijklmnopqrstuv"), "unknown_key", false),
        (Call::get("mbk_live_0123456789abcdefghijklmnopqrstuv"), "unknown_key", false),
        (Call { method: "POST", ..get.clone() }, "scope_not_allowed", true),
        (Call { source_ip: "198.51.100.7", ..get.clone() }, "address_not_allowed", false),
        (get.clone(), "allowed", false),
        (get.clone(), "allowed", false),
        (get.clone(), "rate_limited", false),
        (Call::get(&revoked.secret), "revoked_key", true),
    ] {
        let (_, line, calls) = attempt(&stack, &instance, &call).await;
        assert_eq!(line["outcome"], outcome, "{line}");
        assert_eq!(line["engine_calls"], json!(calls), "{line}");
        assert_eq!(line.get("bcrypt_runs").is_some(), bcrypt, "{line}");
        assert_eq!(line["own_fault"], 0);
        assert_eq!(line.get("allowed").is_some(), outcome == "allowed");
        metrics(&line);
    }
}

#[tokio::test]
async fn an_attempt_with_no_key_that_exists_has_all_of_its_line_on_either_api() {
    let stack = Stack::start().await;
    let instance = stack.instance().await;
    for (key, outcome, hint) in [
        (Some("mbk_live_0123456789abcdefghijklmnopqrstuv"), "unknown_key", json!("mbk_live_0123…")),
        (Some("mbk_live_short"), "malformed_key", Value::Null),
        (None, "missing_key", Value::Null),
    ] {
        let call = Call { key, method: "POST", path: "/example/7", source_ip: "2001:db8::7" };
        let mut rest = call.rest();
        rest["queryStringParameters"] = json!({ "page": "2" });
        rest["multiValueQueryStringParameters"] = json!({ "page": ["2"] });
        let mut http_api = call.http_api();
        http_api["rawQueryString"] = json!("page=2");
        http_api["queryStringParameters"] = json!({ "page": "2" });
        for (event, request_id) in [(rest, "8c9f3a46-5d6b-4a51-9f0e-2f6f0a4f1b11"), (http_api, "JKJaXmPLvHcESHA=")] {
            let _ = (stack.lines.take(), instance.answer(event).await);
            let line = stack.lines.only();
            for (name, expected) in [
                ("event", json!("attempt")),
                ("outcome", json!(outcome)),
                ("hint", hint.clone()),
                ("source_ip", json!("2001:db8::7")),
                ("user_agent", json!("tests")),
                ("method", json!("POST")),
                ("path", json!("/example/7")),
                ("request_id", json!(request_id)),
                ("key", Value::Null),
                ("own_fault", json!(0)),
            ] {
                assert_eq!(line[name], expected, "{name} in {line}");
            }
            assert!(line["duration_ms"].as_f64().unwrap() > 0.0, "{line}");
        }
    }
}

#[tokio::test]
async fn our_own_fault_is_named_and_is_nobody_s_outcome() {
    let stack = Stack::start().await;
    let key = stack.issue(json!({})).await;
    let instance = stack.instance().await;
    assert_eq!(instance.get(&key.secret).await, Answer::Allowed);
    instance.wire.cut_after(0);
    let (answer, line, _) = attempt(&stack, &instance, &Call::get(&key.secret)).await;
    assert_eq!(answer, Answer::Fault);
    assert_eq!((&line["outcome"], &line["own_fault"]), (&json!("internal"), &json!(1)), "{line}");
    assert!(line["fault"].as_str().unwrap().starts_with("aws."), "{line}");
    assert!(line.get("allowed").is_none() && metrics(&line).contains("attempts by function, outcome"));

    assert_eq!(instance.answer(json!({ "type": "TOKEN" })).await, Err(Failure::BAD_EVENT));
    let line = stack.lines.only();
    assert_eq!((&line["fault"], &line["own_fault"]), (&json!("event.not_understood"), &json!(1)), "{line}");
}

#[tokio::test]
async fn a_use_that_may_have_been_counted_in_vain_is_reported_as_uncertain() {
    let stack = Stack::start().await;
    let key = stack.issue(json!({})).await;
    let instance = stack.instance().await;
    assert_eq!(instance.get(&key.secret).await, Answer::Allowed);
    // Every answer is lost, to the last try: the use was counted once, and nobody was let in.
    instance.wire.lose_replies(0..100);
    let (answer, line, calls) = attempt(&stack, &instance, &Call::get(&key.secret)).await;
    assert_eq!(answer, Answer::Fault);
    assert!(calls > 1 && line["uncertain"].as_u64().unwrap() >= 1, "{line}");
    assert_eq!(line["key"], json!(key.id), "whose use it was");
    assert!(metrics(&line).contains("uncertain by function"));
    instance.wire.mend();
    // One answer is lost, and the next try finds that the first has landed: nothing is uncertain.
    instance.wire.lose_replies(0..1);
    let (answer, line, calls) = attempt(&stack, &instance, &Call::get(&key.secret)).await;
    assert_eq!((answer, calls, line.get("uncertain")), (Answer::Allowed, 2, None), "{line}");
}

#[tokio::test]
async fn a_request_s_line_says_who_asked_for_what_and_repeats_no_body() {
    let stack = Stack::start().await;
    let key = stack.issue(json!({})).await;
    let line = stack.lines.only();
    assert_eq!(
        (&line["event"], &line["function"], &line["actor"]),
        (&json!("request"), &json!("issue"), &json!("iam")),
        "{line}"
    );
    assert_eq!((&line["outcome"], &line["bcrypt_runs"]), (&json!("ok"), &json!(1)));

    let _ = stack.wire.take();
    stack.update(&key.id, &json!({ "name": "body-of-the-request" })).await;
    let mut lines = stack.lines.take();
    let text = lines.pop().unwrap();
    assert!(lines.is_empty());
    assert!(!text.contains("body-of-the-request"));
    let line: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&line["function"], &line["key"]), (&json!("manage"), &json!(key.id)), "{line}");
    assert_eq!((&line["method"], &line["route"]), (&json!("PATCH"), &json!("/v1/keys/{id}")));
    assert!(line["actor"].as_str().unwrap().starts_with("key_"));
    assert_eq!(line["engine_calls"], json!(stack.wire.take().len()));
    assert!(metrics(&line).contains("requests by function, outcome"));

    stack.update(&key.id, &json!({ "name": 7 })).await;
    assert_eq!(stack.lines.only()["outcome"], "invalid_field");
    stack.wire.cut_after(0);
    assert_eq!(stack.rotate(&key.id, &json!({})).await.0, 503);
    let line = stack.lines.only();
    assert_eq!((&line["outcome"], &line["own_fault"]), (&json!("internal"), &json!(1)), "{line}");
}

#[tokio::test]
async fn an_audit_record_that_could_not_be_written_is_counted() {
    let stack = Stack::start().await;
    let mut lost = 0;
    for calls in 0..8 {
        let key = stack.issue(json!({})).await;
        let _ = stack.lines.take();
        stack.wire.cut_after(calls);
        let (status, _) = stack.revoke(&key.id).await;
        stack.wire.mend();
        let line = stack.lines.only();
        let outcomes = stack.changes().await;
        let done = outcomes.iter().any(|item| {
            item["key"].as_s().unwrap() == &key.id
                && item["sk"].as_s().unwrap().ends_with("#outcome")
                && item["action"].as_s().unwrap() == "revoke"
        });
        assert_eq!(status == 200, done);
        lost += line["audit_lost"].as_u64().unwrap_or_default();
    }
    // Broken off before that, a change is repeated; once only the outcome was left to be written.
    assert_eq!(lost, 1);
}
