//! Changes of one key at once, and by callers who have seen an older version: nothing that was answered is lost, and a
//! revocation always wins.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};
use tests::{
    Answer, Stack,
    event::{as_http_api, management, with_header},
};

const KEY: &str = "/v1/keys/{id}";

fn tag(key: &Value) -> String {
    format!("\"{}\"", key["version"])
}

/// Every item of the tables that changes write, in one order, to see whether anything was written.
async fn stored(stack: &Stack) -> Vec<HashMap<String, AttributeValue>> {
    let mut items = [stack.scan("KeysTable").await, stack.scan("AuditTable").await].concat();
    items.sort_by_key(|item| ["pk", "sk"].map(|name| item[name].as_s().unwrap().clone()));
    items
}

#[tokio::test]
async fn every_answer_that_shows_one_key_has_its_version_as_its_etag() {
    let stack = Stack::start().await;
    let order = json!({ "name": "n", "owner": { "type": "user", "id": "1" }, "environment": "live", "scopes": ["read"] });
    let (status, key, headers) = stack.send_for_headers(management("POST", "/v1/keys", None, &[], &order.to_string())).await;
    assert_eq!((status, headers["etag"].as_str()), (201, "\"1\""));
    let id = key["id"].as_str().unwrap();
    for (method, resource, body, version) in [
        ("GET", KEY, json!({}), 1),
        ("PATCH", KEY, json!({ "name": "renamed" }), 2),
        ("POST", "/v1/keys/{id}/rotate", json!({}), 3),
        ("POST", "/v1/keys/{id}/disable", json!({}), 4),
        ("POST", "/v1/keys/{id}/enable", json!({}), 5),
        ("POST", "/v1/keys/{id}/revoke", json!({ "reason": "r" }), 6),
        ("GET", KEY, json!({}), 6),
    ] {
        let event = management(method, resource, Some(id), &[], &body.to_string());
        for event in if method == "GET" { vec![as_http_api(&event), event] } else { vec![event] } {
            let (status, key, headers) = stack.send_for_headers(event).await;
            assert_eq!(
                (status, &key["version"], &headers["etag"]),
                (200, &json!(version), &format!("\"{version}\"")),
                "{resource}"
            );
            assert_eq!(headers["access-control-expose-headers"], "ETag", "or pages of other origins can't read it");
        }
    }
    for (resource, id) in [(KEY, Some("key_0123456789abcdefghijkl")), ("/v1/keys", None)] {
        let event = management("GET", resource, id, &[("environment", "live")], "");
        let (_, _, headers) = stack.send_for_headers(event).await;
        assert!(!headers.contains_key("etag"), "{resource} shows no key, or many");
    }
}

#[tokio::test]
async fn a_stale_if_match_is_412_and_writes_nothing() {
    let stack = Stack::start().await;
    let key = stack.issue(json!({})).await;
    stack.update(&key.id, &json!({ "name": "second" })).await;
    let before = stored(&stack).await;
    for (method, resource, body) in [
        ("PATCH", KEY, json!({ "name": "third" })),
        ("POST", "/v1/keys/{id}/enable", json!({})),
        ("POST", "/v1/keys/{id}/rotate", json!({})),
    ] {
        let event = management(method, resource, Some(&key.id), &[], &body.to_string());
        for lines in [&["\"1\""][..], &["\"1\", \"3\""][..], &["W/\"2\""][..], &["\"1\"", "\"3\""][..], &["\"02\""][..]] {
            let event = with_header(event.clone(), "If-Match", lines);
            for event in [as_http_api(&event), event] {
                let (status, problem) = stack.send(event).await;
                assert_eq!((status, &problem["code"]), (412, &json!("precondition_failed")), "{resource} {lines:?}");
                let detail = problem["detail"].as_str().unwrap();
                assert!(
                    detail.contains("version 2") && detail.contains("Read the key"),
                    "which it has, and what to do: {detail}"
                );
            }
        }
    }
    assert_eq!(stored(&stack).await, before, "not even an intent");
}

