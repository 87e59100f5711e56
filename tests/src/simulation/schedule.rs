//! What happens in a simulation: one step after the other, by the dice.

use std::time::Duration;

use fastrand::Rng;
use serde_json::{Value, json};

use super::{
    job::{Change, Held, Job},
    model::Model,
    oracle::{generations, number, text},
};
use crate::proxy::{Fault, Odds, Weather};

/// Addresses that callers come from: the first is on every allowlist here.
const ADDRESSES: [&str; 2] = ["203.0.113.7", "198.51.100.9"];

/// The operations that break one at a time.
const OPERATIONS: [&str; 8] = [
    "UpdateItem",
    "GetItem",
    "PutItem",
    "TransactWriteItems",
    "GetSecretValue",
    "Query",
    "ExecuteStatement",
    "BatchExecuteStatement",
];

/// A step.
#[derive(Clone, Debug)]
pub enum Step {
    /// These at about the same time: the job, when it begins, and when its sandbox is killed.
    Together(Vec<(Job, Duration, Option<Duration>)>),
    /// Nothing, for so long.
    Wait(Duration),
    /// Nothing, until so many seconds before the next midnight UTC.
    Midnight(u64),
    /// Another weather.
    Weather(Box<Weather>),
    /// One sandbox's clock steps.
    Clock,
    /// One sandbox is replaced by a cold one.
    Restart,
    /// The operator takes the next step of changing peppers, if it can be taken.
    Peppers,
    /// DynamoDB removes some of what has reached its end.
    Ttl,
}

/// The next step.
pub fn next(rng: &mut Rng, model: &Model, calm: bool) -> Step {
    if known(model).next().is_none() || rng.u8(0..30) == 0 {
        return Step::Together(vec![(Job::Issue(order(rng, model)), Duration::ZERO, None)]);
    }
    if model.peppers_change && rng.u8(0..6) == 0 {
        return Step::Peppers;
    }
    match rng.u8(0..100) {
        0..62 => {
            let jobs = (0..rng.usize(1..=4)).map(|_| with_fate(rng, model, calm)).collect();
            Step::Together(jobs)
        }
        62..76 => Step::Wait(wait(rng)),
        76..80 => Step::Midnight(rng.u64(0..4)),
        80..91 if !calm => Step::Weather(Box::new(weather(rng))),
        80..92 => Step::Clock,
        92..94 => Step::Restart,
        94..97 => Step::Peppers,
        _ => Step::Ttl,
    }
}

/// The keys that somebody was answered with: of any other, nobody knows the id.
fn known(model: &Model) -> impl Iterator<Item = &String> {
    model.keys.iter().filter(|(_, key)| !key.answered.is_empty()).map(|(id, _)| id)
}

/// A job, when it begins, and when its sandbox is killed.
fn with_fate(rng: &mut Rng, model: &Model, calm: bool) -> (Job, Duration, Option<Duration>) {
    let killed = (!calm && rng.u8(0..25) == 0).then(|| Duration::from_millis(rng.u64(0..200)));
    (job(rng, model), Duration::from_millis(rng.u64(0..60)), killed)
}

fn job(rng: &mut Rng, model: &Model) -> Job {
    let ids: Vec<_> = known(model).collect();
    let id = ids[rng.usize(0..ids.len())].clone();
    match rng.u8(0..100) {
        0..60 => Job::Use {
            held: secret(rng, model, &id),
            method: if rng.u8(0..8) == 0 { "POST" } else { "GET" },
            address: ADDRESSES[usize::from(rng.u8(0..8) == 0)],
        },
        60..65 => Job::Show(id),
        65..67 => Job::List,
        67..70 => Job::Share(limits(rng)),
        _ => {
            let change = change(rng, model, &id);
            // Mostly the version that it has, at times the one before.
            let version = model.keys.get(&id).and_then(super::model::Key::now).and_then(|item| number(item, "version"));
            let version =
                version.filter(|_| rng.u8(0..4) == 0).map(|version| version - u64::from(version > 1 && rng.u8(0..4) == 0));
            Job::Change(id, change, version)
        }
    }
}

/// A secret of that key: mostly the newest that anybody has.
fn secret(rng: &mut Rng, model: &Model, id: &str) -> Held {
    let of_key: Vec<_> = model.held.iter().filter(|held| held.key.as_deref() == Some(id)).collect();
    if of_key.is_empty() || rng.u8(0..20) == 0 {
        let random: String = std::iter::repeat_with(|| rng.alphanumeric()).take(32).collect();
        return Held { secret: format!("mbk_live_{random}"), key: None, number: 0, tag: String::new() };
    }
    let back = if rng.bool() { 0 } else { rng.usize(0..of_key.len()) };
    of_key[of_key.len() - 1 - back].clone()
}

