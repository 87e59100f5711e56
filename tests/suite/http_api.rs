//! The whole system behind the HTTP API of http-api.yaml: one 403 for every refusal, and everything else as behind the REST API.

use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use local::{
    Invoke,
    functions::Wiring,
    gateway::{Api, HttpGateway, Outcome, OwnAnswer},
    system::System,
};
use serde_json::{Value, json};
use shared::host::Host;
use tests::{Clock, Lines, stack};

const HOME: &str = "203.0.113.7";

/// The system behind its HTTP API, without a port.
struct Http {
    system: System,
    api: HttpGateway,
    admin: String,
    clock: Clock,
    lines: Lines,
}

/// A response: its status, its headers, its body.
type Response = http::Response<Bytes>;

impl Http {
    async fn start() -> Self {
        let (clock, lines) = (Clock::default(), Lines::default());
        let system = System::start(stack::template(), None, clock.host(&lines)).await.unwrap();
        let api = system.http_api(stack::http_api(&system.template)).unwrap();
        let admin = system.admin_key().await.unwrap();
        Self { system, api, admin, clock, lines }
    }

    async fn send(&self, method: &str, uri: &str, headers: &[(&str, &str)], body: &Value) -> (Response, Outcome) {
        handle(&self.api, method, uri, headers, body).await
    }

    /// Status and body of a request with that key.
    async fn ask(&self, method: &str, uri: &str, key: &str, body: Value) -> (u16, Value) {
        let (response, _) = self.send(method, uri, &[("X-API-Key", key)], &body).await;
        (response.status().as_u16(), json_of(&response))
    }

    async fn admin(&self, method: &str, uri: &str, body: Value) -> Value {
        let (status, body) = self.ask(method, uri, &self.admin, body).await;
        assert!((200..300).contains(&status), "{method} {uri}: {status} {body}");
        body
    }

    /// Id and secret of a new key that may read.
    async fn issue(&self, more: Value) -> (String, String) {
        let mut order =
            json!({ "name": "n", "owner": { "type": "user", "id": "ann" }, "environment": "live", "scopes": ["read"] });
        order.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let key = stack::issued(&self.admin("POST", "/v1/keys", order).await);
        (key.id, key.secret)
    }
}

async fn handle(api: &HttpGateway, method: &str, uri: &str, headers: &[(&str, &str)], body: &Value) -> (Response, Outcome) {
    let mut request = http::Request::builder().method(method).uri(uri).header("Host", "a.example").header("User-Agent", "tests");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    // As `curl -d` sends it, without saying that it is JSON.
    let body = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
    api.handle(request.body(body).unwrap(), HOME.parse::<IpAddr>().unwrap()).await
}

fn json_of(response: &Response) -> Value {
    serde_json::from_slice(response.body()).unwrap_or_default()
}