#[tokio::test]
async fn an_if_match_that_fits_lets_the_change_through() {
    let stack = Stack::start().await;
    let key = stack.issue(json!({})).await;
    let mut version = 1;
    for (method, resource) in [("PATCH", KEY), ("POST", "/v1/keys/{id}/enable"), ("POST", "/v1/keys/{id}/rotate")] {
        for lines in [&["*"][..], &["FITS"], &["\"900\"", "FITS"], &["FITS", "\"900\""], &["\"900\" , FITS"], &[]] {
            for as_sent in [Value::clone, as_http_api] {
                let lines: Vec<_> = lines.iter().map(|line| line.replace("FITS", &format!("\"{version}\""))).collect();
                let lines: Vec<_> = lines.iter().map(String::as_str).collect();
                let event = management(method, resource, Some(&key.id), &[], "{}");
                let event = if lines.is_empty() { event } else { with_header(event, "If-Match", &lines) };
                let (status, answer) = stack.send(as_sent(&event)).await;
                version += 1;
                assert_eq!((status, &answer["version"]), (200, &json!(version)), "{resource} {lines:?}: {answer}");
            }
        }
    }
}

#[tokio::test]
async fn a_key_that_can_not_be_changed_says_so_whatever_if_match_says() {
    let stack = Stack::start().await;
    let key = stack.issue(json!({})).await;
    stack.revoke(&key.id).await;
    for (method, resource) in [("PATCH", KEY), ("POST", "/v1/keys/{id}/enable"), ("POST", "/v1/keys/{id}/rotate")] {
        for (id, expected) in [(key.id.as_str(), (409, "key_revoked")), ("key_0123456789abcdefghijkl", (404, "no_such_key"))] {
            for tags in ["\"1\"", "\"2\"", "*"] {
                let (status, problem) = stack.manage_if(tags, method, resource, id, &json!({})).await;
                assert_eq!((status, problem["code"].as_str().unwrap()), expected, "{resource} {tags}");
            }
        }
    }
}

