//! Promise 9: counted = allowed, to the one; and days become history without one use lost or doubled.

use std::sync::Arc;

use serde_json::json;
use shared::{
    decision::{Decision, Proof, Request, decide},
    store::charge::Charge,
    time::{DAY, Timestamp},
};
use tests::{Answer, Stack, event::Call};

async fn history(stack: &Stack) -> Vec<(String, u64)> {
    let items = stack.scan("UsageTable").await.into_iter();
    let mut days: Vec<_> =
        items.map(|item| (item["sk"].as_s().unwrap().clone(), item["count"].as_n().unwrap().parse().unwrap())).collect();
    days.sort();
    days
}

#[tokio::test]
async fn a_closed_day_is_folded_an_hour_after_its_end_and_not_before() {
    let stack = Stack::start().await;
    let midnight = Timestamp::parse("2028-03-01T00:00:00Z").unwrap().secs();
    stack.clock.set(midnight - 10);
    let key = stack.issue(json!({ "limits": [{ "requests": 100, "per": "day" }] })).await;
    let instance = stack.instance().await;
    for (second, expected) in [(midnight - 10, 0), (midnight + 3599, 0), (midnight + 3600, 1)] {
        stack.clock.set(second);
        assert_eq!(instance.get(&key.secret).await, Answer::Allowed);
        instance.settle().await;
        assert_eq!(history(&stack).await.len(), expected, "at {second}");
    }
    assert_eq!(history(&stack).await, [("20280229".to_owned(), 1)]);
    let ttl = stack.scan("UsageTable").await[0]["ttl"].as_n().unwrap().clone();
    assert_eq!(ttl, (midnight + 400 * DAY).to_string(), "kept for its retention, from the day's end on");
    let record = stack.record(&key.id).await;
    assert_eq!(
        record.counters.windows.iter().map(|(day, count)| (day.day(), *count)).collect::<Vec<_>>(),
        [(Some(20_280_301), 2)]
    );
    assert_eq!(record.counters.total, 3, "folding changes no total");
    assert!(record.swept.secs() >= midnight + 3595, "no late use can begin the folded day anew");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_instances_over_days_and_a_month_count_to_the_one() {
    let stack = Stack::start().await;
    let start = Timestamp::parse("2028-02-28T23:00:00Z").unwrap();
    stack.clock.set(start.secs());
    let key = stack.issue(json!({ "limits": [{ "requests": 7, "per": "second" }, { "requests": 90, "per": "month" }] })).await;
    let mut instances = Vec::new();
    for number in 0..64_i64 {
        instances.push(Arc::new(stack.instance_at(&stack.clock.skewed(number * 4000 / 63 - 2000)).await));
    }
    let mut allowed = 0;
    for _ in 0..30 {
        let uses = instances.iter().map(|instance| {
            let (instance, secret) = (instance.clone(), key.secret.clone());
            tokio::spawn(async move {
                let answer = instance.get(&secret).await;
                assert!(matches!(answer, Answer::Allowed | Answer::Limited), "{answer:?}");
                u64::from(answer == Answer::Allowed)
            })
        });
        for task in uses.collect::<Vec<_>>() {
            allowed += task.await.unwrap();
        }
        for instance in &instances {
            instance.settle().await;
        }
        stack.clock.advance(2 * 3600);
    }
    let record = stack.record(&key.id).await;
    let unfolded: u64 = record.counters.windows.iter().filter(|(window, _)| window.day().is_some()).map(|(_, count)| count).sum();
    let days = history(&stack).await;
    let folded: u64 = days.iter().map(|(_, count)| count).sum();
    assert_eq!(record.counters.total, allowed);
    assert_eq!(folded + unfolded, allowed, "every use is in one day, folded or not");
    assert_eq!(record.counters.generations.values().sum::<u64>(), allowed);
    assert!(days.len() >= 2, "{days:?}");
    let february: u64 = days.iter().filter(|(day, _)| day.starts_with("202802")).map(|(_, count)| count).sum();
    assert_eq!(february, 90, "the month's limit, counted over its last two days");
}

#[tokio::test]
async fn a_key_that_slept_for_weeks_is_tidied_up_after_its_next_use() {
    let stack = Stack::start().await;
    let key = stack.issue(json!({ "limits": [{ "requests": 10, "per": "second" }, { "requests": 100, "per": "minute" }] })).await;
    // Instances that all know the key from one second, and none of which sees the windows that the others begin and end.
    let mut instances = Vec::new();
    for _ in 0..24 {
        instances.push(stack.instance().await);
    }
    let refused = Call { method: "DELETE", ..Call::get(&key.secret) };
    for instance in &instances {
        assert_eq!(instance.call(&refused).await, Answer::Denied("scope_not_allowed".to_owned()), "knows the key now");
    }
    for instance in &instances {
        stack.clock.advance(1);
        assert_eq!(instance.get(&key.secret).await, Answer::Allowed);
    }
    let mut writes = 0;
    for instance in &instances {
        instance.settle().await;
        writes += instance.wire.take().iter().filter(|call| *call == "UpdateItem").count();
    }
    assert!(writes > 24, "{writes} writes of 24 uses: what had ended was swept after a response");
    let windows = stack.record(&key.id).await.counters.windows.len();
    assert!(windows < 20, "{windows} windows are left");
    stack.clock.advance(21 * DAY);
    let instance = stack.instance().await;
    for _ in 0..2 {
        assert_eq!(instance.get(&key.secret).await, Answer::Allowed);
        instance.settle().await;
    }
    let record = stack.record(&key.id).await;
    let names: Vec<_> = record.counters.windows.keys().map(ToString::to_string).collect();
    assert_eq!(names.len(), 3, "this second, this minute, this day: {names:?}");
    assert_eq!(history(&stack).await.iter().map(|(_, count)| count).sum::<u64>(), 24);
}

#[tokio::test]
async fn a_lost_answer_is_tried_again_and_counted_once() {
    let stack = Stack::start().await;
    let key = stack.issue(json!({ "limits": [{ "requests": 3, "per": "day" }] })).await;
    let instance = stack.instance().await;
    assert_eq!(instance.get(&key.secret).await, Answer::Allowed);
    let _ = instance.wire.take();
    instance.wire.lose_replies(0..1);
    assert_eq!(instance.get(&key.secret).await, Answer::Allowed);
    assert_eq!(instance.wire.take(), ["UpdateItem", "UpdateItem"]);
    assert_eq!(stack.record(&key.id).await.counters.total, 2, "the second try found that the first had landed");
    assert_eq!(instance.get(&key.secret).await, Answer::Allowed);
    assert_eq!(instance.get(&key.secret).await, Answer::Limited);
}

#[tokio::test]
async fn answers_that_stay_lost_are_our_fault_and_are_counted_once() {
    let stack = Stack::start().await;
    let key = stack.issue(json!({})).await;
    let instance = stack.instance().await;
    assert_eq!(instance.get(&key.secret).await, Answer::Allowed);
    instance.wire.lose_replies(0..100);
    assert_eq!(instance.get(&key.secret).await, Answer::Fault, "neither in nor 401 nor 429");
    assert_eq!(stack.record(&key.id).await.counters.total, 2, "allowed <= counted <= allowed + our own errors");
    instance.wire.mend();
    assert_eq!(instance.get(&key.secret).await, Answer::Allowed);
}

/// A first try that was held up on the way and arrives after its own repetition.
#[tokio::test]
async fn a_use_never_follows_itself() {
    let stack = Stack::start().await;
    let key = stack.issue(json!({})).await;
    let (store, record) = (stack.store(), stack.record(&key.id).await);
    let generation = &record.generations[0];
    let proof = Proof { number: generation.number, tag: generation.tag.clone() };
    let request = Request { method: "GET", path: None, route: shared::decision::Route::Api, address: None };
    let Ok(Decision::Proceed(r#use)) = decide(&record, &proof, &request, stack.clock.now()) else { panic!("allowed") };
    assert!(matches!(store.charge(&record.id, &r#use, "nonce").await, Ok(Charge::Counted(_))));
    match store.charge(&record.id, &r#use, "nonce").await {
        Ok(Charge::Refused(Some(found))) => assert_eq!((found.last_request.as_deref(), found.counters.total), (Some("nonce"), 1)),
        other => panic!("{other:?}"),
    }
}
