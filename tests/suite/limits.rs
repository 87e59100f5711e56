//! Promise 3: never over-admit, however many instances run and whatever their clocks.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::json;
use shared::{
    limit::{Period, Window},
    record::Record,
    time::{DAY, Timestamp},
};
use tests::{Answer, Clock, Instance, Stack};

/// How many uses are admitted when each instance tries its secret so many times, all at once. Nobody is refused but by a limit.
pub(crate) async fn admitted(callers: Vec<(Instance, String)>, tries: usize) -> u64 {
    let mut tasks = Vec::new();
    for (instance, secret) in callers {
        tasks.push(tokio::spawn(async move {
            let mut admitted = 0;
            for _ in 0..tries {
                match instance.get(&secret).await {
                    Answer::Allowed => admitted += 1,
                    Answer::Limited => {}
                    other => panic!("{other:?}"),
                }
            }
            admitted
        }));
    }
    let mut admitted = 0;
    for task in tasks {
        admitted += task.await.unwrap();
    }
    admitted
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_instances_admit_exactly_the_limit() {
    let stack = Stack::start().await;
    let key = stack.issue(json!({ "limits": [{ "requests": 1000, "per": "hour" }] })).await;
    let mut callers = Vec::new();
    for _ in 0..64 {
        callers.push((stack.instance().await, key.secret.clone()));
    }
    assert_eq!(admitted(callers, 40).await, 1000, "of 2,560 attempts");
    assert_eq!(stack.record(&key.id).await.counters.total, 1000);
}

/// The most that each window was ever seen to count.
#[derive(Default)]
struct Seen(BTreeMap<Window, u64>);

impl Seen {
    fn note(&mut self, record: &Record) {
        for (window, count) in &record.counters.windows {
            let most = self.0.entry(*window).or_default();
            assert!(count >= most, "{window} fell from {most} to {count}: it was begun anew");
            *most = *count;
        }
    }

    fn of(&self, period: Period) -> impl Iterator<Item = u64> {
        self.0.iter().filter(move |(window, _)| window.period == period).map(|(_, count)| *count)
    }
}

/// 64 instances, their clocks up to 4 s apart, press on a key for `seconds` around `start`. Every window is watched.
async fn press(stack: &Stack, start: Timestamp, seconds: u64, limits: serde_json::Value) -> (u64, Seen, Record) {
    stack.clock.set(start.secs());
    let key = stack.issue(json!({ "limits": limits })).await;
    let mut instances = Vec::new();
    for number in 0..64_i64 {
        let clock: Clock = stack.clock.skewed(number * 4000 / 63 - 2000);
        instances.push(Arc::new(stack.instance_at(&clock).await));
    }
    let (mut admitted, mut seen) = (0, Seen::default());
    for _ in 0..seconds {
        let tasks: Vec<_> = instances.iter().map(|instance| tokio::spawn(twice(instance.clone(), key.secret.clone()))).collect();
        for task in tasks {
            admitted += task.await.unwrap();
        }
        seen.note(&stack.record(&key.id).await);
        stack.clock.advance(1);
    }
    for instance in &instances {
        instance.settle().await;
    }
    (admitted, seen, stack.record(&key.id).await)
}

async fn twice(instance: Arc<Instance>, secret: String) -> u64 {
    let mut admitted = 0;
    for _ in 0..2 {
        match instance.get(&secret).await {
            Answer::Allowed => admitted += 1,
            Answer::Limited => {}
            other => panic!("{other:?}"),
        }
    }
    admitted
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn seconds_change_under_skewed_clocks_without_one_use_too_many() {
    let stack = Stack::start().await;
    let (admitted, seen, record) =
        press(&stack, Timestamp::from_secs(tests::NOW), 12, json!([{ "requests": 5, "per": "second" }])).await;
    assert!(seen.of(Period::Second).all(|count| count <= 5));
    assert_eq!(seen.of(Period::Second).sum::<u64>(), admitted, "every admitted use is in one window");
    assert!(seen.of(Period::Second).count() >= 12, "windows are swept, and new ones begin");
    assert!(record.counters.windows.len() < 30, "{} windows are left", record.counters.windows.len());
    assert_eq!(record.counters.total, admitted);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn days_and_months_change_under_skewed_clocks_without_one_use_too_many() {
    let stack = Stack::start().await;
    let start = Timestamp::parse("2028-02-29T23:59:56Z").unwrap();
    let limits = json!([{ "requests": 250, "per": "month" }]);
    let (admitted, seen, record) = press(&stack, start, 8, limits).await;
    let day = |day: u32| seen.0.iter().find(|(window, _)| window.day() == Some(day)).map_or(0, |(_, count)| *count);
    assert_eq!(seen.of(Period::Month).collect::<Vec<_>>(), [250, 250]);
    assert_eq!((day(20_280_229), day(20_280_301)), (250, 250), "the month's limit, in each of the two months");
    assert_eq!(admitted, 500);
    assert_eq!(record.counters.total, 500);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_changes_under_skewed_clocks_without_one_use_too_many() {
    let stack = Stack::start().await;
    let start = Timestamp::parse("2027-12-31T23:59:56Z").unwrap();
    let (admitted, seen, _) = press(&stack, start, 8, json!([{ "requests": 200, "per": "day" }])).await;
    assert_eq!(seen.of(Period::Day).collect::<Vec<_>>(), [200, 200]);
    assert_eq!(admitted, 400);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_a_minute_behind_is_our_own_fault_and_lets_nobody_in() {
    let stack = Stack::start().await;
    let key = stack.issue(json!({ "limits": [{ "requests": 1, "per": "second" }] })).await;
    let instance = stack.instance().await;
    assert_eq!(instance.get(&key.secret).await, Answer::Allowed);
    stack.clock.advance(DAY);
    assert_eq!(instance.get(&key.secret).await, Answer::Allowed, "and sweeps");
    let slow = |seconds: i64| stack.clock.skewed(-seconds * 1000);
    assert_eq!(stack.instance_at(&slow(30)).await.get(&key.secret).await, Answer::Allowed, "counted as the moment of the sweep");
    assert_eq!(stack.instance_at(&slow(66)).await.get(&key.secret).await, Answer::Fault);
}

#[tokio::test]
async fn changing_a_limit_neither_resets_nor_doubles_what_was_counted() {
    let stack = Stack::start().await;
    let key = stack.issue(json!({ "limits": [{ "requests": 2, "per": "hour" }] })).await;
    let instance = stack.instance().await;
    for _ in 0..2 {
        assert_eq!(instance.get(&key.secret).await, Answer::Allowed);
    }
    assert_eq!(instance.get(&key.secret).await, Answer::Limited);
    assert_eq!(stack.update(&key.id, &json!({ "limits": [] })).await.0, 200);
    stack.clock.advance(1);
    assert_eq!(instance.get(&key.secret).await, Answer::Allowed);
    assert_eq!(stack.update(&key.id, &json!({ "limits": [{ "requests": 3, "per": "hour" }] })).await.0, 200);
    stack.clock.advance(1);
    assert_eq!(instance.get(&key.secret).await, Answer::Allowed, "uses without a limit had no window to be counted in");
    assert_eq!(instance.get(&key.secret).await, Answer::Limited);
    let (status, rotated) = stack.rotate(&key.id, &json!({})).await;
    assert_eq!(status, 200);
    assert_eq!(instance.get(rotated["secret"].as_str().unwrap()).await, Answer::Limited, "rotating changes no counter");
}