/// An emergency stop must not fail because somebody else has just renamed the key.
#[tokio::test]
async fn disabling_and_revoking_do_not_look_at_if_match() {
    let stack = Stack::start().await;
    let key = stack.issue(json!({})).await;
    for (resource, body) in [("/v1/keys/{id}/disable", json!({})), ("/v1/keys/{id}/revoke", json!({ "reason": "r" }))] {
        for tags in ["\"900\"", "nonsense"] {
            assert_eq!(stack.manage_if(tags, "POST", resource, &key.id, &body).await.0, 200, "{resource} {tags}");
        }
    }
    assert_eq!(stack.show(&key.id).await["status"], "revoked");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_changes_at_once_with_the_same_if_match_exactly_one_is_made() {
    let stack = Arc::new(Stack::start().await);
    let key = stack.issue(json!({})).await;
    for round in 1..=5 {
        let current = tag(&stack.show(&key.id).await);
        let tasks: Vec<_> = (0..12)
            .map(|n| {
                let (stack, id, current) = (stack.clone(), key.id.clone(), current.clone());
                tokio::spawn(async move {
                    let (method, resource, body) = match n % 3 {
                        0 => ("PATCH", KEY, json!({ "metadata": { "n": n } })),
                        1 => ("POST", "/v1/keys/{id}/enable", json!({})),
                        _ => ("POST", "/v1/keys/{id}/rotate", json!({})),
                    };
                    stack.manage_if(&current, method, resource, &id, &body).await
                })
            })
            .collect();
        let mut made = 0;
        for task in tasks {
            match task.await.unwrap() {
                (200, answer) => {
                    made += 1;
                    assert_eq!(answer["version"], json!(round + 1));
                }
                (status, problem) => assert_eq!((status, &problem["code"]), (412, &json!("precondition_failed")), "{problem}"),
            }
        }
        assert_eq!((made, stack.record(&key.id).await.version), (1, round + 1));
    }
    let audit = stack.changes().await;
    let outcomes: BTreeSet<_> = audit.iter().filter_map(|item| item.get("outcome")?.as_s().ok()).map(String::as_str).collect();
    assert!(outcomes.is_subset(&BTreeSet::from(["done", "precondition_failed"])), "{outcomes:?}");
    let count = |suffix| audit.iter().filter(|item| item["sk"].as_s().unwrap().ends_with(suffix)).count();
    assert_eq!(count("#intent"), count("#outcome"), "each intent has its outcome");
}

#[tokio::test]
async fn with_any_version_allowed_a_lost_race_is_a_conflict() {
    let stack = Arc::new(Stack::start().await);
    let key = stack.issue(json!({})).await;
    let tasks: Vec<_> = (0..12)
        .map(|n| {
            let (stack, id) = (stack.clone(), key.id.clone());
            tokio::spawn(async move { stack.manage_if("*", "PATCH", KEY, &id, &json!({ "name": format!("n{n}") })).await })
        })
        .collect();
    let mut lost = 0;
    for task in tasks {
        let (status, answer) = task.await.unwrap();
        assert!(status == 200 || (status, &answer["code"]) == (409, &json!("changed_meanwhile")), "{answer}");
        lost += usize::from(status == 409);
    }
    assert!(lost > 0, "or nothing was raced for");
}

/// Adds an entry to the metadata, as often as it takes: reads them, adds to them, and writes them back if nobody else has.
async fn add_entry(stack: &Stack, id: &str, entry: &str) {
    loop {
        let mut key = stack.show(id).await;
        key["metadata"][entry] = json!(true);
        match stack.manage_if(&tag(&key), "PATCH", KEY, id, &json!({ "metadata": key["metadata"] })).await {
            (200, answer) => return assert_eq!(answer["metadata"][entry], true),
            (status, problem) => assert_eq!((status, &problem["code"]), (412, &json!("precondition_failed")), "{problem}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_reads_adds_and_writes_back_with_if_match_loses_nobody_s_entry() {
    let stack = Arc::new(Stack::start().await);
    let key = stack.issue(json!({})).await;
    let writers = (0..10).map(|n| {
        let (stack, id) = (stack.clone(), key.id.clone());
        tokio::spawn(async move { add_entry(&stack, &id, &format!("entry-{n}")).await })
    });
    // Others change what isn't metadata, in the middle of it all.
    let others = (0..6).map(|n| {
        let (stack, id) = (stack.clone(), key.id.clone());
        tokio::spawn(async move {
            let (status, answer) = match n % 3 {
                0 => stack.update(&id, &json!({ "name": format!("name {n}") })).await,
                1 => stack.manage("POST", "/v1/keys/{id}/disable", Some(&id), &Value::Null).await,
                _ => stack.rotate(&id, &json!({})).await,
            };
            assert!(status == 200 || answer["code"] == "changed_meanwhile", "{answer}");
        })
    });
    for task in writers.chain(others).collect::<Vec<_>>() {
        task.await.unwrap();
    }
    let metadata = stack.show(&key.id).await["metadata"].clone();
    let all: serde_json::Map<_, _> = (0..10).map(|n| (format!("entry-{n}"), json!(true))).collect();
    assert_eq!(metadata, Value::Object(all));
    let items = stack.scan("KeysTable").await;
    assert!(items.iter().flat_map(|item| item.keys()).all(|name| !name.starts_with("staged#")), "nothing is left over");
}

/// The version and the metadata come from two items: whoever reads between their two writes must not see one without the
/// other, and a change that broke off there is in force with all it said.
#[tokio::test]
async fn no_version_is_ever_shown_with_the_metadata_of_the_one_before() {
    let stack = Stack::start().await;
    let (mut before, mut after) = (0, 0);
    for calls in 0..12 {
        let key = stack.issue(json!({ "metadata": { "old": true } })).await;
        stack.wire.cut_after(calls);
        stack.update(&key.id, &json!({ "metadata": { "new": true }, "rotate_every_days": 30 })).await;
        stack.wire.mend();
        let shown = stack.show(&key.id).await;
        let expected = if shown["version"] == 1 { json!([{ "old": true }, null]) } else { json!([{ "new": true }, 30]) };
        *(if shown["version"] == 1 { &mut before } else { &mut after }) += 1;
        assert_eq!(json!([shown["metadata"], shown["rotate_every_days"]]), expected, "cut after {calls} calls");
        // Whatever comes next takes nothing of it away: a change of status, one that breaks off as well, and one that adds.
        if calls % 2 == 0 {
            stack.manage("POST", "/v1/keys/{id}/disable", Some(&key.id), &Value::Null).await;
        }
        stack.wire.cut_after(calls);
        stack.update(&key.id, &json!({ "name": "renamed" })).await;
        stack.wire.mend();
        add_entry(&stack, &key.id, "added").await;
        let mut expected = expected;
        expected[0]["added"] = json!(true);
        let shown = stack.show(&key.id).await;
        assert_eq!(
            json!([shown["metadata"], shown["rotate_every_days"]]),
            expected,
            "cut after {calls} calls, and changed again"
        );
    }
    assert!(before > 0 && after > 2, "{before} {after}");
    let items = stack.scan("KeysTable").await;
    assert!(items.iter().flat_map(|item| item.keys()).all(|name| !name.starts_with("staged#")), "nothing is left over");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revocation_wins_against_every_other_change() {
    let stack = Arc::new(Stack::start().await);
    for round in 0..4 {
        let key = stack.issue(json!({})).await;
        let warm = stack.instance().await;
        assert_eq!(warm.get(&key.secret).await, Answer::Allowed);
        let change = |n: u64| {
            let (stack, id) = (stack.clone(), key.id.clone());
            tokio::spawn(async move {
                let (status, answer) = match n % 5 {
                    0 => stack.update(&id, &json!({ "name": format!("n{n}"), "metadata": { "n": n } })).await,
                    1 => stack.rotate(&id, &json!({})).await,
                    2 => stack.manage("POST", "/v1/keys/{id}/disable", Some(&id), &Value::Null).await,
                    3 => stack.manage("POST", "/v1/keys/{id}/enable", Some(&id), &Value::Null).await,
                    _ => stack.manage_if(&format!("\"{}\"", n / 5), "PATCH", KEY, &id, &json!({ "name": "if" })).await,
                };
                let code = answer["code"].as_str().unwrap_or("ok");
                let allowed: &[(u16, &str)] = match n % 5 {
                    0 | 1 | 3 => &[(200, "ok"), (409, "changed_meanwhile"), (409, "key_revoked")],
                    2 => &[(200, "ok"), (409, "key_revoked")],
                    _ => &[(200, "ok"), (412, "precondition_failed"), (409, "key_revoked")],
                };
                assert!(allowed.contains(&(status, code)), "{n}: {status} {answer}");
                (status == 200).then(|| (answer["version"].as_u64().unwrap(), n % 5 == 2))
            })
        };
        let mut tasks: Vec<_> = (0..10 + round * 5).map(change).collect();
        let (revoking, id) = (stack.clone(), key.id.clone());
        let revoke = tokio::spawn(async move {
            let (status, answer) = revoking.revoke(&id).await;
            assert_eq!((status, &answer["status"]), (200, &json!("revoked")), "never in conflict with anything");
            // From here on, for good.
            assert_eq!(revoking.record(&id).await.status.as_str(), "revoked");
            answer["version"].as_u64().unwrap()
        });
        tasks.extend((100..120).map(change));
        assert!(tasks.len() > 20);
        let revoked = revoke.await.unwrap();
        assert_eq!(warm.get(&key.secret).await, Answer::Unauthorized);
        let mut versions = BTreeMap::new();
        for task in tasks {
            if let Some((version, disables)) = task.await.unwrap() {
                // Disabling what somebody else has just disabled changes nothing.
                let both_disable = versions.insert(version, disables).is_none_or(|other| other && disables);
                assert!(both_disable, "two changes were answered with version {version}");
                assert!(version < revoked, "nothing is in force after the revocation");
            }
        }
        let record = stack.record(&key.id).await;
        assert_eq!((record.status.as_str(), record.version), ("revoked", revoked));
        for n in 0..5 {
            assert_eq!(change(n).await.unwrap(), None, "and nothing can be changed any more");
        }
        assert_eq!(stack.record(&key.id).await, record);
        assert_eq!(stack.instance().await.get(&key.secret).await, Answer::Unauthorized);
    }
}
