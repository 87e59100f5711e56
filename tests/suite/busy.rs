//! Keys with more attempts than one request may read: what is rare among them is found, or is said not to be known.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use serde_json::{Value, json};
use shared::{store::copies::of_key, time::Timestamp};
use tests::{Answer, Instance, Stack, event::Call};

const AUDIT: &str = "/v1/keys/{id}/audit";
const ADVICE: &str = "/v1/keys/{id}/advice";
const USAGE: &str = "/v1/keys/{id}/usage";

/// So many rows of that size are more than one request may read.
const TOO_MANY: u64 = 70;
const LARGE: usize = 380_000;

/// Rows of attempts with a key, in the past from `before` on, each `padding` bytes larger than a real one.
async fn fill(stack: &Stack, key: &str, before: Timestamp, outcome: &str, generation: u32, (rows, padding): (u64, usize)) {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let class = if outcome == "allowed" { "allowed" } else { "refused" };
    let rows: Vec<_> = (1..=rows)
        .map(|n| {
            let millis = before.secs() * 1000 - n;
            let id = format!("{:08x}-{:04x}-7000-8000-{n:012x}", millis >> 16, millis & 0xffff);
            let item = HashMap::from([
                ("pk".to_owned(), text(&of_key(key, Timestamp::from_secs(millis / 1000)))),
                ("sk".to_owned(), text(&format!("{class}#{id}"))),
                ("at_ms".to_owned(), AttributeValue::N(millis.to_string())),
                ("outcome".to_owned(), text(outcome)),
                ("generation".to_owned(), AttributeValue::N(generation.to_string())),
                ("method".to_owned(), text("GET")),
                ("path".to_owned(), text("/example")),
                ("source_ip".to_owned(), text("192.0.2.1")),
                ("padding".to_owned(), text(&"x".repeat(padding))),
            ]);
            let put = PutRequest::builder().set_item(Some(item)).build().unwrap();
            WriteRequest::builder().put_request(put).build()
        })
        .collect();
    for batch in rows.chunks(25) {
        let write = stack.engine.dynamodb().batch_write_item().request_items(stack.table("AuditTable"), batch.to_vec());
        assert!(write.send().await.unwrap().unprocessed_items().is_none_or(HashMap::is_empty));
    }
}

async fn get_as(instance: &Instance, secret: &str, user_agent: &str) {
    let mut event = Call::get(secret).rest();
    event["requestContext"]["identity"]["userAgent"] = json!(user_agent);
    let answer = instance.answer(event).await;
    assert_eq!(instance.read(&answer), Answer::Allowed);
}

