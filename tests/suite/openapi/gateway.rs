//! What API Gateway answers by itself, on every route, is described as the template has it.

use std::{collections::BTreeMap, net::IpAddr};

use bytes::Bytes;
use local::{output, system::System};
use tests::openapi::held;

/// One request through the gateway, held against the description.
async fn ask(system: &System, method: &str, path: &str, key: Option<&str>) -> u16 {
    // Ids that nobody has, in the form that they have.
    let concrete = path.replace("/v1/owners/{type}/{id}", "/v1/owners/user/ann").replace("{id}", "key_0123456789abcdefghijkl");
    let mut request = http::Request::builder().method(method).uri(concrete.replace("{name}", "basic"));
    if let Some(key) = key {
        request = request.header("X-API-Key", key);
    }
    let (response, _) = system.gateway.handle(request.body(Bytes::new()).unwrap(), IpAddr::from([127, 0, 0, 1])).await;
    let status = response.status().as_u16();
    let header = |(name, value): (&http::HeaderName, &http::HeaderValue)| (name.to_string(), value.to_str().unwrap().to_owned());
    let headers: BTreeMap<String, String> = response.headers().iter().map(header).collect();
    let body = String::from_utf8_lossy(response.body()).into_owned();
    let checked = held::served().check_answer((method, path), &status.to_string(), &headers, &body);
    assert_eq!(checked, Ok(()), "{method} {path}");
    status
}

#[tokio::test]
async fn every_route_refuses_as_described_without_a_key_or_scope_or_beyond_a_limit() {
    let system = System::start(tests::stack::template(), None, output::host(tracing::Level::ERROR)).await.unwrap();
    let issue = async |scopes: &str, more: serde_json::Value| {
        let mut order = serde_json::json!({
            "name": "n", "owner": { "type": "user", "id": "ann" }, "environment": "test", "scopes": [scopes],
        });
        order.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        system.invoke("issue", order).await.unwrap()["secret"].as_str().unwrap().to_owned()
    };
    let nobody = issue("GET /nothing", serde_json::json!({})).await;
    let elsewhere = issue("admin", serde_json::json!({ "ip_allowlist": ["192.0.2.0/24"] })).await;
    let limited = issue("admin", serde_json::json!({ "limits": [{ "requests": 1, "per": "month" }] })).await;
    let both = issue("self:rotate", serde_json::json!({ "limits": [{ "requests": 1, "per": "month" }] })).await;
    assert_eq!(ask(&system, "GET", "/v1/self", Some(&limited)).await, 200);
    assert_eq!(ask(&system, "GET", "/v1/self", Some(&both)).await, 200);
    for (method, path, operation) in held::served().operations() {
        if operation["security"].is_array() {
            assert_eq!(ask(&system, &method, path, None).await, 200, "{method} {path}");
            continue;
        }
        assert_eq!(ask(&system, &method, path, None).await, 401, "{method} {path}");
        assert_eq!(ask(&system, &method, path, Some(&elsewhere)).await, 403, "{method} {path}");
        let own = path == "/v1/self";
        assert_eq!(ask(&system, &method, path, Some(&nobody)).await, if own { 200 } else { 403 }, "{method} {path}");
        let limited = if path == "/v1/self/rotate" { &both } else { &limited };
        assert_eq!(ask(&system, &method, path, Some(limited)).await, 429, "{method} {path}");
    }
}
