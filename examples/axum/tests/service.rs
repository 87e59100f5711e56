//! What callers of the service see, over HTTP.

use std::net::SocketAddr;

use reqwest::{Client, Method, Response, StatusCode};
use serde_json::{Value, json};
use tests::Stack;
use tokio::net::TcpListener;

struct Service {
    stack: Stack,
    url: String,
    client: Client,
}

impl Service {
    async fn start() -> Self {
        let stack = Stack::start().await;
        let (keys, _wire) = stack.middleware();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let routes = axum_example::routes(keys).into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { stack, url, client: Client::new() }
    }

    async fn call(&self, method: Method, path: &str, key: &str) -> Response {
        self.client.request(method, format!("{}{path}", self.url)).header("X-API-Key", key).send().await.unwrap()
    }

    async fn status(&self, method: Method, path: &str, key: &str) -> u16 {
        self.call(method, path, key).await.status().as_u16()
    }
}

#[tokio::test]
async fn each_route_asks_for_what_it_declares() {
    let service = Service::start().await;
    let reader = service.stack.issue(json!({ "scopes": ["read"] })).await.secret;
    let writer = service.stack.issue(json!({ "scopes": ["write", "GET /reports/{id}"] })).await.secret;
    let admin = service.stack.issue(json!({ "scopes": ["admin"] })).await.secret;
    for (method, path, expected) in [
        (Method::GET, "/reports/7", [200, 200, 200]),
        (Method::DELETE, "/reports/7", [403, 403, 200]),
        (Method::POST, "/search", [200, 403, 200]),
        (Method::GET, "/me", [200, 200, 200]),
    ] {
        for (key, expected) in [&reader, &writer, &admin].into_iter().zip(expected) {
            assert_eq!(service.status(method.clone(), path, key).await, expected, "{method} {path}");
        }
    }
    assert_eq!(service.client.get(format!("{}/me", service.url)).send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn the_handler_knows_whose_key_it_is_and_the_caller_what_is_left() {
    let service = Service::start().await;
    let key = service.stack.issue(json!({ "limits": [{ "requests": 1, "per": "minute" }] })).await;
    let answer = service.call(Method::GET, "/reports/7", &key.secret).await;
    assert_eq!(answer.headers()["ratelimit-policy"], "\"minute\";q=1;w=60");
    assert_eq!(answer.json::<Value>().await.unwrap(), json!("report 7 for user:42"));
    let refused = service.call(Method::GET, "/reports/7", &key.secret).await;
    assert_eq!((refused.status(), &refused.headers()["retry-after"]), (StatusCode::TOO_MANY_REQUESTS, &"60".parse().unwrap()));
}

#[tokio::test]
async fn an_allowlist_is_held_against_the_connections_address() {
    let service = Service::start().await;
    let here = service.stack.issue(json!({ "ip_allowlist": ["127.0.0.0/8"] })).await.secret;
    let elsewhere = service.stack.issue(json!({ "ip_allowlist": ["203.0.113.0/24"] })).await.secret;
    assert_eq!(service.status(Method::GET, "/me", &here).await, 200);
    let answer = service.client.get(format!("{}/me", service.url)).header("X-API-Key", &elsewhere);
    let answer = answer.header("X-Forwarded-For", "203.0.113.7").send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::FORBIDDEN, "a header is no address");
}
