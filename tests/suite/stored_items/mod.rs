//! Promise 7 for what is stored: an item that is damaged, cut short or from a newer version lets nobody in, blames nobody,
//! and never keeps a key from being revoked.
//!
//! Every attribute of every item of a key is damaged in every way that its type has, and met by an authorizer that has never
//! seen the key, by one that has, and by the management functions. What may go on all the same is listed, with the reason.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};
use tests::Answer;

mod rules;
mod subject;

use rules::{Sight, every_rule_is_needed, rules};
use subject::Subject;

/// Meets every damage of an item of that kind with a cold and a warm authorizer, and with the management functions: their
/// answers are `managed`'s to judge. Answers with the rules that were needed.
async fn meet(kind: &'static str, managed: impl AsyncFn(&Subject, &str)) -> BTreeSet<usize> {
    let subject = Subject::new().await;
    let mut needed = BTreeSet::new();
    for (damage, name, value) in subject.damaged(kind) {
        for sight in [Sight::Cold, Sight::Warm] {
            subject.restore().await;
            let warm = if sight == Sight::Warm { Some(subject.warm().await) } else { None };
            if !subject.damage(kind, &name, value.clone()).await {
                continue;
            }
            let instance = match warm {
                Some(warm) => warm,
                None => subject.stack.instance().await,
            };
            let (answer, fault) = subject.get(&instance).await;
            let mut rules = rules(kind, &damage, sight).peekable();
            let expected = rules.peek().map_or(Answer::Fault, |(_, rule)| (rule.answer)());
            let why = rules.peek().map_or("our own fault", |(_, rule)| rule.why);
            needed.extend(rules.map(|(index, _)| index));
            assert_eq!(answer, expected, "{kind}.{damage}, {sight:?}: {why} {fault:?}");
            // Nobody can tell whether the fingerprint is wrong, or the pepper that it doesn't fit.
            let code = if damage == "p1.fingerprint: nonsense" { "pepper.changed" } else { "stored.corrupt" };
            assert!(fault.as_deref().is_none_or(|fault| fault == code), "{kind}.{damage}, {sight:?}: {fault:?}");
        }
        subject.restore().await;
        if subject.damage(kind, &name, value).await {
            managed(&subject, &damage).await;
        }
    }
    needed
}

const KEY: &str = "/v1/keys/{id}";

/// Revokes the key of a damaged item, and sees to it that it is refused from then on, mended or not.
async fn revoke(subject: &Subject, damage: &str) -> u16 {
    let (status, fault) = subject.manage("POST", "/v1/keys/{id}/revoke", &json!({ "reason": "r" })).await;
    assert!(fault.is_none_or(|fault| fault == "stored.corrupt"), "{damage}");
    let stored = subject.stored("key").await;
    assert_eq!(stored["status"].as_s().unwrap(), "revoked", "{damage}: {status}, but not revoked");
    status
}

#[tokio::test]
async fn a_damaged_hot_item_lets_nobody_in_and_can_still_be_revoked() {
    let needed = meet("key", async |subject, damage| {
        let cold = rules("key", damage, Sight::Cold).next();
        let expected = |status: u16| if cold.is_some() { (status, None) } else { (503, Some("stored.corrupt".to_owned())) };
        assert_eq!(subject.manage("GET", KEY, &Value::Null).await, expected(200), "{damage}");
        assert_eq!(subject.manage("GET", "/v1/keys", &Value::Null).await, (200, None), "{damage}");
        assert_eq!(subject.manage("PATCH", KEY, &json!({ "name": "renamed" })).await, expected(200), "{damage}");
        assert_eq!(subject.manage("POST", "/v1/keys/{id}/rotate", &Value::Null).await, expected(200), "{damage}");
        let damaged = subject.stored("key").await;
        // A revocation replaces the status, whatever it was.
        let status = if damage.starts_with("status") { 200 } else { expected(200).0 };
        assert_eq!(revoke(subject, damage).await, status, "{damage}");
        let cold = subject.stack.instance().await;
        let (answer, _) = subject.get(&cold).await;
        assert!(matches!(answer, Answer::Unauthorized | Answer::Fault), "{damage}: {answer:?}");
        // Whoever mends it now mends a revoked key.
        let stored = subject.stored("key").await;
        let mut mended = subject.item("key").clone();
        let set = ["status", "revoked_at", "revoked_by", "reason", "ttl"];
        mended.extend(stored.into_iter().filter(|(name, _)| set.contains(&name.as_str())));
        assert_ne!(damaged.get("status"), mended.get("status"));
        assert!(subject.put(&mended).await);
        assert_eq!(subject.get(&subject.stack.instance().await).await.0, Answer::Unauthorized, "{damage}");
        assert_eq!(subject.manage("POST", "/v1/keys/{id}/revoke", &json!({ "reason": "again" })).await, (200, None), "{damage}");
    })
    .await;
    every_rule_is_needed("key", &needed);
}

