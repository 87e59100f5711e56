//! Lists: by owner, by environment and status, page by page, without one key twice or left out.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tests::{Stack, event::management};

async fn list(stack: &Stack, query: &[(&str, &str)]) -> (u16, Value) {
    stack.send(management("GET", "/v1/keys", None, query, "")).await
}

#[tokio::test]
async fn pages_hold_every_key_once_newest_first() {
    let stack = Stack::start().await;
    let mut ids = BTreeSet::new();
    for n in 0..25 {
        // Several in one second, as a script issues them.
        stack.clock.set(tests::NOW + n / 4);
        ids.insert(stack.issue(json!({})).await.id);
    }
    stack.issue(json!({ "owner": { "type": "service", "id": "42" } })).await;
    let (mut seen, mut cursor, mut times) = (BTreeSet::new(), None::<String>, Vec::new());
    for _ in 0..10 {
        let mut query = vec![("owner_type", "user"), ("owner_id", "42"), ("limit", "7")];
        if let Some(cursor) = &cursor {
            query.push(("cursor", cursor));
        }
        let (status, page) = list(&stack, &query).await;
        assert_eq!(status, 200, "{page}");
        for key in page["keys"].as_array().unwrap() {
            assert!(seen.insert(key["id"].as_str().unwrap().to_owned()), "twice: {key}");
            times.push(key["created_at"].as_str().unwrap().to_owned());
        }
        cursor = page["next_cursor"].as_str().map(ToOwned::to_owned);
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen, ids);
    assert!(times.is_sorted_by(|one, next| one >= next));
}

#[tokio::test]
async fn lists_follow_status_name_and_secret() {
    let stack = Stack::start().await;
    let key = stack.issue(json!({ "environment": "test" })).await;
    let status = async |status: &str| {
        let (_, page) = list(&stack, &[("environment", "test"), ("status", status)]).await;
        page["keys"].as_array().unwrap().clone()
    };
    assert_eq!(status("active").await.len(), 1);
    stack.update(&key.id, &json!({ "name": "renamed", "expires_at": "2030-01-01T00:00:00Z" })).await;
    let (_, rotated) = stack.rotate(&key.id, &json!({})).await;
    let listed = status("active").await;
    assert_eq!((&listed[0]["name"], &listed[0]["expires_at"]), (&json!("renamed"), &json!("2030-01-01T00:00:00Z")));
    let hint = listed[0]["hint"].as_str().unwrap().trim_end_matches('…');
    assert!(rotated["secret"].as_str().unwrap().starts_with(hint), "the newest secret's hint");
    stack.manage("POST", "/v1/keys/{id}/disable", Some(&key.id), &Value::Null).await;
    assert_eq!((status("active").await.len(), status("disabled").await.len()), (0, 1));
    stack.revoke(&key.id).await;
    assert_eq!((status("disabled").await.len(), status("revoked").await.len()), (0, 1));
}

#[tokio::test]
async fn bad_queries_and_tampered_cursors_are_refused() {
    let stack = Stack::start().await;
    for _ in 0..3 {
        stack.issue(json!({})).await;
    }
    let (_, page) = list(&stack, &[("owner_type", "user"), ("owner_id", "42"), ("limit", "1")]).await;
    let cursor = page["next_cursor"].as_str().unwrap();
    let mut changed = cursor.to_owned();
    changed.replace_range(20..21, if &cursor[20..21] == "A" { "B" } else { "A" });
    let owner = [("owner_type", "user"), ("owner_id", "42")];
    for (query, code, field) in [
        (vec![], "invalid_field", "owner_type"),
        (vec![("owner_type", "user")], "invalid_field", "owner_id"),
        (vec![("owner_type", "team"), ("owner_id", "1")], "invalid_field", "owner_type"),
        (vec![("owner_id", "42")], "invalid_field", "owner_type"),
        (vec![("environment", "prod")], "invalid_field", "environment"),
        (vec![("environment", "live"), ("status", "gone")], "invalid_field", "status"),
        (vec![("environment", "live"), ("owner_type", "user")], "invalid_field", "owner_type"),
        ([owner.to_vec(), vec![("limit", "0")]].concat(), "invalid_field", "limit"),
        ([owner.to_vec(), vec![("limit", "101")]].concat(), "invalid_field", "limit"),
        ([owner.to_vec(), vec![("limit", "ten")]].concat(), "invalid_field", "limit"),
        ([owner.to_vec(), vec![("page", "2")]].concat(), "unknown_field", "page"),
        ([owner.to_vec(), vec![("cursor", &changed)]].concat(), "invalid_cursor", "cursor"),
        ([owner.to_vec(), vec![("cursor", "")]].concat(), "invalid_cursor", "cursor"),
        (vec![("owner_type", "user"), ("owner_id", "43"), ("cursor", cursor)], "invalid_cursor", "cursor"),
        (vec![("environment", "live"), ("cursor", cursor)], "invalid_cursor", "cursor"),
    ] {
        let (status, problem) = list(&stack, &query).await;
        assert_eq!((status, &problem["code"], &problem["field"]), (400, &json!(code), &json!(field)), "{query:?}");
    }
}