fn codes(answer: &Value) -> Vec<&str> {
    answer["advice"].as_array().unwrap().iter().map(|advice| advice["code"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn the_last_users_of_an_old_secret_are_found_among_many_uses_of_the_new_one() {
    let stack = Stack::start().await;
    let key = stack.issue(json!({})).await;
    let instance = stack.instance().await;
    assert!(stack.show(&key.id).await.get("old_secret").is_none(), "there is none");
    instance.get(&key.secret).await;
    stack.clock.advance(60);
    stack.rotate(&key.id, &json!({})).await;
    for (user_agent, times) in [("curl/8", 1), ("cron", 2)] {
        for _ in 0..times {
            get_as(&instance, &key.secret, user_agent).await;
            stack.clock.advance(1);
        }
    }
    instance.close().await;
    stack.clock.advance(600);
    fill(&stack, &key.id, stack.clock.now(), "allowed", 2, (6000, 0)).await;
    let expected = json!({
        "generation": 1,
        "uses": 3,
        "used_by": [
            { "source_ip": "203.0.113.7", "user_agent": "cron", "uses": 2, "last_used_at": "2027-01-15T08:01:02.000Z" },
            { "source_ip": "203.0.113.7", "user_agent": "curl/8", "uses": 1, "last_used_at": "2027-01-15T08:01:00.000Z" },
        ],
        "complete": true,
    });
    assert_eq!(stack.show(&key.id).await["old_secret"], expected, "not what was before it was replaced");
    let (_, advice) = stack.ask(ADVICE, Some(&key.id), &[]).await;
    assert_eq!(codes(&advice), ["unused_scopes", "allowlist", "old_secret_in_use"]);
    assert_eq!((&advice["advice"][2]["used_by"], &advice["based_on"]["uses"]), (&expected["used_by"], &json!(6004)));
}

#[tokio::test]
async fn of_uses_that_were_not_all_seen_nothing_is_called_unused() {
    let stack = Stack::start().await;
    let key = stack.issue(json!({})).await;
    let instance = stack.instance().await;
    stack.rotate(&key.id, &json!({})).await;
    instance.get(&key.secret).await;
    instance.close().await;
    let shown = stack.show(&key.id).await;
    assert_eq!((&shown["old_secret"]["uses"], &shown["old_secret"]["complete"]), (&json!(1), &json!(true)));
    stack.clock.advance(600);
    fill(&stack, &key.id, stack.clock.now(), "allowed", 2, (TOO_MANY, LARGE)).await;
    let _ = stack.wire.take();
    let shown = stack.show(&key.id).await;
    let unknown = json!({ "generation": 1, "uses": 0, "used_by": [], "complete": false });
    assert_eq!(shown["old_secret"], unknown, "nobody was found, and nobody says that there is none");
    let (status, advice) = stack.ask(ADVICE, Some(&key.id), &[]).await;
    assert_eq!((status, &advice["based_on"]["complete"]), (200, &json!(false)), "{advice}");
    assert_eq!(codes(&advice), [""; 0], "{advice}");
    let calls = stack.wire.take().len();
    assert!(calls < 100, "{calls} calls of a bounded question");
}

#[tokio::test]
async fn where_uses_have_no_copies_nobody_is_said_not_to_use_anything() {
    let stack = Stack::start_with(&[("AuditedAttempts", "refusals")]).await;
    let key = stack.issue(json!({})).await;
    let instance = stack.instance().await;
    stack.rotate(&key.id, &json!({})).await;
    instance.get(&key.secret).await;
    instance.call(&Call { method: "DELETE", ..Call::get(&key.secret) }).await;
    instance.close().await;
    let unknown = json!({ "generation": 1, "uses": 0, "used_by": [], "complete": false });
    assert_eq!(stack.show(&key.id).await["old_secret"], unknown);
    let (_, advice) = stack.ask(ADVICE, Some(&key.id), &[]).await;
    assert_eq!((codes(&advice), &advice["based_on"]["complete"]), (vec![], &json!(false)), "{advice}");
}

#[tokio::test]
async fn a_rare_refusal_is_found_among_many_others_in_bounded_steps() {
    let stack = Stack::start().await;
    let key = stack.issue(json!({})).await;
    let instance = stack.instance().await;
    instance.call(&Call { method: "DELETE", ..Call::get(&key.secret) }).await;
    instance.close().await;
    stack.clock.advance(60);
    fill(&stack, &key.id, stack.clock.now(), "rate_limited", 1, (2 * TOO_MANY, LARGE)).await;
    let (mut cursor, mut found) = (None::<String>, Vec::new());
    for page in 1.. {
        let mut query = vec![("outcome", "scope_not_allowed")];
        query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
        let _ = stack.wire.take();
        let (status, answer) = stack.ask(AUDIT, Some(&key.id), &query).await;
        assert_eq!(status, 200, "{answer}");
        let calls = stack.wire.take().len();
        assert!(calls < 40, "{calls} calls of a bounded question");
        found.extend(answer["attempts"].as_array().unwrap().clone());
        match answer["next_cursor"].as_str() {
            Some(next) => cursor = Some(next.to_owned()),
            None => {
                assert!((3..=4).contains(&page), "{page} pages");
                break;
            }
        }
    }
    assert_eq!((found.len(), &found[0]["method"]), (1, &json!("DELETE")));
    // One that is frequent has pages of the size that was asked for, and each attempt once.
    let query = [("outcome", "rate_limited"), ("limit", "1")];
    let (_, first) = stack.ask(AUDIT, Some(&key.id), &query).await;
    let next = first["next_cursor"].as_str().unwrap();
    let (_, second) = stack.ask(AUDIT, Some(&key.id), &[query[0], query[1], ("cursor", next)]).await;
    let at = |page: &Value| (page["attempts"].as_array().unwrap().len(), page["attempts"][0]["at"].clone());
    assert_eq!((at(&first), at(&second)), ((1, json!("2027-01-15T08:00:59.999Z")), (1, json!("2027-01-15T08:00:59.998Z"))));
}

#[tokio::test]
async fn usage_answers_however_often_a_key_was_refused_and_says_what_it_left_out() {
    let stack = Stack::start_with(&[("AuditRetentionDays", "40")]).await;
    let key = stack.issue(json!({})).await;
    let instance = stack.instance().await;
    instance.get(&key.secret).await;
    stack.clock.advance(10 * 86_400);
    for day in 0..10 {
        let before = stack.clock.now().minus(day * 86_400);
        fill(&stack, &key.id, before, "rate_limited", 1, (TOO_MANY / 5, LARGE)).await;
    }
    let _ = stack.wire.take();
    let (status, usage) = stack.ask(USAGE, Some(&key.id), &[]).await;
    assert_eq!((status, &usage["total"]["allowed"], &usage["refusals_cut_off"]), (200, &json!(1), &json!(true)));
    let told = usage["total"]["refused"]["rate_limited"].as_u64().unwrap();
    assert!((TOO_MANY / 2..2 * TOO_MANY).contains(&told), "{told}");
    let newest = &usage["usage"].as_array().unwrap().last().unwrap()["refused"]["rate_limited"];
    assert!(newest.as_u64() >= Some(TOO_MANY / 10), "the newest days first: {newest}");
    let calls = stack.wire.take().len();
    assert!(calls < 80, "{calls} calls of a bounded question");
    // Days of which no refusals are kept are no days without refusals.
    let ask = async |from: &str| stack.ask(USAGE, Some(&key.id), &[("from", from), ("to", "2027-01-10")]).await.1;
    assert_eq!(ask("2026-12-17").await["refusals_cut_off"], false);
    assert_eq!(ask("2026-12-15").await["refusals_cut_off"], true);
}