fn change(rng: &mut Rng, model: &Model, id: &str) -> Change {
    let item = model.keys.get(id).and_then(super::model::Key::now);
    match rng.u8(0..100) {
        0..30 => Change::Update(update(rng, model)),
        30..70 => {
            let grace = [0, 5, 60, 3600, 86_400][rng.usize(0..5)];
            let mut body = json!({ "grace_seconds": grace });
            if rng.u8(0..5) == 0 {
                body["until_first_use"] = json!(true);
            }
            if rng.u8(0..5) == 0 {
                body["force"] = json!(true);
            }
            // A key that may expire needs a new expiry at times.
            let expires = item.is_some_and(|item| generations(item).iter().any(|generation| generation.expires.is_some()));
            if expires && rng.u8(0..3) > 0 {
                body["expires_at"] = expiry(rng, model);
            }
            Change::Rotate(body)
        }
        70..83 => Change::Disable,
        83..96 => Change::Enable,
        _ if item.is_some_and(|item| text(item, "status") == "revoked") || rng.u8(0..3) == 0 => Change::Revoke,
        _ => Change::Enable,
    }
}

fn update(rng: &mut Rng, model: &Model) -> Value {
    let mut body = json!({});
    match rng.u8(0..6) {
        5 if !model.shared.is_empty() => body["shared_limits"] = json!(rng.bool()),
        0 => body["name"] = json!(format!("name {}", rng.u8(..))),
        1 => body["limits"] = limits(rng),
        2 => body["scopes"] = scopes(rng),
        3 => body["ip_allowlist"] = networks(rng),
        _ => body["expires_at"] = expiry(rng, model),
    }
    if rng.bool() {
        body["metadata"] = json!({ "n": rng.u8(..) });
    }
    body
}

fn order(rng: &mut Rng, model: &Model) -> Value {
    let mut order = json!({
        "name": "simulated", "owner": { "type": "user", "id": "simulated" }, "environment": "live",
        "scopes": scopes(rng), "limits": limits(rng), "ip_allowlist": networks(rng),
    });
    if !model.shared.is_empty() && rng.bool() {
        order["shared_limits"] = json!(true);
    }
    if rng.u8(0..3) == 0 {
        order["expires_at"] = expiry(rng, model);
    }
    order
}

fn scopes(rng: &mut Rng) -> Value {
    if rng.u8(0..4) == 0 { json!(["read"]) } else { json!(["read", "write"]) }
}

fn networks(rng: &mut Rng) -> Value {
    if rng.u8(0..4) == 0 { json!([ADDRESSES[0]]) } else { json!([]) }
}

fn limits(rng: &mut Rng) -> Value {
    let periods = ["second", "minute", "hour", "day", "month"];
    let chosen = periods.iter().filter(|_| rng.u8(0..3) == 0).collect::<Vec<_>>();
    chosen.into_iter().map(|period| json!({ "per": period, "requests": rng.u64(1..6) })).collect()
}

fn expiry(rng: &mut Rng, model: &Model) -> Value {
    if rng.u8(0..3) == 0 {
        return Value::Null;
    }
    let seconds = [20, 4000, 90_000, 3_000_000][rng.usize(0..4)];
    let now = model.time.seconds(tokio::time::Instant::now()) + 10;
    json!(shared::time::Timestamp::from_secs(now + rng.u64(0..seconds)))
}

fn wait(rng: &mut Rng) -> Duration {
    let longest = [1_500, 1_500, 10_000, 70_000, 4_000_000, 100_000_000, 3_000_000_000, 10_000_000_000][rng.usize(0..8)];
    Duration::from_millis(rng.u64(1..longest))
}

/// Another weather: fair, some of everything, or one operation that breaks in one way.
fn weather(rng: &mut Rng) -> Weather {
    let fair = fair();
    match rng.u8(0..10) {
        0..3 => Weather::new(fair),
        3..5 => Weather::new(fair.foul(4)),
        5..7 => Weather::new(fair.foul(20)),
        7 => Weather::new(fair.foul(60)),
        _ => {
            let fault = Fault::BY_CHANCE[rng.usize(0..Fault::BY_CHANCE.len())];
            let broken = fair.clone().with(fault, [300, 1000][rng.usize(0..2)]);
            Weather::new(fair).on(OPERATIONS[rng.usize(0..OPERATIONS.len())], broken)
        }
    }
}

/// Nothing breaks; a call takes up to 30 milliseconds.
#[must_use]
pub fn fair() -> Odds {
    Odds::fair(1..=15)
}