#[tokio::test]
async fn every_refusal_is_the_same_403_and_its_reason_is_in_the_line() {
    let http = Http::start().await;
    let soon = http.clock.now().plus(3600);
    let (_, good) = http.issue(json!({})).await;
    let (_, expiring) = http.issue(json!({ "expires_at": soon })).await;
    let (disabled, off) = http.issue(json!({})).await;
    let (revoked, gone) = http.issue(json!({})).await;
    let (rotated, replaced) = http.issue(json!({})).await;
    let (_, elsewhere) = http.issue(json!({ "ip_allowlist": ["198.51.100.0/24"] })).await;
    let (_, used_up) = http.issue(json!({ "limits": [{ "requests": 1, "per": "month" }] })).await;
    http.admin("POST", &format!("/v1/keys/{disabled}/disable"), Value::Null).await;
    http.admin("POST", &format!("/v1/keys/{revoked}/revoke"), json!({ "reason": "a test" })).await;
    http.admin("POST", &format!("/v1/keys/{rotated}/rotate"), json!({ "grace_seconds": 0 })).await;
    assert_eq!(http.ask("GET", "/example", &used_up, Value::Null).await.0, 200);
    http.clock.advance(3601);

    let unknown = "mbk_live_0123456789abcdefghijklmnopqrstuv";
    let both = format!("/example?api_key={unknown}");
    for (method, uri, key, code) in [
        ("GET", "/example", None, "missing_key"),
        ("GET", "/example", Some("mbk_live_short"), "malformed_key"),
        ("GET", both.as_str(), Some(good.as_str()), "conflicting_keys"),
        ("GET", "/example", Some(unknown), "unknown_key"),
        ("GET", "/example", Some(&expiring), "expired_key"),
        ("GET", "/example", Some(&off), "disabled_key"),
        ("GET", "/example", Some(&gone), "revoked_key"),
        ("GET", "/example", Some(&replaced), "replaced_key"),
        ("POST", "/example", Some(&good), "scope_not_allowed"),
        ("GET", "/v1/keys", Some(&good), "scope_not_allowed"),
        ("GET", "/example", Some(&elsewhere), "address_not_allowed"),
        ("GET", "/example", Some(&used_up), "rate_limited"),
    ] {
        let _ = http.lines.take();
        let headers: Vec<_> = key.map(|key| ("X-API-Key", key)).into_iter().collect();
        let (response, outcome) = http.send(method, uri, &headers, &Value::Null).await;
        assert_eq!((response.status().as_u16(), json_of(&response)), (403, json!({ "message": "Forbidden" })), "{code}");
        let names: Vec<_> = response.headers().keys().map(http::HeaderName::as_str).collect();
        assert_eq!(names, ["content-type", "apigw-requestid"], "{code}: nothing of limits, nothing of the reason");
        assert_eq!((outcome.own_answer, outcome.function_duration), (Some(OwnAnswer::Forbidden), None));
        let line = http.lines.only();
        assert_eq!((&line["event"], &line["outcome"], &line["own_fault"]), (&json!("attempt"), &json!(code), &json!(0)));
    }
}

#[tokio::test]
async fn a_fault_of_ours_is_500_and_never_403() {
    let http = Http::start().await;
    http.system.engine.dynamodb().delete_table().table_name("local-KeysTable").send().await.unwrap();
    for key in [http.admin.as_str(), "mbk_live_0123456789abcdefghijklmnopqrstuv"] {
        let (status, body) = http.ask("GET", "/example", key, Value::Null).await;
        assert_eq!((status, body), (500, json!({ "message": "Internal Server Error" })));
    }
    assert_eq!(http.ask("GET", "/example", "no key at all", Value::Null).await.0, 403, "for which no table is asked");
}

#[tokio::test]
async fn from_a_first_key_to_its_end() {
    let http = Http::start().await;
    let (id, secret) =
        http.issue(json!({ "limits": [{ "requests": 5, "per": "month" }], "scopes": ["read", "self:rotate"] })).await;
    let path = format!("/v1/keys/{id}");

    // The door opens, by header and by query parameter. The backend knows who came, and numbers are numbers.
    let (status, echo) = http.ask("GET", "/example", &secret, Value::Null).await;
    assert_eq!((status, &echo["key"]["keyId"], &echo["key"]["remaining_month"]), (200, &json!(id), &json!(4)));
    let (response, _) = http.send("GET", &format!("/example/deeper?api_key={secret}"), &[], &Value::Null).await;
    assert_eq!(response.status(), 200);
    assert_eq!(http.admin("GET", &path, Value::Null).await["total_uses"], 2, "each counted once");

    // It asks about itself, rotates itself, and is rotated.
    let (status, own) = http.ask("GET", "/v1/self", &secret, Value::Null).await;
    assert_eq!((status, &own["id"]), (200, &json!(id)));
    let (status, rotated) = http.ask("POST", "/v1/self/rotate", &secret, Value::Null).await;
    let second = stack::issued(&rotated).secret;
    assert_eq!((status, http.ask("GET", "/example", &second, Value::Null).await.0), (200, 200));
    assert_eq!(http.ask("GET", "/example", &secret, Value::Null).await.0, 403, "the sixth of five");

    // A change is refused to whoever read another version, and the version comes as ETag.
    let (response, _) = http.send("GET", &path, &[("X-API-Key", &http.admin)], &Value::Null).await;
    let tag = response.headers()["etag"].to_str().unwrap().to_owned();
    let change = json!({ "limits": [{ "requests": 100, "per": "month" }] });
    for expected in [200, 412] {
        let headers = [("X-API-Key", http.admin.as_str()), ("If-Match", tag.as_str())];
        assert_eq!(http.send("PATCH", &path, &headers, &change).await.0.status(), expected);
    }
    http.clock.advance(2);
    assert_eq!(http.ask("GET", "/example", &secret, Value::Null).await.0, 200);
    http.admin("POST", &format!("{path}/revoke"), json!({ "reason": "a test" })).await;
    for secret in [&secret, &second] {
        assert_eq!(http.ask("GET", "/example", secret, Value::Null).await.0, 403);
    }

    // The REST API in front of the same functions tells the same of it.
    let request = http::Request::get("/example").header("X-API-Key", &secret).body(Bytes::new()).unwrap();
    assert_eq!(http.system.gateway.handle(request, HOME.parse().unwrap()).await.0.status(), 401);
}

