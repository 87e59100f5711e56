//! The journey of the README, over HTTP, through the template's own routes and gateway responses.

use std::{
    path::Path,
    sync::{Arc, Mutex},
};

use local::{output, server, system::System};
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use tokio::sync::oneshot;

/// The system on a port of its own.
pub(crate) struct Running {
    pub(crate) system: System,
    pub(crate) url: String,
    pub(crate) admin: String,
    pub(crate) lines: Arc<Mutex<Vec<String>>>,
    http: Client,
    stop: oneshot::Sender<()>,
    served: tokio::task::JoinHandle<()>,
}

/// A response: its status, its headers, its body as JSON.
pub(crate) type Response = (StatusCode, reqwest::header::HeaderMap, Value);

impl Running {
    pub(crate) async fn start(data_dir: Option<&Path>) -> Self {
        let system = System::start(tests::stack::template(), data_dir, output::host(tracing::Level::WARN)).await.unwrap();
        let admin = system.admin_key().await.unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let lines = Arc::new(Mutex::new(Vec::new()));
        let (stop, stopped) = oneshot::channel();
        let log = Arc::clone(&lines);
        let log = Arc::new(move |line: &server::LogLine| log.lock().unwrap().push(line.to_string()));
        let gateway = Arc::clone(&system.gateway);
        let served = tokio::spawn(server::serve(listener, gateway, log, async {
            let _ = stopped.await;
        }));
        Self { system, url, admin, lines, http: Client::new(), stop, served }
    }

    pub(crate) async fn send(&self, method: Method, path: &str, key: Option<&str>, body: Value) -> Response {
        let mut request = self.http.request(method, format!("{}{path}", self.url));
        if let Some(key) = key {
            request = request.header("X-API-Key", key);
        }
        if !body.is_null() {
            request = request.json(&body);
        }
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.bytes().await.unwrap();
        (status, headers, serde_json::from_slice(&body).unwrap_or_default())
    }

    pub(crate) async fn get(&self, path: &str, key: &str) -> Response {
        self.send(Method::GET, path, Some(key), Value::Null).await
    }

    pub(crate) async fn admin(&self, method: Method, path: &str, body: Value) -> Response {
        self.send(method, path, Some(&self.admin), body).await
    }

    pub(crate) async fn end(self) {
        self.stop.send(()).unwrap();
        self.served.await.unwrap();
        self.system.engine.stop().await;
    }
}

#[tokio::test]
async fn from_an_admin_key_to_a_key_that_opens_a_door_and_back() {
    let running = Running::start(None).await;
    let order = json!({
        "name": "try me", "owner": { "type": "user", "id": "ann" }, "environment": "test", "scopes": ["read"],
        "limits": [{ "requests": 3, "per": "month" }],
    });
    let (status, _, key) = running.admin(Method::POST, "/v1/keys", order).await;
    assert_eq!(status, StatusCode::CREATED);
    let (id, secret) = (key["id"].as_str().unwrap(), key["secret"].as_str().unwrap());

    // The door opens, by header and by query parameter, and the backend knows who came.
    let (status, _, echo) = running.get("/example", secret).await;
    assert_eq!((status, &echo["key"]["keyId"], &echo["key"]["owner"]), (StatusCode::OK, &json!(id), &json!("user:ann")));
    let by_query = format!("/example/deeper?api_key={secret}");
    assert_eq!(running.send(Method::GET, &by_query, None, Value::Null).await.0, StatusCode::OK);

    // Neither what its scopes don't say, nor what is for administrators.
    for (method, path) in [(Method::POST, "/example"), (Method::GET, "/v1/keys"), (Method::POST, "/v1/keys")] {
        let (status, headers, problem) = running.send(method, path, Some(secret), Value::Null).await;
        assert_eq!((status, &problem["code"]), (StatusCode::FORBIDDEN, &json!("scope_not_allowed")), "{path}");
        assert_eq!(headers["content-type"], "application/problem+json");
    }

    // Its limit.
    assert_eq!(running.get("/example", secret).await.0, StatusCode::OK);
    let (status, headers, problem) = running.get("/example", secret).await;
    assert_eq!((status, &problem["code"]), (StatusCode::TOO_MANY_REQUESTS, &json!("rate_limited")));
    assert!(headers["retry-after"].to_str().unwrap().parse::<u64>().unwrap() > 0);
    assert!(headers.contains_key("ratelimit") && headers.contains_key("ratelimit-policy"));

    // Raised, rotated, disabled, enabled, revoked.
    let path = format!("/v1/keys/{id}");
    let raised = json!({ "limits": [{ "requests": 100, "per": "month" }] });
    assert_eq!(running.admin(Method::PATCH, &path, raised).await.0, StatusCode::OK);
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    let (status, _, rotated) = running.admin(Method::POST, &format!("{path}/rotate"), Value::Null).await;
    assert_eq!((status, &rotated["id"]), (StatusCode::OK, &json!(id)));
    let new = rotated["secret"].as_str().unwrap();
    for secret in [secret, new] {
        assert_eq!(running.get("/example", secret).await.0, StatusCode::OK);
    }
    assert_eq!(running.admin(Method::POST, &format!("{path}/disable"), Value::Null).await.0, StatusCode::OK);
    unauthorized(running.get("/example", new).await);
    assert_eq!(running.admin(Method::POST, &format!("{path}/enable"), Value::Null).await.0, StatusCode::OK);
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    assert_eq!(running.get("/example", new).await.0, StatusCode::OK);
    let (status, _, revoked) = running.admin(Method::POST, &format!("{path}/revoke"), json!({ "reason": "tried it" })).await;
    assert_eq!((status, &revoked["revocation"]["reason"]), (StatusCode::OK, &json!("tried it")));
    for secret in [secret, new] {
        unauthorized(running.get("/example", secret).await);
    }

    // What is left of it.
    let (_, _, shown) = running.admin(Method::GET, &path, Value::Null).await;
    assert_eq!((&shown["status"], &shown["total_uses"]), (&json!("revoked"), &json!(6)));
    let (_, _, list) = running.admin(Method::GET, "/v1/keys?owner_type=user&owner_id=ann", Value::Null).await;
    assert_eq!((&list["keys"][0]["id"], &list["keys"][0]["status"]), (&json!(id), &json!("revoked")));

    // No key, no such route, and one readable line for each request.
    unauthorized(running.send(Method::GET, "/example", None, Value::Null).await);
    let (status, _, problem) = running.admin(Method::GET, "/nowhere", Value::Null).await;
    assert_eq!((status, &problem["code"]), (StatusCode::NOT_FOUND, &json!("no_such_route")));
    let lines = running.lines.lock().unwrap().clone();
    assert!(lines.iter().any(|line| line.starts_with("429 GET /example") && line.contains("rate_limited")), "{lines:#?}");
    assert!(lines.iter().all(|line| !line.contains("api_key") && !line.contains(secret)), "no query, no key: {lines:#?}");
    running.end().await;
}

