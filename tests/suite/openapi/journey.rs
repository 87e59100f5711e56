//! Every route succeeds in every way that is described, and takes the examples that the description gives.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tests::{
    Issued, Stack,
    event::{Call, management_of, own, with_header},
    openapi::held,
    stack::issued,
};

/// Sends what the description gives as an example of a body, and remembers what came of it.
struct Journey {
    stack: Stack,
    succeeded: BTreeSet<(String, String, u16)>,
}

impl Journey {
    async fn send(&mut self, event: Value) -> Value {
        let (method, path) = (event["httpMethod"].as_str().unwrap().to_owned(), event["resource"].as_str().unwrap().to_owned());
        // On the heap: a journey of so many steps has no room for each of them.
        let (status, document) = Box::pin(self.stack.send(event)).await;
        assert!(status < 400, "{method} {path}: {document}");
        self.succeeded.insert((method, path, status));
        document
    }

    async fn ask(&mut self, method: &str, path: &str, named: &[(&str, &str)], query: &[(&str, &str)]) -> Value {
        let operation = held::served().operation(method, path).unwrap();
        let example = operation.pointer("/requestBody/content/application~1json/example");
        if let Some(example) = example {
            assert_eq!(held::served().takes(method, path, example), Ok(()), "{method} {path}");
        }
        let body = example.map(ToString::to_string).unwrap_or_default();
        Box::pin(self.send(management_of(method, path, named, query, &body))).await
    }

    async fn of(&mut self, method: &str, path: &str, key: &Issued) -> Value {
        Box::pin(self.ask(method, path, &[("id", &key.id)], &[])).await
    }
}

#[tokio::test]
async fn every_success_that_is_described_is_answered_and_every_example_is_taken() {
    let stack = Box::pin(Stack::start_with(&[("ImportPrefixes", "acme_")])).await;
    let mut journey = Journey { stack, succeeded: BTreeSet::new() };
    let key = issued(&journey.ask("POST", "/v1/keys", &[], &[]).await);
    journey.ask("POST", "/v1/keys/import", &[], &[]).await;
    let ann = [("type", "user"), ("id", "ann")];
    for _ in 0..2 {
        journey.ask("PUT", "/v1/plans/{name}", &[("name", "basic")], &[]).await;
        journey.ask("PUT", "/v1/owners/{type}/{id}/limits", &ann, &[]).await;
    }
    journey.ask("GET", "/v1/plans/{name}", &[("name", "basic")], &[]).await;
    journey.ask("GET", "/v1/plans", &[], &[("limit", "1")]).await;
    journey.ask("GET", "/v1/owners/{type}/{id}/limits", &ann, &[]).await;
    journey.of("PATCH", "/v1/keys/{id}", &key).await;

    // One that shares limits, in the second of two generations, both of them used, from where it may and may not be.
    let more = json!({ "shared_limits": true, "ip_allowlist": ["203.0.113.0/24"], "limits": [{ "requests": 9, "per": "day" }] });
    assert_eq!(Box::pin(journey.stack.update(&key.id, &more)).await.0, 200);
    let instance = Box::pin(journey.stack.instance()).await;
    Box::pin(instance.call(&Call::get(&key.secret))).await;
    journey.stack.clock.advance(1);
    let newer = issued(&journey.of("POST", "/v1/keys/{id}/rotate", &key).await);
    journey.stack.clock.advance(1);
    for call in [
        Call::get(&key.secret),
        Call::get(&newer.secret),
        Call { method: "DELETE", ..Call::get(&newer.secret) },
        Call { source_ip: "198.51.100.7", ..Call::get(&newer.secret) },
    ] {
        Box::pin(instance.call(&call)).await;
    }
    Box::pin(instance.close()).await;
    let shown = journey.of("GET", "/v1/keys/{id}", &key).await;
    assert_eq!(shown["old_secret"]["uses"], 1, "{shown}");
    for query in [&[][..], &[("granularity", "month")]] {
        journey.ask("GET", "/v1/keys/{id}/usage", &[("id", &key.id)], query).await;
        journey.ask("GET", "/v1/owners/{type}/{id}/usage", &ann, query).await;
        for (path, named) in [("/v1/keys/{id}/usage", &[("id", key.id.as_str())][..]), ("/v1/owners/{type}/{id}/usage", &ann)] {
            journey.send(with_header(management_of("GET", path, named, query, ""), "Accept", &["text/csv"])).await;
        }
    }
    let attempts = journey.of("GET", "/v1/keys/{id}/audit", &key).await;
    assert!(attempts["attempts"].as_array().is_some_and(|attempts| attempts.len() >= 5), "{attempts}");
    journey.ask("GET", "/v1/audit", &[], &[]).await;
    journey.of("POST", "/v1/keys/{id}/check", &key).await;
    let advice = journey.of("GET", "/v1/keys/{id}/advice", &key).await;
    assert!(advice["advice"].as_array().is_some_and(|advice| advice.len() >= 2), "{advice}");
    journey.ask("GET", "/v1/keys", &[], &[("owner_type", "user"), ("owner_id", "ann"), ("limit", "1")]).await;

    journey.send(own("GET", "/v1/self", &key.id, (2, "read"), "")).await;
    let turning = Box::pin(journey.stack.issue(json!({ "scopes": ["self:rotate"] }))).await;
    journey.send(own("POST", "/v1/self/rotate", &turning.id, (1, "self:rotate"), "")).await;

    let description = management_of("GET", "/v1/openapi.json", &[], &[], "");
    journey.send(description.clone()).await;
    journey.send(with_header(description, "If-None-Match", &["*"])).await;

    journey.of("POST", "/v1/keys/{id}/disable", &key).await;
    journey.of("POST", "/v1/keys/{id}/enable", &key).await;
    let revoked = journey.of("POST", "/v1/keys/{id}/revoke", &key).await;
    assert_eq!(revoked["revocation"]["reason"], "no longer needed");
    journey.ask("POST", "/v1/owners/{type}/{id}/revoke", &ann, &[]).await;

    let mut described = BTreeSet::new();
    for (method, path, operation) in held::served().operations() {
        let statuses = operation["responses"].as_object().unwrap().keys().filter_map(|status| status.parse::<u16>().ok());
        described.extend(statuses.filter(|status| *status < 400).map(|status| (method.clone(), path.to_owned(), status)));
    }
    assert_eq!(journey.succeeded, described, "each way to succeed");
}