#[tokio::test]
async fn a_damaged_about_item_keeps_no_key_from_working_or_from_being_revoked() {
    let needed = meet("about", async |subject, damage| {
        let corrupt = (503, Some("stored.corrupt".to_owned()));
        let expected = |status: u16| if is_seen_in_about(damage) { corrupt.clone() } else { (status, None) };
        assert_eq!(subject.manage("GET", KEY, &Value::Null).await, expected(200), "{damage}");
        let (status, fault) = subject.manage("GET", "/v1/keys", &Value::Null).await;
        assert!(status == 200 || (status, fault) == corrupt, "{damage}: {status}");
        assert_eq!(subject.manage("PATCH", KEY, &json!({ "name": "renamed" })).await, expected(200), "{damage}");
        assert_eq!(subject.manage("POST", "/v1/keys/{id}/rotate", &Value::Null).await, expected(200), "{damage}");
        assert_eq!(revoke(subject, damage).await, expected(200).0, "{damage}");
        assert_eq!(subject.get(&subject.stack.instance().await).await.0, Answer::Unauthorized, "{damage}");
    })
    .await;
    every_rule_is_needed("about", &needed);
}

/// Whether reading an about item notices that damage.
fn is_seen_in_about(damage: &str) -> bool {
    let (path, what) = damage.split_once(": ").unwrap();
    match path.split('.').collect::<Vec<_>>()[..] {
        // From before there were numbers.
        ["schema"] => what != "removed",
        ["created_by"] => what != "nonsense",
        ["created_at" | "metadata" | "rotate_every_days" | "version"] => true,
        // No secrets, or fewer: what was known of them has been cleared away.
        ["secrets"] => what != "emptied",
        ["secrets", _] => what != "removed",
        ["secrets", _, "created_by" | "p1" | "hint"] => what != "nonsense",
        ["secrets", ..] => true,
        // Nothing staged, or less of it.
        [staged] if staged.starts_with("staged#") => what != "removed" && what != "emptied",
        [staged, _] if staged.starts_with("staged#") => what != "removed",
        // The rest is for lists and indexes alone.
        _ => false,
    }
}

#[tokio::test]
async fn a_damaged_alias_lets_nobody_in_who_is_not_known_and_can_still_be_revoked() {
    let needed = meet("alias", async |subject, damage| {
        for (method, resource, body) in [
            ("GET", KEY, Value::Null),
            ("GET", "/v1/keys", Value::Null),
            ("PATCH", KEY, json!({ "name": "renamed" })),
            ("POST", "/v1/keys/{id}/rotate", Value::Null),
        ] {
            assert_eq!(subject.manage(method, resource, &body).await, (200, None), "{damage}: {method} {resource}");
        }
        assert_eq!(revoke(subject, damage).await, 200, "{damage}");
        let (answer, _) = subject.get(&subject.stack.instance().await).await;
        assert!(matches!(answer, Answer::Unauthorized | Answer::Fault), "{damage}: {answer:?}");
    })
    .await;
    every_rule_is_needed("alias", &needed);
}

#[tokio::test]
async fn damaged_shared_limits_let_nobody_in_and_are_in_the_way_of_no_change() {
    let needed = meet("limits", async |subject, damage| {
        let cold = rules("limits", damage, Sight::Cold).next();
        let (status, fault) = subject.manage("POST", "/v1/keys/{id}/check", &json!({ "path": "/example" })).await;
        assert_eq!((status, fault.is_none()), if cold.is_some() { (200, true) } else { (503, false) }, "{damage}");
        for (method, resource, body) in [
            ("GET", KEY, Value::Null),
            ("PATCH", KEY, json!({ "name": "renamed" })),
            ("POST", "/v1/keys/{id}/rotate", Value::Null),
        ] {
            assert_eq!(subject.manage(method, resource, &body).await, (200, None), "{damage}: {method}");
        }
        assert_eq!(revoke(subject, damage).await, 200, "{damage}");
        let (answer, _) = subject.get(&subject.stack.instance().await).await;
        assert_eq!(answer, Answer::Unauthorized, "{damage}");
    })
    .await;
    every_rule_is_needed("limits", &needed);
}

