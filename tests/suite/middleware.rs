//! Services that authenticate in process: the authorizer's decisions, with their exact statuses, codes and headers.

use std::{
    convert::Infallible,
    net::IpAddr,
    sync::{Arc, Mutex},
};

use http::{HeaderValue, Method, Request, Response, request::Parts};
use lambda_http::Body;
use serde_json::{Value, json};
use shared::{
    key_context::KeyContext,
    middleware::{Authenticate, Middleware},
    scope::Scope,
};
use tests::{Stack, event::Call, stack::Issued};
use tower_layer::Layer;
use tower_service::Service;

/// A service that remembers what reached it, behind a layer.
struct Guarded {
    layer: Authenticate,
    reached: Arc<Mutex<Vec<Parts>>>,
}

/// Where a test's request comes from.
#[derive(Clone, Copy)]
struct From(IpAddr);

fn address_of(parts: &Parts) -> Option<IpAddr> {
    parts.extensions.get::<From>().map(|from| from.0)
}

impl Guarded {
    fn by(layer: Authenticate) -> Self {
        Self { layer, reached: Arc::default() }
    }

    async fn call(&self, request: Request<()>) -> Response<String> {
        let reached = Arc::clone(&self.reached);
        let service = Recorder { reached };
        self.layer.layer(service).call(request).await.unwrap()
    }

    /// Status, code and sentence of the answer to `GET uri` with `key`.
    async fn get(&self, uri: &str, key: &str) -> (u16, String) {
        let response = self.call(request("GET", uri, Some(key))).await;
        let body: Value = serde_json::from_str(response.body()).unwrap_or_default();
        (response.status().as_u16(), body["code"].as_str().unwrap_or_default().to_owned())
    }

    fn reached(&self) -> Vec<Parts> {
        std::mem::take(&mut self.reached.lock().unwrap())
    }
}

#[derive(Clone)]
struct Recorder {
    reached: Arc<Mutex<Vec<Parts>>>,
}

impl Service<Request<()>> for Recorder {
    type Response = Response<String>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Response<String>, Infallible>>;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), Infallible>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<()>) -> Self::Future {
        self.reached.lock().unwrap().push(request.into_parts().0);
        std::future::ready(Ok(Response::new("reached".to_owned())))
    }
}

fn request(method: &str, uri: &str, key: Option<&str>) -> Request<()> {
    let mut request = Request::builder().method(method).uri(uri).header("User-Agent", "tests");
    if let Some(key) = key {
        request = request.header("X-API-Key", key);
    }
    let mut request = request.body(()).unwrap();
    request.extensions_mut().insert(From("203.0.113.7".parse().unwrap()));
    request
}

fn guarded(middleware: &Middleware) -> Guarded {
    Guarded::by(middleware.clone().address_of(address_of).by_method())
}

/// One key for each way to be refused, and one for none, with the status and code of the second use of each.
async fn keys(stack: &Stack) -> Vec<(Issued, u16, &'static str)> {
    let past = stack.clock.now().plus(60);
    let expired = stack.issue(json!({ "expires_at": past })).await;
    stack.clock.advance(120);
    let revoked = stack.issue(json!({})).await;
    stack.revoke(&revoked.id).await;
    let disabled = stack.issue(json!({})).await;
    stack.manage("POST", "/v1/keys/{id}/disable", Some(&disabled.id), &Value::Null).await;
    let replaced = stack.issue(json!({})).await;
    stack.rotate(&replaced.id, &json!({ "grace_seconds": 0 })).await;
    vec![
        (stack.issue(json!({})).await, 200, ""),
        (expired, 401, "expired_key"),
        (revoked, 401, "revoked_key"),
        (disabled, 401, "disabled_key"),
        (replaced, 401, "replaced_key"),
        (stack.issue(json!({ "scopes": ["write"] })).await, 403, "scope_not_allowed"),
        (stack.issue(json!({ "ip_allowlist": ["198.51.100.0/24"] })).await, 403, "address_not_allowed"),
        (stack.issue(json!({ "limits": [{ "requests": 1, "per": "minute" }] })).await, 429, "rate_limited"),
    ]
}