fn unauthorized((status, headers, problem): Response) {
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert_eq!(problem["status"], 401);
    assert!(problem["code"].is_string() && problem["detail"].is_string(), "{problem}");
    assert!(headers.contains_key("www-authenticate"));
}

#[tokio::test]
async fn a_data_directory_keeps_keys_and_peppers_across_restarts() {
    let data_dir = tempfile::tempdir().unwrap();
    let first = Running::start(Some(data_dir.path())).await;
    let secret = first.admin.clone();
    assert_eq!(first.get("/example", &secret).await.0, StatusCode::OK);
    first.end().await;
    let second = Running::start(Some(data_dir.path())).await;
    assert_ne!(second.admin, secret, "every start has an admin key of its own");
    let (status, _, echo) = second.get("/example", &secret).await;
    assert_eq!((status, &echo["key"]["name"]), (StatusCode::OK, &json!("local admin")));
    second.end().await;
}

#[tokio::test]
async fn a_body_beyond_64_kib_is_413_and_an_unknown_key_id_404() {
    let running = Running::start(None).await;
    let large = json!({ "name": "x".repeat(64 * 1024) });
    let (status, _, problem) = running.admin(Method::POST, "/v1/keys", large).await;
    assert_eq!((status, &problem["code"]), (StatusCode::PAYLOAD_TOO_LARGE, &json!("body_too_large")));
    let (status, headers, problem) = running.admin(Method::GET, "/v1/keys/key_0123456789abcdefghijkl", Value::Null).await;
    assert_eq!((status, &problem["code"]), (StatusCode::NOT_FOUND, &json!("no_such_key")));
    assert_eq!(headers["content-type"], "application/problem+json");
    running.end().await;
}

#[tokio::test]
async fn a_fault_of_ours_is_500_and_says_nothing_of_it() {
    let running = Running::start(None).await;
    running.system.engine.dynamodb().delete_table().table_name("local-KeysTable").send().await.unwrap();
    for key in [running.admin.as_str(), "mbk_live_0123456789abcdefghijklmnopqrstuv"] {
        let (status, _, problem) = running.get("/example", key).await;
        assert_eq!((status, &problem["code"]), (StatusCode::INTERNAL_SERVER_ERROR, &json!("internal")));
        assert!(!problem.to_string().contains("Table"), "{problem}");
    }
    running.end().await;
}

#[tokio::test]
async fn a_page_of_another_origin_may_ask_beforehand_without_a_key_and_read_every_answer() {
    let running = Running::start(None).await;
    for (path, methods) in [("/v1/keys", "GET,OPTIONS,POST"), ("/example/x", "DELETE,GET,HEAD,OPTIONS,PATCH,POST,PUT")] {
        let (status, headers, _) = running.send(Method::OPTIONS, path, None, Value::Null).await;
        assert_eq!((status, &headers["access-control-allow-origin"]), (StatusCode::OK, &"*".parse().unwrap()), "{path}");
        assert_eq!(headers["access-control-allow-methods"], methods);
        assert!(headers["access-control-allow-headers"].to_str().unwrap().contains("X-API-Key"));
    }
    let order = json!({ "limits": [{ "requests": 1, "per": "month" }], "scopes": ["read"], "environment": "test", "name": "n",
        "owner": { "type": "user", "id": "1" } });
    let secret = running.admin(Method::POST, "/v1/keys", order).await.2["secret"].as_str().unwrap().to_owned();
    for (method, path, key, expected) in [
        (Method::GET, "/example", Some(secret.as_str()), 200),
        (Method::GET, "/example", Some(secret.as_str()), 429),
        (Method::POST, "/example", Some(secret.as_str()), 403),
        (Method::GET, "/example", None, 401),
        (Method::GET, "/nowhere", None, 404),
    ] {
        let (status, headers, _) = running.send(method, path, key, Value::Null).await;
        assert_eq!((status.as_u16(), &headers["access-control-allow-origin"]), (expected, &"*".parse().unwrap()));
        let exposed = headers.get("access-control-expose-headers").map(|names| names.to_str().unwrap().to_lowercase());
        assert_eq!(exposed.is_some_and(|names| names.contains("retry-after")), expected == 429);
    }
    running.end().await;
}
