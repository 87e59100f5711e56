//! Each row of the outcome table: what a REST API, an HTTP API and somebody else's API are told.

use serde_json::{Value, json};
use shared::lambda::Failure;
use tests::{Answer, Stack, event::Call};

#[tokio::test]
async fn a_rest_api_tells_401_403_429_and_500_apart() {
    let stack = Stack::start().await;
    let key = stack
        .issue(json!({ "scopes": ["read"], "ip_allowlist": ["203.0.113.0/24"], "limits": [{ "requests": 1, "per": "day" }] }))
        .await;
    let instance = stack.instance().await;
    let get = Call::get(&key.secret);
    for (call, expected) in [
        (Call { key: None, ..get.clone() }, Answer::Unauthorized),
        (Call::get("malformed"), Answer::Unauthorized),
        (Call::get("mbk_live_0123456789abcdefghijklmnopqrstuv"), Answer::Unauthorized),
        (Call { method: "POST", ..get.clone() }, Answer::Denied("scope_not_allowed".to_owned())),
        (Call { source_ip: "198.51.100.7", ..get.clone() }, Answer::Denied("address_not_allowed".to_owned())),
        (Call { path: "/v1/keys", ..get.clone() }, Answer::Denied("scope_not_allowed".to_owned())),
        (get.clone(), Answer::Allowed),
        (get.clone(), Answer::Limited),
    ] {
        assert_eq!(instance.call(&call).await, expected, "{call:?}");
    }
    instance.wire.cut_after(0);
    stack.clock.advance(86_400);
    assert_eq!(instance.call(&get).await, Answer::Fault, "neither in nor 401 nor 429");
}

#[tokio::test]
async fn an_allowed_answer_carries_what_a_backend_needs() {
    let stack = Stack::start().await;
    let limits = json!([{ "requests": 5, "per": "minute" }, { "requests": 100, "per": "month" }]);
    let key = stack.issue(json!({ "name": "Reports", "environment": "test", "limits": limits })).await;
    let instance = stack.instance().await;
    let answer = instance.answer(Call::get(&key.secret).rest()).await.unwrap();
    assert_eq!(answer["principalId"], json!(key.id));
    let context = &answer["context"];
    for (name, expected) in [
        ("keyId", json!(key.id)),
        ("name", json!("Reports")),
        ("owner", json!("user:42")),
        ("environment", json!("test")),
        ("scopes", json!("read,write")),
        ("limit_minute", json!(5)),
        ("remaining_minute", json!(4)),
        ("reset_minute", json!(60)),
        ("limit_month", json!(100)),
        ("remaining_month", json!(99)),
    ] {
        assert_eq!(context[name], expected, "{name}");
    }
    assert!(
        context.as_object().unwrap().values().all(|value| value.is_string() || value.is_number()),
        "flat, as API Gateway wants it"
    );
    let statement = &answer["policyDocument"]["Statement"];
    assert_eq!(statement.as_array().unwrap().len(), 1);
    assert_eq!(statement[0]["Resource"], Call::get("").rest()["methodArn"], "the method asked for and no other");
}

#[tokio::test]
async fn a_429_says_when_to_come_back() {
    let stack = Stack::start().await;
    let key = stack.issue(json!({ "limits": [{ "requests": 1, "per": "minute" }, { "requests": 1, "per": "hour" }] })).await;
    let instance = stack.instance().await;
    assert_eq!(instance.get(&key.secret).await, Answer::Allowed);
    let context = instance.context(&key.secret).await;
    assert_eq!(context["code"], "rate_limited");
    assert_eq!(context["retryAfter"], json!(3600), "of two full windows, the one that ends last");
    assert_eq!(context["rateLimitPolicy"], json!("\"minute\";q=1;w=60, \"hour\";q=1;w=3600"));
    assert_eq!(context["rateLimit"], json!("\"minute\";r=0;t=60, \"hour\";r=0;t=3600"));
}

#[tokio::test]
async fn an_api_that_has_not_opted_in_gets_a_deny_for_a_reached_limit() {
    let stack = Stack::start().await;
    let key = stack.issue(json!({ "limits": [{ "requests": 1, "per": "day" }] })).await;
    let instance = stack.instance().await;
    assert_eq!(instance.get(&key.secret).await, Answer::Allowed);
    let mut foreign = Call::get(&key.secret).rest();
    foreign["stageVariables"] = Value::Null;
    let mut version_1 = Call::get(&key.secret).rest();
    version_1["version"] = json!("1.0");
    for event in [foreign, version_1] {
        let answer = instance.answer(event).await.unwrap();
        assert_eq!(answer["policyDocument"]["Statement"][0]["Effect"], "Deny");
        assert_eq!(answer["context"]["code"], "rate_limited");
    }
}