#[tokio::test]
async fn every_refusal_has_its_own_status_and_code() {
    let stack = Stack::start().await;
    let guarded = guarded(&stack.middleware().0);
    for (key, status, code) in keys(&stack).await {
        let _ = guarded.get("/reports", &key.secret).await;
        let _ = guarded.reached();
        assert_eq!(guarded.get("/reports", &key.secret).await, (status, code.to_owned()));
        assert_eq!(guarded.reached().len(), usize::from(status == 200), "{code}");
    }
    for (key, code) in [
        ("mbk_live_0123456789abcdefghijklmnopqrstuv", "unknown_key"),
        ("mbk_live_short", "malformed_key"),
        ("", "malformed_key"),
        (&"k".repeat(100_000), "malformed_key"),
    ] {
        assert_eq!(guarded.get("/reports", key).await, (401, code.to_owned()));
    }
    assert!(guarded.reached().is_empty());
}

#[tokio::test]
async fn refusals_are_problems_that_say_how_to_do_better() {
    let stack = Stack::start().await;
    let guarded = guarded(&stack.middleware().0);
    let missing = guarded.call(request("GET", "/reports", None)).await;
    assert_eq!(missing.status(), 401);
    assert_eq!(missing.headers()["content-type"], "application/problem+json");
    assert_eq!(missing.headers()["www-authenticate"], r#"ApiKey realm="api", header="X-API-Key""#);
    assert_eq!(missing.headers()["cache-control"], "no-store");
    let problem: Value = serde_json::from_str(missing.body()).unwrap();
    assert_eq!(
        (&problem["status"], &problem["title"], &problem["code"]),
        (&json!(401), &json!("Unauthorized"), &json!("missing_key"))
    );

    let key = stack.issue(json!({ "limits": [{ "requests": 1, "per": "minute" }] })).await;
    let allowed = guarded.call(request("GET", "/reports", Some(&key.secret))).await;
    assert_eq!(allowed.headers()["ratelimit-policy"], "\"minute\";q=1;w=60");
    assert_eq!(allowed.headers()["ratelimit"], "\"minute\";r=0;t=60");
    let limited = guarded.call(request("GET", "/reports", Some(&key.secret))).await;
    assert_eq!(limited.status(), 429);
    assert_eq!(limited.headers()["retry-after"], "60");
    assert_eq!(limited.headers()["ratelimit"], "\"minute\";r=0;t=60");
    assert!(limited.headers().get("www-authenticate").is_none());
}

#[tokio::test]
async fn an_old_secret_is_told_that_it_ends() {
    let stack = Stack::start().await;
    let guarded = guarded(&stack.middleware().0);
    let key = stack.issue(json!({})).await;
    stack.rotate(&key.id, &json!({ "grace_seconds": 3600 })).await;
    let allowed = guarded.call(request("GET", "/reports", Some(&key.secret))).await;
    assert_eq!(allowed.headers()["deprecation"], format!("@{}", stack.clock.now().secs()));
    assert_eq!(allowed.headers()["sunset"], stack.clock.now().plus(3600).http_date());
}

#[tokio::test]
async fn the_authorizer_and_the_middleware_never_disagree() {
    let stack = Stack::start().await;
    let (instance, guarded) = (stack.instance().await, guarded(&stack.middleware().0));
    for (key, ..) in keys(&stack).await {
        for (method, path) in [("GET", "/reports"), ("POST", "/reports/7"), ("PURGE", "/"), ("GET", "/reports/%37")] {
            let _ = stack.lines.take();
            guarded.call(request(method, path, Some(&key.secret))).await;
            let ours = stack.lines.only();
            // What one of them has counted, the other would find used up.
            stack.clock.advance(60);
            instance.call(&Call { method, path, ..Call::get(&key.secret) }).await;
            let theirs = stack.lines.only();
            for member in ["outcome", "key", "generation", "hint", "method", "path", "source_ip", "user_agent"] {
                assert_eq!(ours[member], theirs[member], "{member} of {method} {path}");
            }
            stack.clock.advance(60);
        }
    }
}

#[tokio::test]
async fn a_fault_is_503_and_lets_nobody_in() {
    let stack = Stack::start().await;
    let (middleware, wire) = stack.middleware();
    let guarded = guarded(&middleware);
    let key = stack.issue(json!({})).await;
    for warm in [false, true] {
        wire.cut_after(0);
        assert_eq!(guarded.get("/reports", &key.secret).await, (503, "internal".to_owned()), "warm: {warm}");
        assert!(guarded.reached().is_empty());
        wire.mend();
        // A failed read is remembered for a second.
        stack.clock.advance(2);
        assert_eq!(guarded.get("/reports", &key.secret).await.0, 200);
        let _ = guarded.reached();
    }
}

#[tokio::test]
async fn a_warm_allowed_request_waits_for_one_call() {
    let stack = Stack::start().await;
    let (middleware, wire) = stack.middleware();
    let guarded = guarded(&middleware);
    let key = stack.issue(json!({})).await;
    guarded.get("/reports", &key.secret).await;
    middleware.authenticator().afterwards().idle().await;
    let _ = wire.take();
    assert_eq!(guarded.get("/reports", &key.secret).await.0, 200);
    assert_eq!(wire.take(), ["UpdateItem"]);
    guarded.get("/reports", "mbk_live_short").await;
    assert!(wire.take().is_empty());
}

#[tokio::test]
async fn a_revoked_key_is_refused_at_its_next_request() {
    let stack = Stack::start().await;
    let guarded = guarded(&stack.middleware().0);
    let key = stack.issue(json!({})).await;
    assert_eq!(guarded.get("/reports", &key.secret).await.0, 200);
    stack.revoke(&key.id).await;
    assert_eq!(guarded.get("/reports", &key.secret).await, (401, "revoked_key".to_owned()));
}

#[tokio::test]
async fn what_reaches_the_service_has_a_context_and_no_key() {
    let stack = Stack::start().await;
    let guarded = guarded(&stack.middleware().0);
    let key = stack.issue(json!({ "limits": [{ "requests": 5, "per": "minute" }] })).await;
    let secret = &key.secret;
    for (uri, header) in [
        ("/reports?page=2", Some(secret.as_str())),
        (&*format!("/reports?api_key={secret}&page=2"), None),
        (&*format!("/reports?page=2&api_key={secret}"), Some(secret.as_str())),
    ] {
        guarded.call(request("GET", uri, header)).await;
        let reached = guarded.reached().pop().expect("a request that was let through");
        assert_eq!(reached.uri, "/reports?page=2");
        assert!(!format!("{reached:?}").contains(secret), "no key in what is left of it");
        let context = reached.extensions.get::<KeyContext>().expect("a context");
        assert_eq!((context.key.as_str(), context.owner.to_string().as_str()), (key.id.as_str(), "user:42"));
        assert_eq!(context.limits[0].limit.requests, 5);
    }
}

#[tokio::test]
async fn two_different_keys_are_refused_wherever_they_are() {
    let stack = Stack::start().await;
    let guarded = guarded(&stack.middleware().0);
    let (one, other) = (stack.issue(json!({})).await.secret, stack.issue(json!({})).await.secret);
    let mut twice = request("GET", "/reports", Some(&one));
    twice.headers_mut().append("x-api-key", other.parse().unwrap());
    let mut unreadable = request("GET", "/reports", Some(&one));
    unreadable.headers_mut().append("x-api-key", HeaderValue::from_bytes(b"\xff").unwrap());
    for refused in [twice, unreadable, request("GET", &format!("/reports?api_key={other}"), Some(&one))] {
        let response = guarded.call(refused).await;
        assert_eq!(response.status(), 401);
        assert!(response.body().contains("conflicting_keys"), "{}", response.body());
    }
    let same = request("GET", &format!("/reports?api_key={one}"), Some(&one));
    assert_eq!(guarded.call(same).await.status(), 200);
}

#[tokio::test]
async fn a_stack_that_forbids_keys_in_queries_does_not_look_there() {
    let stack = Stack::start_with(&[("AllowQueryKey", "false")]).await;
    let guarded = guarded(&stack.middleware().0);
    let key = stack.issue(json!({})).await.secret;
    let response = guarded.call(request("GET", &format!("/reports?api_key={key}"), None)).await;
    assert!(response.body().contains("missing_key"), "{}", response.body());
    assert_eq!(guarded.call(request("GET", &format!("/reports?api_key={key}"), Some(&key))).await.status(), 200);
    assert_eq!(guarded.reached()[0].uri, "/reports", "nor does it show the service what is there");
}

#[tokio::test]
async fn a_route_takes_the_scope_that_it_declares_or_admin() {
    let stack = Stack::start().await;
    let middleware = stack.middleware().0;
    let [reader, admin, own] = [json!(["read"]), json!(["admin"]), json!(["self:rotate"])];
    let reader = stack.issue(json!({ "scopes": reader })).await.secret;
    let admin = stack.issue(json!({ "scopes": admin })).await.secret;
    let own = stack.issue(json!({ "scopes": own })).await.secret;
    for (layer, expected) in [
        (middleware.requiring(Scope::Read), [200, 200, 403]),
        (middleware.requiring(Scope::Delete), [403, 200, 403]),
        (middleware.requiring(Scope::SelfRotate), [403, 403, 200]),
        (middleware.any_key(), [200, 200, 200]),
        (middleware.by_method(), [403, 200, 403]),
    ] {
        let guarded = Guarded::by(layer);
        for (key, expected) in [&reader, &admin, &own].into_iter().zip(expected) {
            assert_eq!(guarded.call(request("POST", "/search", Some(key))).await.status(), expected);
        }
    }
}

#[tokio::test]
async fn a_layer_inside_another_asks_for_its_scope_and_counts_nothing() {
    let stack = Stack::start().await;
    let middleware = stack.middleware().0;
    let key = stack.issue(json!({ "scopes": ["read"] })).await;
    for (inner, expected) in [(Scope::Read, 200), (Scope::Write, 403)] {
        let before = stack.record(&key.id).await.counters.total;
        let reached = Arc::default();
        let inner = middleware.requiring(inner).layer(Recorder { reached });
        let answer = middleware.any_key().layer(inner).call(request("GET", "/x", Some(&key.secret))).await.unwrap();
        assert_eq!(answer.status(), expected);
        assert_eq!(stack.record(&key.id).await.counters.total, before + 1);
    }
    // Another system's keys open nothing here.
    let other = Stack::start().await;
    let inner = other.middleware().0.any_key().layer(Recorder { reached: Arc::default() });
    let answer = middleware.any_key().layer(inner).call(request("GET", "/x", Some(&key.secret))).await.unwrap();
    assert_eq!(answer.status(), 401);
}

#[tokio::test]
async fn a_key_with_an_allowlist_is_refused_where_nobody_knows_addresses() {
    let stack = Stack::start().await;
    let guarded = Guarded::by(stack.middleware().0.by_method());
    let key = stack.issue(json!({ "ip_allowlist": ["0.0.0.0/0", "::/0"] })).await.secret;
    assert_eq!(guarded.get("/reports", &key).await, (403, "address_not_allowed".to_owned()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_limit_holds_across_processes_and_the_authorizer() {
    let stack = Arc::new(Stack::start().await);
    let key = stack.issue(json!({ "limits": [{ "requests": 20, "per": "day" }] })).await;
    let tasks: Vec<_> = (0..3)
        .map(|_| {
            let (guarded, secret) = (guarded(&stack.middleware().0), key.secret.clone());
            tokio::spawn(async move {
                let mut allowed = 0;
                for _ in 0..20 {
                    allowed += usize::from(guarded.get("/reports", &secret).await.0 == 200);
                }
                allowed
            })
        })
        .collect();
    let instance = stack.instance().await;
    let mut allowed = 0;
    for _ in 0..20 {
        allowed += usize::from(instance.get(&key.secret).await == tests::Answer::Allowed);
    }
    for task in tasks {
        allowed += task.await.unwrap();
    }
    assert_eq!(allowed, 20);
}

#[tokio::test]
async fn a_lambda_function_can_have_its_own_door() {
    let stack = Stack::start().await;
    let middleware = stack.middleware().0.address_of(|parts| {
        use lambda_http::request::RequestContext::ApiGatewayV2;
        match parts.extensions.get() {
            Some(ApiGatewayV2(context)) => context.http.source_ip.as_ref()?.parse().ok(),
            _ => None,
        }
    });
    let key = stack.issue(json!({ "ip_allowlist": ["203.0.113.7"] })).await;
    let handler = lambda_http::service_fn(async |request: lambda_http::Request| {
        let key = request.extensions().get::<KeyContext>().map(|context| context.key.to_string());
        Ok::<_, Infallible>(Response::new(Body::from(key.unwrap_or_default())))
    });
    let event = tests::event::management("GET", "/reports", None, &[], "");
    let event = tests::event::as_http_api(&tests::event::with_header(event, "X-API-Key", &[&key.secret]));
    let door = middleware.by_method().layer(handler);
    let answer = shared::lambda::http(event, |request| {
        let mut door = door.clone();
        async move { door.call(request).await.unwrap() }
    });
    let answer = answer.await.unwrap();
    assert_eq!((&answer["statusCode"], &answer["body"]), (&json!(200), &json!(key.id)), "{answer}");
}

#[tokio::test]
async fn a_backend_behind_api_gateway_reads_the_same_context() {
    let stack = Stack::start().await;
    stack.share(&json!([{ "requests": 50, "per": "day" }])).await;
    let limits = json!([{ "requests": 5, "per": "minute" }]);
    let key = stack.issue(json!({ "scopes": ["read", "GET /reports/{id}"], "limits": limits, "shared_limits": true })).await;
    let fields = stack.instance().await.context(&key.secret).await;
    // API Gateway makes texts of numbers for a REST API.
    let texts: serde_json::Map<String, Value> = fields
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| (name.clone(), value.as_str().map_or_else(|| json!(value.to_string()), |text| json!(text))))
        .collect();
    let numbers = KeyContext::read(|name| fields.get(name)).unwrap();
    assert_eq!(Some(&numbers), KeyContext::read(|name| texts.get(name)).as_ref());
    assert_eq!((numbers.key.as_str(), numbers.generation, numbers.scopes.len()), (key.id.as_str(), 1, 2));
    assert_eq!((numbers.limits[0].remaining, numbers.owner_limits[0].remaining), (4, 49));

    let guarded = guarded(&stack.middleware().0);
    guarded.get("/reports/7", &key.secret).await;
    let reached = guarded.reached().pop().unwrap();
    let mut in_process = reached.extensions.get::<KeyContext>().unwrap().clone();
    in_process.limits[0].remaining += 1;
    in_process.owner_limits[0].remaining += 1;
    assert_eq!(in_process, numbers);

    let event = |fields: &Value| {
        let mut event = tests::event::management("GET", "/reports", None, &[], "");
        event["requestContext"]["authorizer"] = fields.clone();
        event
    };
    for (fields, expected) in [(Value::from(texts), Some(numbers)), (json!({ "keyId": "key_1" }), None), (Value::Null, None)] {
        let seen = Mutex::new(None);
        let answer = shared::lambda::http(event(&fields), async |request| {
            *seen.lock().unwrap() = KeyContext::of(&request);
            Response::new(Body::Empty)
        });
        answer.await.unwrap();
        assert_eq!(seen.into_inner().unwrap(), expected);
    }
}

#[test]
fn a_scope_of_another_version_grants_nothing() {
    let fields = json!({
        "keyId": "key_0123456789abcdefghijkl", "name": "n", "owner": "user:ann", "environment": "live",
        "scopes": "everything,read", "generation": 1,
    });
    let context = KeyContext::read(|name| fields.get(name)).unwrap();
    assert_eq!(context.scopes, [Scope::Read]);
    let route = shared::decision::Route::MANAGEMENT;
    assert!(!context.permits(&route, Method::GET.as_str(), "/v1/keys"));
}