#[tokio::test]
async fn damaged_fingerprints_let_nobody_in_and_make_no_key_unknown() {
    let needed = meet("fingerprints", async |subject, damage| {
        // The functions fetch the peppers anew, and with them what the table says of them.
        subject.stack.clock.advance(301);
        let (status, fault) = subject.manage("POST", "/v1/keys/{id}/rotate", &Value::Null).await;
        let harmless = rules("fingerprints", damage, Sight::Cold).next().is_some();
        assert_eq!(status, if harmless { 200 } else { 503 }, "{damage}: {fault:?}");
        for (method, resource, body) in [("GET", KEY, Value::Null), ("PATCH", KEY, json!({ "name": "renamed" }))] {
            assert_eq!(subject.manage(method, resource, &body).await, (200, None), "{damage}: {method}");
        }
        assert_eq!(revoke(subject, damage).await, 200, "{damage}");
        let (answer, _) = subject.get(&subject.stack.instance().await).await;
        assert!(matches!(answer, Answer::Unauthorized | Answer::Fault), "{damage}: {answer:?}");
    })
    .await;
    every_rule_is_needed("fingerprints", &needed);
}

/// What reads well and can't be true: it must not overflow, and what is allowed must be what the key says.
#[tokio::test]
async fn values_that_are_out_of_all_proportion_overflow_nothing() {
    let subject = Subject::new().await;
    let number = |number: u64| AttributeValue::N(number.to_string());
    let many = |count: u64| AttributeValue::L((1..=count).map(|n| generation(&[("n", number(n))])).collect());
    let two = |older: &[(&str, AttributeValue)], newest: &[(&str, AttributeValue)]| {
        AttributeValue::L(vec![generation(older), generation(newest)])
    };
    let (one, second, ended) = (("n", number(1)), ("n", number(2)), ("grace", number(4_000_000_000)));
    let allowed = (Answer::Allowed, None);
    let corrupt = (Answer::Fault, Some("stored.corrupt"));
    for (name, value, expected, changes) in [
        ("version", number(LARGEST), &allowed, 503),
        ("version", number(LARGEST - 1), &allowed, 200),
        ("version", number(LARGEST + 1), &corrupt, 503),
        ("version", number(0), &allowed, 200),
        ("total", number(LARGEST - 1), &allowed, 200),
        // The use that would be too many is not allowed, but it has been counted.
        ("total", number(LARGEST), &corrupt, 503),
        ("g1", number(LARGEST - 1), &allowed, 200),
        ("last_used_at", number(LARGEST), &allowed, 200),
        ("swept", number(LARGEST), &(Answer::Fault, Some("clock.behind")), 200),
        ("limits", AttributeValue::M(HashMap::from([("day".to_owned(), number(LARGEST))])), &allowed, 200),
        ("limits", AttributeValue::M(HashMap::from([("day".to_owned(), number(0))])), &corrupt, 503),
        ("limits", AttributeValue::M(HashMap::from([("age".to_owned(), number(1))])), &corrupt, 503),
        ("generations", many(10_000), &corrupt, 503),
        ("generations", two(&[one.clone(), ended.clone()], std::slice::from_ref(&one)), &corrupt, 503),
        ("generations", two(&[second.clone(), ended.clone()], std::slice::from_ref(&one)), &corrupt, 503),
        ("generations", two(std::slice::from_ref(&one), std::slice::from_ref(&second)), &corrupt, 503),
        ("generations", two(&[one.clone(), ended.clone()], &[second.clone(), ended.clone()]), &corrupt, 503),
        ("generations", two(&[one.clone(), ended.clone()], &[("n", number(u32::MAX.into()))]), &corrupt, 503),
        ("generations", two(&[one.clone(), ("grace", number(LARGEST))], &[("n", number(1_000_000_000))]), &allowed, 503),
        ("generations", two(&[one.clone(), ended, ("expires", number(LARGEST))], std::slice::from_ref(&second)), &allowed, 200),
    ] {
        subject.restore().await;
        // With tags of their own, generations would be another key's.
        let value = tagged(value, &subject.item("key")["generations"]);
        assert!(subject.damage("key", name, Some(value.clone())).await);
        let (answer, fault) = subject.get(&subject.stack.instance().await).await;
        assert_eq!((answer, fault.as_deref()), *expected, "{name}: {value:?}");
        assert!(matches!(subject.manage("GET", KEY, &Value::Null).await.0, 200 | 503), "{name}");
        // One after the other, so that both begin with what is damaged.
        let route = if name == "generations" { ("POST", "/v1/keys/{id}/rotate") } else { ("PATCH", KEY) };
        let (status, fault) = subject.manage(route.0, route.1, &json!({})).await;
        assert_eq!((status, fault.is_some()), (changes, changes == 503), "{name}: {fault:?}");
        assert!(fault.is_none_or(|fault| fault == "stored.corrupt"), "{name}");
        revoke(&subject, name).await;
    }
}