#[tokio::test]
async fn every_management_route_understands_its_events_and_asks_for_an_admin_key() {
    let http = Http::start().await;
    let (id, reader) = http.issue(json!({ "scopes": ["read", "write", "delete", "POST /v1/keys", "GET /v1/keys/{id}"] })).await;
    let routes = stack::http_api(&http.system.template).routes;
    let management: Vec<_> = routes.iter().filter(|route| route.path.starts_with("/v1/") && route.authorized).collect();
    assert!(management.len() >= 21, "{management:?}");
    for route in management {
        let path = route.path.replace("{type}", "user").replace("owners/user/{id}", "owners/user/ann").replace("{name}", "basic");
        let path = path.replace("{id}", &id);
        let key = format!("{} {}", route.method, route.path);
        let (status, body) = http.ask(&route.method, &path, &reader, Value::Null).await;
        match key.as_str() {
            "GET /v1/self" => assert_eq!((status, &body["id"]), (200, &json!(id))),
            _ => assert_eq!((status, body), (403, json!({ "message": "Forbidden" })), "{key}"),
        }
        // Whatever it answers, it is the route's own answer. Nothing implies the scope self:rotate.
        if key == "POST /v1/self/rotate" {
            continue;
        }
        let (response, outcome) = http.send(&route.method, &path, &[("X-API-Key", &http.admin)], &Value::Null).await;
        assert_eq!(outcome.route.as_deref(), Some(key.as_str()));
        assert!(outcome.function_duration.is_some() && !response.status().is_server_error(), "{key}: {response:?}");
        assert_ne!(json_of(&response)["code"], "no_such_route", "{key}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_hold_and_nobody_sees_a_usage_key() {
    let http = Http::start().await;
    let (id, secret) = http.issue(json!({ "limits": [{ "requests": 7, "per": "day" }] })).await;
    let asked = (0..30).map(|_| async {
        let (response, _) = http.send("GET", "/example", &[("X-API-Key", &secret)], &Value::Null).await;
        let seen = format!("{:?} {}", response.headers(), String::from_utf8_lossy(response.body()));
        assert!(!seen.contains("unthrottled") && !seen.to_lowercase().contains("usageidentifier"), "{seen}");
        response.status().as_u16()
    });
    let statuses = futures_util::future::join_all(asked).await;
    let count = |status| statuses.iter().filter(|found| **found == status).count();
    assert_eq!((count(200), count(403)), (7, 23));
    assert_eq!(http.admin("GET", &format!("/v1/keys/{id}"), Value::Null).await["total_uses"], 7);
}

#[tokio::test]
async fn pages_get_api_gateway_s_headers_and_may_read_the_version() {
    let http = Http::start().await;
    let (id, _) = http.issue(json!({})).await;
    for path in ["/v1/keys", "/example", "/example/x"] {
        let headers = [("Origin", "https://app.example"), ("Access-Control-Request-Method", "GET")];
        let (response, outcome) = http.send("OPTIONS", path, &headers, &Value::Null).await;
        assert_eq!((response.status().as_u16(), outcome.authorizer_duration), (204, None), "{path}: nobody is asked");
        assert!(response.headers()["access-control-allow-headers"].to_str().unwrap().contains("x-api-key"));
    }
    let headers = [("Origin", "https://app.example"), ("X-API-Key", http.admin.as_str())];
    let (response, _) = http.send("GET", &format!("/v1/keys/{id}"), &headers, &Value::Null).await;
    let all = response.headers().get_all("access-control-allow-origin").iter().count();
    assert_eq!((all, response.headers()["access-control-expose-headers"].to_str().unwrap()), (1, "etag"));
}

/// The same functions behind the HTTP API, but for those behind routes: these note what they get, and do nothing.
async fn spied(http: &Http) -> (HttpGateway, Arc<Mutex<Vec<Value>>>) {
    let template = Arc::clone(&http.system.template);
    let host = Host { output: Arc::new(Lines::default()), ..http.clock.host(&http.lines) };
    let mut functions = Wiring::new(&http.system.engine, host).all(&template).await.unwrap();
    let reached = Arc::<Mutex<Vec<Value>>>::default();
    for (binary, function) in &mut functions {
        let reached = Arc::clone(&reached);
        if binary != "authorizer" {
            *function = noting(reached, json!({ "statusCode": 200 }));
        }
    }
    (HttpGateway::new(stack::http_api(&template), template, functions).unwrap(), reached)
}

fn noting(reached: Arc<Mutex<Vec<Value>>>, answer: Value) -> Invoke {
    Arc::new(move |event| {
        reached.lock().unwrap().push(event);
        let answer = answer.clone();
        Box::pin(async move { Ok(answer) })
    })
}

/// Whatever a path looks like: what is behind it is what the authorizer has decided on.
#[tokio::test]
async fn no_path_leads_where_the_key_may_not_go() {
    let http = Http::start().await;
    let (_, reader) = http.issue(json!({})).await;
    let (_, narrow) = http.issue(json!({ "scopes": ["GET /example/open/{id}"] })).await;
    let (api, reached) = spied(&http).await;
    let mut dice = fastrand::Rng::with_seed(7);
    let whole =
        ["/example", "/example/open/7", "/v1/keys", "/v1/self", "/v1/plans/basic", "/live/v1/keys", "/$default/v1/self", "/"];
    let pieces = [
        "/",
        "//",
        "/.",
        "/..",
        "%2f",
        "%2F..%2f",
        "%5c",
        "%2e%2e",
        "%252f",
        "%252e",
        "%3f",
        "%3F/",
        "%23",
        ";x",
        "%20",
        "%00",
        "%76%31",
        "%73elf",
        "/open",
        "/7",
        "/v1",
        "/keys",
        "/example",
        "/secret",
        "?a=/v1/keys",
        "%c3%a9",
        "%ff",
    ]; // fmt: skip
    let (mut opened, mut tried) = (0, 0);
    for _ in 0..400 {
        let mut path = dice.choice(whole).unwrap().to_owned();
        for _ in 0..dice.usize(0..4) {
            let at = if dice.bool() { path.len() } else { dice.usize(0..=path.len()) };
            path.insert_str(at, dice.choice(pieces).unwrap());
        }
        if !path.starts_with('/') || path.parse::<http::Uri>().is_err() {
            continue;
        }
        for key in [&reader, &narrow] {
            tried += 1;
            let (response, outcome) = handle(&api, "GET", &path, &[("X-API-Key", key)], &Value::Null).await;
            assert!(outcome.fault.is_none() && [200, 403, 404].contains(&response.status().as_u16()), "{path}: {outcome:?}");
            let Some(event) = reached.lock().unwrap().pop() else {
                assert_ne!(response.status(), 200, "{path}");
                continue;
            };
            opened += 1;
            let route = event["routeKey"].as_str().unwrap();
            if route == "GET /v1/self" {
                continue; // every key may ask about itself
            }
            if key == &narrow {
                let id = event["pathParameters"]["proxy"].as_str().unwrap().strip_prefix("open/").expect(&path);
                assert!(route == "GET /example/{proxy+}" && !id.is_empty() && !id.contains(['/', '?', '%']), "{path}: {event}");
                assert_eq!(event["rawPath"], json!(format!("/example/open/{id}")), "{path}: two readings");
            } else {
                assert!(route.starts_with("GET /example"), "{path}: {event}");
            }
        }
    }
    assert!(opened > 40 && tried - opened > 200, "{opened} of {tried} were let in");
}

/// What the emulation sends has the form of what is recorded, member by member.
#[tokio::test]
async fn emulated_events_have_the_form_of_recorded_ones() {
    let template = Arc::new(stack::template());
    let (asked, reached) = (Arc::<Mutex<Vec<Value>>>::default(), Arc::<Mutex<Vec<Value>>>::default());
    let context = json!({ "keyId": "key_admin", "principalId": "key_admin", "scopes": "admin", "generation": 1 });
    let functions = template.functions.iter().map(|block| {
        let function = match block.binary.as_str() {
            "authorizer" => noting(Arc::clone(&asked), json!({ "isAuthorized": true, "context": context })),
            _ => noting(Arc::clone(&reached), json!({ "statusCode": 200 })),
        };
        (block.binary.clone(), function)
    });
    let functions: BTreeMap<_, _> = functions.collect();
    let api = HttpGateway::new(stack::http_api(&template), Arc::clone(&template), functions).unwrap();
    let headers = [("X-API-Key", "k"), ("Content-Type", "application/json"), ("Accept", "*/*")];
    let id = "key_0123456789abcdefghijkl";
    handle(&api, "GET", "/example", &headers, &Value::Null).await;
    handle(&api, "PATCH", &format!("/v1/keys/{id}"), &headers, &json!({ "name": "n" })).await;

    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../events/authorizer-allowed-http-api.json");
    let recorded: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let emulated = asked.lock().unwrap()[0].clone();
    same_form("", &recorded, &emulated, &["stageVariables", "content-type", "x-forwarded-port"]);

    let by_hand = tests::event::management("PATCH", "/v1/keys/{id}", Some(id), &[], r#"{"name":"n"}"#);
    let emulated = reached.lock().unwrap()[1].clone();
    let more = [
        "stageVariables",
        "x-api-key",
        "accept",
        "host",
        "user-agent",
        "x-forwarded-for",
        "x-forwarded-proto",
        "domainName",
        "domainPrefix",
        "time",
        "generation",
    ]; // fmt: skip
    same_form("", &tests::event::as_http_api(&by_hand), &emulated, &more);
    assert_eq!((&emulated["pathParameters"]["id"], &emulated["body"]), (&json!(id), &json!(r#"{"name":"n"}"#)));
}

/// The same members of the same types, but for those that `either` may have alone.
fn same_form(at: &str, one: &Value, other: &Value, either: &[&str]) {
    let (Value::Object(one), Value::Object(other)) = (one, other) else {
        assert_eq!(std::mem::discriminant(one), std::mem::discriminant(other), "{at}: {one} and {other}");
        return;
    };
    for name in one.keys().chain(other.keys()).filter(|name| !either.contains(&name.as_str())) {
        let member =
            |of: &serde_json::Map<String, Value>| of.get(name).cloned().unwrap_or_else(|| panic!("{at}.{name}: one has none"));
        same_form(&format!("{at}.{name}"), &member(one), &member(other), either);
    }
}
