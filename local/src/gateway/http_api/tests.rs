//! Whole requests through an HTTP API, with functions made of closures.

use serde_json::json;

use super::*;

/// A function that does the same whatever it is sent.
fn always(answer: impl Fn(Value) -> Result<Value, String> + Send + Sync + 'static) -> Invoke {
    let answer = Arc::new(answer);
    Arc::new(move |event| {
        let answer = answer.clone();
        Box::pin(async move { answer(event) })
    })
}

fn guard(authorized: bool, context: Value) -> Invoke {
    always(move |_| Ok(json!({ "isAuthorized": authorized, "context": context })))
}

/// Answers with the event that it got, and with CORS headers of its own.
fn echo() -> Invoke {
    let headers = json!({ "Access-Control-Allow-Origin": "own", "X-B": "1" });
    always(move |event| Ok(json!({ "statusCode": 200, "headers": headers, "body": event.to_string() })))
}

fn never() -> Invoke {
    Arc::new(|_| Box::pin(std::future::pending()))
}

fn template() -> Template {
    Template::parse(include_str!("../../template/fixture.yaml"), &BTreeMap::new()).unwrap()
}

fn of(template: Template, guard: Invoke, echo: Invoke) -> HttpGateway {
    let api = HttpApi::parse(include_str!("../../template/http_api/fixture.yaml"), &BTreeMap::new(), &template).unwrap();
    let functions = [("guard".to_owned(), guard), ("echo".to_owned(), echo)];
    HttpGateway::new(api, template, BTreeMap::from(functions)).unwrap()
}

fn gateway(guard: Invoke, echo: Invoke) -> HttpGateway {
    of(template(), guard, echo)
}