const LARGEST: u64 = shared::store::item::LARGEST;

fn generation(fields: &[(&str, AttributeValue)]) -> AttributeValue {
    AttributeValue::M(fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect())
}

/// `value`, if it is a list of generations, with the tags that `original` has.
fn tagged(value: AttributeValue, original: &AttributeValue) -> AttributeValue {
    let AttributeValue::L(generations) = value else { return value };
    let tags = original.as_l().unwrap().iter().map(|generation| generation.as_m().unwrap()["tag"].clone()).cycle();
    let tag = |(generation, tag): (AttributeValue, AttributeValue)| {
        let mut fields = generation.as_m().unwrap().clone();
        fields.insert("tag".to_owned(), tag);
        AttributeValue::M(fields)
    };
    AttributeValue::L(generations.into_iter().zip(tags).map(tag).collect())
}

/// Ten thousand windows of each kind: what a use leaves to do after its answer stays bounded.
#[tokio::test]
async fn ten_thousand_windows_are_swept_and_folded_a_few_at_a_time() {
    let subject = Subject::new().await;
    let days =
        (0..10_000).map(|n| shared::time::Timestamp::from_secs(n * 86_400 + 400 * 86_400).day()).map(|day| format!("d{day}"));
    for windows in [days.collect::<Vec<_>>(), (1..=10_000).map(|n| format!("m{n}")).collect()] {
        subject.restore().await;
        let mut item = subject.stored("key").await;
        item.extend(windows.iter().map(|window| (window.clone(), AttributeValue::N("1".to_owned()))));
        assert!(subject.put(&item).await);
        let instance = subject.stack.instance().await;
        let _ = instance.wire.take();
        assert_eq!(subject.get(&instance).await, (Answer::Allowed, None));
        instance.settle().await;
        let calls = instance.wire.take().len();
        assert!(calls < 50, "{calls} calls for one use");
        let left = subject.stored("key").await.keys().filter(|name| windows.contains(name)).count();
        assert!((9_000..10_000).contains(&left), "{left} left");
        assert_eq!(subject.get(&instance).await.0, Answer::Allowed);
        instance.settle().await;
    }
}

/// Only damage can ask for so much: it would keep a processor busy for hours, and there are not many.
#[tokio::test]
async fn a_hash_of_a_cost_that_nobody_configures_is_never_computed() {
    let subject = Subject::new().await;
    let AttributeValue::S(hash) = &subject.item("alias")["hash"] else { panic!("a text") };
    for cost in ["16", "31"] {
        subject.restore().await;
        let costly = hash.replacen("$04$", &format!("${cost}$"), 1);
        assert!(subject.damage("alias", "hash", Some(AttributeValue::S(costly))).await);
        let (answer, fault) = subject.get(&subject.stack.instance().await).await;
        assert_eq!((answer, fault.as_deref()), (Answer::Fault, Some("stored.corrupt")));
    }
}

/// Changed by hand and without a new version, a key is still what its item says, for those who know another version too.
#[tokio::test]
async fn a_status_that_was_changed_by_hand_counts_at_once() {
    let subject = Subject::new().await;
    for sight in [Sight::Cold, Sight::Warm] {
        subject.restore().await;
        let instance = if sight == Sight::Warm { subject.warm().await } else { subject.stack.instance().await };
        assert!(subject.damage("key", "status", Some(AttributeValue::S("disabled".to_owned()))).await);
        assert_eq!(subject.get(&instance).await, (Answer::Unauthorized, None), "{sight:?}");
    }
}
