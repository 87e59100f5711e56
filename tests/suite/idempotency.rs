//! `Idempotency-Key`: however often a request is sent, at most one secret of it lives, and it is one that was answered.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use shared::{id::KeyId, idempotency::Claim, lambda::Function};
use tests::{
    Answer, Issued, Stack,
    event::{management, own, with_header},
    stack::{self, issued},
};

const ROTATE: &str = "/v1/keys/{id}/rotate";

fn order() -> Value {
    json!({ "name": "again", "owner": { "type": "user", "id": "1" }, "environment": "live", "scopes": ["read"] })
}

async fn issue(stack: &Stack, text: &str, body: &Value) -> (u16, Value) {
    stack.send(with_header(management("POST", "/v1/keys", None, &[], &body.to_string()), "Idempotency-Key", &[text])).await
}

async fn rotate(stack: &Stack, id: &str, text: &str, body: &Value) -> (u16, Value) {
    stack.send(with_header(management("POST", ROTATE, Some(id), &[], &body.to_string()), "Idempotency-Key", &[text])).await
}

/// How many keys there are.
async fn keys(stack: &Stack) -> usize {
    stack.scan("KeysTable").await.iter().filter(|item| item["sk"].as_s().unwrap() == "key").count()
}

/// Which of the secrets work, with an instance that knows none of them.
async fn working<'a>(stack: &Stack, secrets: &[&'a str]) -> Vec<&'a str> {
    let instance = stack.instance().await;
    let mut working = Vec::new();
    for secret in secrets {
        if instance.get(secret).await == Answer::Allowed {
            working.push(*secret);
        }
    }
    working
}