#[tokio::test]
async fn an_http_api_gets_simple_answers() {
    let stack = Stack::start().await;
    let key = stack.issue(json!({ "scopes": ["read"], "limits": [{ "requests": 1, "per": "day" }] })).await;
    let instance = stack.instance().await;
    let get = Call::get(&key.secret);
    let post = Call { method: "POST", ..get.clone() };
    let unknown = Call::get("mbk_live_0123456789abcdefghijklmnopqrstuv");
    for (call, authorized, code) in [
        (&get, true, Value::Null),
        (&get, false, json!("rate_limited")),
        (&post, false, json!("scope_not_allowed")),
        (&unknown, false, json!("unknown_key")),
        (&Call::get("x"), false, json!("malformed_key")),
    ] {
        let answer = instance.answer(call.http_api()).await.unwrap();
        assert_eq!((&answer["isAuthorized"], &answer["context"]["code"]), (&json!(authorized), &code), "{call:?}");
        assert!(answer.get("policyDocument").is_none());
    }
    instance.wire.cut_after(0);
    stack.clock.advance(86_400);
    assert_eq!(instance.answer(get.http_api()).await, Err(Failure::INTERNAL));
}

#[tokio::test]
async fn what_is_no_request_event_is_our_fault_and_never_an_allow() {
    let instance = Stack::start().await.instance().await;
    for event in [
        Value::Null,
        json!({}),
        json!([]),
        json!({ "methodArn": "nonsense" }),
        json!({ "type": "TOKEN", "authorizationToken": "x", "methodArn": "a" }),
    ] {
        assert_eq!(instance.answer(event).await, Err(Failure::BAD_EVENT));
    }
}

#[tokio::test]
async fn two_different_keys_in_one_request_are_refused_and_the_same_twice_is_fine() {
    let stack = Stack::start().await;
    let (one, other) = (stack.issue(json!({})).await, stack.issue(json!({})).await);
    let instance = stack.instance().await;
    let event = |query: &str| {
        let mut event = Call::get(&one.secret).rest();
        event["queryStringParameters"] = json!({ "api_key": query });
        event["multiValueQueryStringParameters"] = json!({ "api_key": [query] });
        event
    };
    assert_eq!(instance.answer(event(&other.secret)).await, Err(Failure::UNAUTHORIZED));
    assert!(instance.answer(event(&one.secret)).await.is_ok());
}

#[tokio::test]
async fn a_method_arn_of_any_length_gets_a_policy() {
    let stack = Stack::start().await;
    let key = stack.issue(json!({})).await;
    let instance = stack.instance().await;
    let path = format!("/example/{}", "é".repeat(1500));
    let answer = instance.answer(Call { path: &path, ..Call::get(&key.secret) }.rest()).await.unwrap();
    let resource = answer["policyDocument"]["Statement"][0]["Resource"].as_str().unwrap();
    assert!(resource.chars().count() == 512 && resource.ends_with('*'));
}

#[tokio::test]
async fn management_functions_refuse_keys_without_admin_even_past_the_authorizer() {
    let stack = Stack::start().await;
    let key = stack.issue(json!({})).await;
    let of_holders = ["/v1/self", "/v1/self/rotate"];
    let routes = stack.template.routes.iter().filter(|route| route.authorized);
    let routes = routes.map(|route| (route.method.as_str(), route.path.as_str()));
    let routes: Vec<_> = routes.filter(|(_, path)| path.starts_with("/v1/") && !of_holders.contains(path)).collect();
    assert!(routes.len() >= 19, "{routes:?}");
    for scopes in [Value::Null, json!("read,write"), json!("administrator"), json!("GET /admin")] {
        for (method, resource) in &routes {
            let mut event = tests::event::management(method, resource, Some(&key.id), &[], "{}");
            event["requestContext"]["authorizer"]["scopes"] = scopes.clone();
            let (status, problem) = stack.send(event).await;
            assert_eq!((status, &problem["code"]), (403, &json!("scope_not_allowed")), "{method} {resource} with {scopes}");
        }
    }
    assert_eq!(stack.record(&key.id).await.version, 1);
}
