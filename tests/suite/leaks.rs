//! Promise 6: nothing leaks. After a whole journey, no table, no announcement and no log line, TRACE included, holds a secret, a
//! pepper, or a hash outside of its attribute.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
};

use aws_sdk_dynamodb::types::AttributeValue;
use reqwest::Method;
use serde_json::{Value, json};
use shared::telemetry;
use tests::{Answer, Stack, event::Call, stack::issued};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::util::SubscriberInitExt;

use crate::journey::Running;

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn after_a_whole_journey_secrets_are_nowhere() {
    let lines = Lines::default();
    let writer = lines.clone();
    // For the whole process: what the other tests log meanwhile is searched along.
    telemetry::subscriber(tracing::Level::TRACE, LevelFilter::WARN, move || writer.clone()).init();

    let stack = Stack::start().await;
    let instance = stack.instance().await;
    let key = stack.issue(json!({ "scopes": ["read"], "limits": [{ "requests": 2, "per": "month" }] })).await;
    let unknown = "mbk_live_0123456789abcdefghijklmnopqrstuv";
    let malformed = "mbk_live_malformed-but-perhaps-somebodys-secret";
    for secret in [key.secret.as_str(), unknown, malformed] {
        instance.get(secret).await;
        instance.call(&Call { method: "DELETE", ..Call::get(secret) }).await;
        let mut by_query = Call { key: None, ..Call::get("") }.rest();
        by_query["queryStringParameters"] = json!({ "api_key": secret });
        let _ = instance.answer(by_query.clone()).await;
        by_query["headers"] = json!({ "x-api-key": "another" });
        let _ = instance.answer(by_query).await;
    }
    // Where nobody should put a secret, and somebody will.
    let misplaced = format!("/example/{}", key.secret);
    let mut event = Call { path: &misplaced, ..Call::get(&key.secret) }.rest();
    event["requestContext"]["identity"]["userAgent"] = json!(key.secret);
    event["requestContext"]["requestId"] = json!(key.secret.replace('_', "%5F"));
    let _ = instance.answer(event).await;
    let mut event = tests::event::management("POST", "/v1/keys/{id}/revoke", Some(&key.secret), &[], "{}");
    event["requestContext"]["identity"]["userAgent"] = json!(key.secret);
    assert_eq!(stack.send(event).await.0, 400);
    let rotated = issued(&stack.rotate(&key.id, &json!({})).await.1);
    assert_eq!(instance.get(&rotated.secret).await, Answer::Limited);
    stack.rotate(&key.id, &json!({ "force": "not a boolean" })).await;
    stack.update(&key.id, &json!({ "limits": [], "metadata": { "note": "x" } })).await;
    stack.manage("POST", "/v1/keys/{id}/disable", Some(&key.id), &Value::Null).await;
    stack.manage("POST", "/v1/keys/{id}/enable", Some(&key.id), &Value::Null).await;
    instance.wire.cut_after(0);
    stack.wire.cut_after(1);
    instance.get(&rotated.secret).await;
    stack.rotate(&key.id, &json!({})).await;
    instance.wire.mend();
    stack.wire.mend();
    stack.revoke(&key.id).await;
    instance.get(&rotated.secret).await;
    let (_, shown) = stack.manage("GET", "/v1/keys/{id}", Some(&key.id), &Value::Null).await;

    let secret = stack.engine.secrets().get_secret_value().secret_id(stack.pepper_secret()).send().await.unwrap();
    let pepper = serde_json::from_str::<Value>(secret.secret_string().unwrap()).unwrap()["1"].as_str().unwrap().to_owned();
    let mut hashes = Vec::new();
    let mut stored = String::new();
    for table in ["KeysTable", "UsageTable", "AuditTable"] {
        for mut item in stack.scan(table).await {
            if let Some(AttributeValue::S(hash)) = item.remove("hash") {
                assert!(item["pk"].as_s().unwrap().starts_with("lookup#"), "hashes are in aliases only");
                hashes.push(hash);
            }
            stored.push_str(&format!("{item:?}\n"));
        }
    }
    assert!(hashes.len() >= 2);
    let (terminal, over_http) = over_http().await;
    let mut logged = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    assert!(logged.contains("the invocation failed"), "faults were logged");
    logged.push_str(&stack.lines.take().join("\n"));
    assert!(logged.contains("\"outcome\":\"unknown_key\"") && logged.contains(&key.id), "the journey was logged");
    let shown = shown.to_string();
    let announced = format!("{:?}", stack.announced());
    assert!(announced.contains(&key.id), "the rotation was announced");
    let random = |secret: &str| secret.rsplit('_').next().unwrap().to_owned();
    let mut searched = vec![random(&key.secret), random(&rotated.secret), random(unknown), random(malformed), pepper];
    searched.extend(hashes);
    searched.extend(over_http.iter().map(|secret| random(secret)));
    let places = [("a table", &stored), ("the log", &logged), ("the terminal", &terminal), ("an answer", &shown)];
    for (place, text) in places.into_iter().chain([("an announcement", &announced)]) {
        for secret in &searched {
            assert!(!text.contains(secret.as_str()), "{place} holds {}…", &secret[..6]);
        }
    }
}

/// The same through the whole local system: what it prints for each request, and the secrets that were used.
async fn over_http() -> (String, Vec<String>) {
    let running = Running::start(None).await;
    let order = json!({ "name": "n", "owner": { "type": "user", "id": "1" }, "environment": "live", "scopes": ["read"] });
    let key = issued(&running.admin(Method::POST, "/v1/keys", order).await.2);
    let rotated = issued(&running.admin(Method::POST, &format!("/v1/keys/{}/rotate", key.id), Value::Null).await.2);
    for secret in [&key.secret, &rotated.secret] {
        running.get("/example", secret).await;
        running.send(Method::DELETE, &format!("/example/x?api_key={secret}"), None, Value::Null).await;
        running.get(&format!("/nowhere?api_key={secret}"), secret).await;
        running.get(&format!("/example/{secret}"), secret).await;
    }
    let terminal = running.lines.lock().unwrap().join("\n");
    assert!(terminal.lines().count() >= 10, "{terminal}");
    let secrets = vec![key.secret, rotated.secret, running.admin.clone()];
    running.end().await;
    (terminal, secrets)
}