#[tokio::test]
async fn issuing_again_makes_no_second_key_and_replaces_the_secret_that_nobody_saw() {
    let stack = Stack::start().await;
    let mut answers = Vec::new();
    for _ in 0..3 {
        let (status, answer) = issue(&stack, "one", &order()).await;
        assert_eq!(status, 201, "{answer}");
        answers.push(issued(&answer));
    }
    assert!(answers.iter().all(|answer| answer.id == answers[0].id), "it is one key");
    assert_eq!(keys(&stack).await, 1);
    let secrets: Vec<_> = answers.iter().map(|answer| answer.secret.as_str()).collect();
    assert_eq!(working(&stack, &secrets).await, [secrets[2]], "only the last one that was answered");
    assert_eq!(stack.show(&answers[0].id).await["generations"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_secret_that_has_been_used_is_never_taken_away_by_a_retry() {
    let stack = Stack::start().await;
    let (_, answer) = issue(&stack, "one", &order()).await;
    let first = issued(&answer);
    assert_eq!(working(&stack, &[&first.secret]).await.len(), 1);
    let (status, problem) = issue(&stack, "one", &order()).await;
    assert_eq!((status, &problem["code"]), (409, &json!("secret_in_use")));
    let (_, answer) = rotate(&stack, &first.id, "two", &json!({})).await;
    let second = issued(&answer);
    assert_eq!(working(&stack, &[&first.secret, &second.secret]).await.len(), 2);
    let (status, problem) = rotate(&stack, &first.id, "two", &json!({})).await;
    assert_eq!((status, &problem["code"]), (409, &json!("secret_in_use")));
    assert_eq!(working(&stack, &[&first.secret, &second.secret]).await.len(), 2);
    stack.revoke(&first.id).await;
    assert_eq!(rotate(&stack, &first.id, "two", &json!({})).await.1["code"], "key_revoked");
    assert_eq!(issue(&stack, "one", &order()).await.1["code"], "key_revoked");
}

#[tokio::test]
async fn another_body_is_refused_and_another_caller_operation_key_or_day_is_another_request() {
    let stack = Stack::start().await;
    let (_, first) = issue(&stack, "one", &order()).await;
    let mut other = order();
    other["name"] = json!("different");
    let calls = stack.wire.take().len();
    let (status, problem) = issue(&stack, "one", &other).await;
    assert_eq!((status, &problem["code"]), (422, &json!("idempotency_key_reused")));
    assert!(calls > 1 && stack.wire.take().len() == 1, "before anything is hashed or written");
    // The order of its members is not another body.
    let reordered =
        "{\"scopes\":[\"read\"],\"environment\":\"live\",\"owner\":{\"id\":\"1\",\"type\":\"user\"},\"name\":\"again\"}";
    let event = with_header(management("POST", "/v1/keys", None, &[], reordered), "Idempotency-Key", &["\"one\""]);
    let (status, again) = stack.send(event.clone()).await;
    assert_eq!((status, &again["id"]), (201, &first["id"]));
    let mut of_another = event.clone();
    of_another["requestContext"]["authorizer"]["keyId"] = json!("key_other");
    assert_ne!(stack.send(of_another).await.1["id"], first["id"]);
    let id = first["id"].as_str().unwrap();
    assert_eq!(rotate(&stack, id, "one", &order()).await.1["code"], "unknown_field", "rotating is another operation");
    assert_eq!(rotate(&stack, id, "one", &json!({})).await.0, 200);
    assert_eq!(rotate(&stack, id, "one", &json!({ "grace_seconds": 5 })).await.0, 422);
    let two = stack.issue(json!({})).await;
    assert_eq!(rotate(&stack, &two.id, "one", &json!({ "grace_seconds": 5 })).await.0, 200, "of another key");
    stack.clock.advance(86_400);
    assert_ne!(stack.send(event).await.1["id"], first["id"], "after a day");
}

#[tokio::test]
async fn a_header_that_is_no_text_is_refused() {
    let stack = Stack::start().await;
    let long = "x".repeat(129);
    for lines in [&["a", "b"][..], &[""], &["with space"], &["ä"], &["\"open"], &[&long]] {
        let event = with_header(management("POST", "/v1/keys", None, &[], &order().to_string()), "Idempotency-Key", lines);
        let (status, problem) = stack.send(event).await;
        assert_eq!((status, &problem["field"]), (400, &json!("Idempotency-Key")), "{lines:?}");
    }
    assert_eq!(keys(&stack).await, 0);
}

#[tokio::test]
async fn a_retry_after_every_way_to_break_off_leaves_one_key_and_one_secret() {
    let stack = Stack::start().await;
    let mut broken = 0;
    for lost in [false, true] {
        for calls in 0..14 {
            stack.clock.advance(10);
            let before = keys(&stack).await;
            let text = format!("{lost}-{calls}");
            if lost {
                stack.wire.lose_replies(calls..calls + 1);
            } else {
                stack.wire.cut_after(calls);
            }
            let (status, first) = issue(&stack, &text, &order()).await;
            stack.wire.mend();
            broken += usize::from(status != 201);
            assert!([201, 503].contains(&status), "{first}");
            stack.clock.advance(10);
            let (status, answer) = issue(&stack, &text, &order()).await;
            assert_eq!(status, 201, "{lost} {calls} {answer}");
            assert_eq!(keys(&stack).await, before + 1, "{lost} {calls}");
            let again = issued(&answer);
            assert_eq!(working(&stack, &[&again.secret]).await.len(), 1, "{lost} {calls}");
            if let Some(secret) = first["secret"].as_str() {
                assert_eq!(working(&stack, &[secret]).await.len(), 0);
            }
            assert_eq!(stack.show(&again.id).await["generations"].as_array().unwrap().len(), 1);
        }
    }
    assert!(broken >= 3, "{broken}");
}

#[tokio::test]
async fn a_rotation_sent_again_after_every_way_to_break_off_leaves_the_old_secret_and_one_new_one() {
    let stack = Stack::start().await;
    let mut broken = 0;
    for lost in [false, true] {
        for calls in 0..16 {
            stack.clock.advance(10);
            let old = stack.issue(json!({})).await;
            assert_eq!(working(&stack, &[&old.secret]).await.len(), 1);
            if lost {
                stack.wire.lose_replies(calls..calls + 1);
            } else {
                stack.wire.cut_after(calls);
            }
            let (status, first) = rotate(&stack, &old.id, "again", &json!({})).await;
            stack.wire.mend();
            broken += usize::from(status != 200);
            stack.clock.advance(10);
            let (status, answer) = rotate(&stack, &old.id, "again", &json!({})).await;
            assert_eq!(status, 200, "{lost} {calls} {first} {answer}");
            let new = issued(&answer);
            assert_eq!(working(&stack, &[&old.secret, &new.secret]).await.len(), 2, "{lost} {calls}");
            if let Some(secret) = first["secret"].as_str() {
                assert_eq!(working(&stack, &[secret]).await.len(), 0);
            }
            let shown = stack.show(&old.id).await;
            assert_eq!(shown["generations"].as_array().unwrap().len(), 2, "{shown}");
        }
    }
    assert!(broken >= 10, "{broken}");
}

#[tokio::test]
async fn the_version_that_a_rotation_has_made_itself_is_no_reason_to_refuse_its_retry() {
    let stack = Stack::start().await;
    let key = stack.issue(json!({})).await;
    let event = with_header(management("POST", ROTATE, Some(&key.id), &[], "{}"), "Idempotency-Key", &["one"]);
    let event = with_header(event, "If-Match", &["\"1\""]);
    assert_eq!(stack.send(event.clone()).await.0, 200);
    assert_eq!(stack.send(event.clone()).await.0, 200);
    // What somebody else has made, is: of a request that has made nothing.
    let other = stack.issue(json!({})).await;
    stack.update(&other.id, &json!({ "name": "changed" })).await;
    let event = with_header(management("POST", ROTATE, Some(&other.id), &[], "{}"), "Idempotency-Key", &["one"]);
    assert_eq!(stack.send(with_header(event.clone(), "If-Match", &["\"1\""])).await.0, 412);
    assert_eq!(stack.send(with_header(event, "If-Match", &["\"2\""])).await.0, 200, "and it may be sent again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_retries_at_once_leave_one_working_secret_which_was_answered() {
    let stack = Arc::new(Stack::start().await);
    for round in 0..3 {
        let before = keys(&stack).await;
        let tasks = (0..20).map(|_| {
            let stack = stack.clone();
            tokio::spawn(async move { issue(&stack, &format!("race {round}").replace(' ', "-"), &order()).await })
        });
        let mut answered: Vec<Issued> = Vec::new();
        for task in tasks.collect::<Vec<_>>() {
            match task.await.unwrap() {
                (201, answer) => answered.push(issued(&answer)),
                (status, problem) => assert_eq!((status, &problem["code"]), (409, &json!("changed_meanwhile")), "{problem}"),
            }
        }
        assert_eq!(keys(&stack).await, before + 1);
        let secrets: Vec<_> = answered.iter().map(|answer| answer.secret.as_str()).collect();
        assert_eq!(working(&stack, &secrets).await.len(), 1, "of {} that were answered", secrets.len());
    }
}

/// What comes of a rotation that is held after so many calls until something else is done, and of that.
async fn held<T>(stack: &Stack, id: &str, calls: usize, meanwhile: impl Future<Output = T>) -> ((u16, Value), T) {
    let (slow, wire) = stack.rotator().await;
    wire.hold_after(calls);
    let event = with_header(management("POST", ROTATE, Some(id), &[], "{}"), "Idempotency-Key", &["one"]);
    // On a thread of its own: the wire blocks the one that it holds.
    let slow = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        stack::read(&runtime.block_on(slow.call(event)).expect("an answer"))
    });
    while !wire.is_holding() && !slow.is_finished() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let done = meanwhile.await;
    wire.mend();
    while !slow.is_finished() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    (slow.join().unwrap(), done)
}

#[tokio::test]
async fn a_rotation_sent_twice_at_once_and_once_more_later_ends_no_secret_that_was_made_since() {
    let stack = Stack::start().await;
    for begun in [false, true] {
        for calls in 0..16 {
            let old = stack.issue(json!({})).await;
            assert_eq!(working(&stack, &[&old.secret]).await.len(), 1);
            if begun {
                // Remembered, and nothing has come of it: both that follow go on with it.
                stack.wire.cut_after(5);
                assert_eq!(rotate(&stack, &old.id, "one", &json!({})).await.0, 503);
                stack.wire.mend();
            }
            let (slow, fast) = held(&stack, &old.id, calls, rotate(&stack, &old.id, "one", &json!({}))).await;
            for (status, answer) in [&slow, &fast] {
                assert!([200, 409].contains(status), "{begun} {calls}: {answer}");
            }
            let answered: Vec<_> = [&slow, &fast].iter().filter_map(|(_, answer)| answer["secret"].as_str()).collect();
            let used = working(&stack, &answered).await;
            assert_eq!(used.len(), 1, "{begun} {calls}");
            let (status, newer) = stack.rotate(&old.id, &json!({ "force": true })).await;
            assert_eq!(status, 200, "{newer}");
            let (status, problem) = rotate(&stack, &old.id, "one", &json!({})).await;
            assert_eq!((status, &problem["code"]), (409, &json!("secret_in_use")), "{begun} {calls}: {problem}");
            let newer = issued(&newer);
            assert_eq!(working(&stack, &[used[0], &newer.secret]).await.len(), 2, "{begun} {calls}");
        }
    }
}

#[tokio::test]
async fn a_rotation_that_lost_against_another_one_may_be_sent_again() {
    let stack = Stack::start().await;
    let old = stack.issue(json!({})).await;
    // What is remembered, record, about, intent, remembering it, note, alias: the next call is the commit.
    let (lost, _) = held(&stack, &old.id, 7, stack.rotate(&old.id, &json!({}))).await;
    assert_eq!((lost.0, &lost.1["code"]), (409, &json!("changed_meanwhile")), "{}", lost.1);
    let (status, again) = rotate(&stack, &old.id, "one", &json!({})).await;
    assert_eq!((status, &again["version"]), (200, &json!(3)), "{again}");
    // But not once somebody has rotated the key since it was told so.
    let old = stack.issue(json!({})).await;
    held(&stack, &old.id, 7, stack.rotate(&old.id, &json!({}))).await;
    let (_, newer) = stack.rotate(&old.id, &json!({})).await;
    assert_eq!(rotate(&stack, &old.id, "one", &json!({})).await.1["code"], "secret_in_use");
    assert_eq!(working(&stack, &[&old.secret, newer["secret"].as_str().unwrap()]).await.len(), 2);
}

#[tokio::test]
async fn a_copy_of_remembering_a_request_is_no_other_sending_of_it() {
    let stack = Stack::start().await;
    let store = stack.store();
    let (claim, now) = (Claim { place: "p".to_owned(), fingerprint: "f".to_owned() }, stack.clock.now());
    let id = KeyId::parse("key_0123456789abcdefghijkl").unwrap();
    for (tag, own) in [("first", true), ("first", true), ("other", false)] {
        assert_eq!(store.remember(&claim, &id, (2, tag), now).await.unwrap(), own, "{tag}");
    }
    let remembered = store.remembered(&claim, now).await.unwrap().unwrap();
    for (tag, own) in [("second", true), ("second", true), ("other", false)] {
        assert_eq!(store.remember_also(&claim, &remembered, (3, tag)).await.unwrap(), own, "{tag}");
    }
    store.reopen(&claim, "first", 5).await.unwrap();
    let remembered = store.remembered(&claim, now).await.unwrap().unwrap();
    assert_eq!((remembered.tags.join(" "), remembered.number), ("first second".to_owned(), 3), "and isn't opened again");
}

#[tokio::test]
async fn a_key_that_rotates_itself_may_ask_again() {
    let stack = Stack::start().await;
    let key = stack.issue(json!({ "scopes": ["read", "self:rotate"] })).await;
    let ask = || with_header(own("POST", "/v1/self/rotate", &key.id, (1, "read,self:rotate"), "{}"), "Idempotency-Key", &["one"]);
    let (_, first) = stack.send(ask()).await;
    let (status, second) = stack.send(ask()).await;
    assert_eq!((status, &second["generation"]), (200, &json!(3)));
    let secrets = [key.secret.as_str(), first["secret"].as_str().unwrap(), second["secret"].as_str().unwrap()];
    assert_eq!(working(&stack, &secrets).await, [secrets[0], secrets[2]]);
}

#[tokio::test]
async fn what_is_remembered_holds_no_secret_and_ends_after_a_day() {
    let stack = Stack::start().await;
    let (_, answer) = issue(&stack, "my-very-own-text", &order()).await;
    let items = stack.scan("KeysTable").await;
    let item = items.iter().find(|item| item["pk"].as_s().unwrap().starts_with("idempotency#")).unwrap();
    let all = format!("{item:?}");
    assert!(!all.contains("my-very-own-text") && !all.contains(&answer["secret"].as_str().unwrap()[13..]));
    assert_eq!(item["ttl"].as_n().unwrap(), &(stack.clock.now().secs() + 86_400).to_string());
}