async fn send(
    gateway: &HttpGateway,
    method: &str,
    uri: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> (Response<Bytes>, Outcome) {
    let mut request = http::Request::builder().method(method).uri(uri).header("Host", "127.0.0.1:3001");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    gateway.handle(request.body(Bytes::copy_from_slice(body)).unwrap(), IpAddr::from([127, 0, 0, 9])).await
}

async fn put(gateway: &HttpGateway) -> (u16, Value, Outcome) {
    let (response, outcome) = send(gateway, "PUT", "/things/a", &[], b"").await;
    (response.status().as_u16(), json_of(&response), outcome)
}

fn json_of(response: &Response<Bytes>) -> Value {
    serde_json::from_slice(response.body()).unwrap()
}

#[tokio::test]
async fn an_allowed_request_reaches_its_function_as_format_2_with_a_typed_context() {
    let gateway = gateway(guard(true, json!({ "n": 3, "code": "allowed", "keyId": "key_1" })), echo());
    let headers = [("X-A", "1"), ("X-A", "2"), ("Cookie", "a=1; b=2"), ("Content-Type", "application/json")];
    let (response, outcome) = send(&gateway, "PUT", "/things/a%20b?x=1&x=2&y=%26", &headers, b"{}").await;
    let event = json_of(&response);
    assert_eq!((&event["version"], &event["routeKey"]), (&json!("2.0"), &json!("PUT /things/{id}")));
    assert_eq!((&event["rawPath"], &event["pathParameters"]), (&json!("/things/a b"), &json!({ "id": "a b" })));
    assert_eq!(
        (&event["rawQueryString"], &event["queryStringParameters"]),
        (&json!("x=1&x=2&y=%26"), &json!({ "x": "1,2", "y": "&" }))
    );
    assert_eq!((&event["headers"]["x-a"], &event["cookies"]), (&json!("1,2"), &json!(["a=1", "b=2"])));
    assert!(event["headers"].get("cookie").is_none());
    assert_eq!((&event["body"], &event["isBase64Encoded"]), (&json!("{}"), &json!(false)));
    assert_eq!(event["stageVariables"], json!({ "level": "info" }));
    let context = &event["requestContext"];
    assert_eq!(context["authorizer"], json!({ "lambda": { "n": 3, "code": "allowed", "keyId": "key_1" } }));
    assert_eq!((&context["stage"], &context["http"]["sourceIp"]), (&json!("$default"), &json!("127.0.0.9")));
    assert_eq!(response.headers()["apigw-requestid"], context["requestId"].as_str().unwrap());
    let seen = (outcome.function.as_deref(), outcome.principal.as_deref(), outcome.code.as_deref());
    assert_eq!(seen, (Some("echo"), Some("key_1"), Some("allowed")));
}

#[tokio::test]
async fn a_body_that_is_no_text_by_its_type_is_base64_and_what_was_not_sent_is_absent() {
    let gateway = gateway(guard(true, json!({})), echo());
    for (kind, body, expected) in
        [("application/x-www-form-urlencoded", b"{}".as_slice(), json!("e30=")), ("text/plain", &[0xff, 0x00], json!("/wA="))]
    {
        let event = json_of(&send(&gateway, "PUT", "/things/a", &[("Content-Type", kind)], body).await.0);
        assert_eq!((&event["body"], &event["isBase64Encoded"]), (&expected, &json!(true)));
    }
    let event = json_of(&send(&gateway, "PUT", "/things/a", &[], b"").await.0);
    for name in ["body", "cookies", "queryStringParameters"] {
        assert!(event.get(name).is_none(), "{name}");
    }
    assert_eq!(event["isBase64Encoded"], false);
}

#[tokio::test]
async fn a_refusal_says_nothing_but_forbidden() {
    let gateway = gateway(guard(false, json!({ "code": "scope", "retryAfter": 7 })), always(|_| panic!("reached")));
    let (status, body, outcome) = put(&gateway).await;
    assert_eq!((status, body), (403, json!({ "message": "Forbidden" })));
    assert_eq!((outcome.own_answer, outcome.code.as_deref()), (Some(OwnAnswer::Forbidden), Some("scope")));
}

#[tokio::test]
async fn an_authorizer_that_fails_panics_or_answers_nonsense_lets_nobody_in() {
    for guard in [
        always(|_| Err("Unauthorized".to_owned())),
        always(|_| panic!("on purpose")),
        always(|_| Ok(json!({}))),
        always(|_| Ok(json!({ "isAuthorized": "true" }))),
    ] {
        let (status, body, outcome) = put(&gateway(guard, always(|_| panic!("reached")))).await;
        assert_eq!((status, body), (500, json!({ "message": "Internal Server Error" })));
        assert!(outcome.fault.is_some() && outcome.function_duration.is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn only_the_limit_of_api_gateway_is_a_503() {
    let allowed = || guard(true, json!({}));
    for function in [always(|_| Err("broken".to_owned())), always(|_| panic!("on purpose")), never()] {
        let (status, body, outcome) = put(&gateway(allowed(), function)).await;
        assert_eq!((status, body), (500, json!({ "message": "Internal Server Error" })));
        assert!(outcome.fault.is_some());
    }
    assert_eq!(put(&gateway(never(), echo())).await.0, 500, "the authorizer's time");
    let mut slow = template();
    slow.functions.iter_mut().for_each(|function| function.timeout_seconds = 60);
    let (status, body, _) = put(&of(slow, allowed(), never())).await;
    assert_eq!((status, body), (503, json!({ "message": "Service Unavailable" })));
}

#[tokio::test]
async fn what_has_no_route_or_is_too_large_or_open_asks_nobody() {
    let gateway = gateway(always(|_| panic!("asked")), echo());
    for (method, uri) in [("GET", "/things/a"), ("PUT", "/things/"), ("GET", "/nothing"), ("OPTIONS", "/things/a")] {
        let (response, outcome) = send(&gateway, method, uri, &[], b"").await;
        assert_eq!((response.status().as_u16(), json_of(&response)), (404, json!({ "message": "Not Found" })), "{method} {uri}");
        assert_eq!((outcome.authorizer_duration, outcome.fault), (None, None));
    }
    let (response, _) = send(&gateway, "PUT", "/things/a", &[], &vec![b'a'; BODY_LIMIT + 1]).await;
    assert_eq!(response.status(), 413);
    let (response, outcome) = send(&gateway, "GET", "/open", &[], b"").await;
    assert_eq!((response.status().as_u16(), outcome.authorizer_duration), (200, None));
    assert!(json_of(&response)["requestContext"].get("authorizer").is_none());
}

#[tokio::test]
async fn cors_is_api_gateway_s_own_business() {
    let gateway = gateway(guard(true, json!({})), echo());
    let ask = |origin| [("Origin", origin), ("Access-Control-Request-Method", "PUT")];
    let (response, outcome) = send(&gateway, "OPTIONS", "/things/a", &ask("https://a.example"), b"").await;
    assert_eq!((response.status().as_u16(), response.body().len(), outcome.own_answer), (204, 0, None));
    for (name, value) in
        [("allow-origin", "https://a.example"), ("allow-methods", "GET,PUT"), ("allow-headers", "x-a"), ("max-age", "600")]
    {
        assert_eq!(response.headers()[format!("access-control-{name}").as_str()], value);
    }
    let (response, _) = send(&gateway, "OPTIONS", "/things/a", &ask("https://b.example"), b"").await;
    assert!(response.status() == 204 && !response.headers().contains_key("access-control-allow-origin"));

    // The function's own headers are ignored, and none are put in their place where no page asks.
    for (origin, expected) in
        [(Some("https://a.example"), Some("https://a.example")), (Some("https://b.example"), None), (None, None)]
    {
        let headers: Vec<_> = origin.map(|origin| ("Origin", origin)).into_iter().collect();
        let (response, _) = send(&gateway, "PUT", "/things/a", &headers, b"").await;
        let found = response.headers().get("access-control-allow-origin").map(|value| value.to_str().unwrap());
        assert_eq!((found, response.headers()["x-b"].to_str().unwrap()), (expected, "1"));
    }
}

#[tokio::test]
async fn a_route_for_any_method_takes_preflights_to_the_authorizer() {
    let gateway = gateway(guard(false, json!({})), always(|_| panic!("reached")));
    let headers = [("Origin", "https://a.example"), ("Access-Control-Request-Method", "GET")];
    assert_eq!(send(&gateway, "OPTIONS", "/all/x", &headers, b"").await.0.status(), 403, "why http-api.yaml has no ANY");
}
