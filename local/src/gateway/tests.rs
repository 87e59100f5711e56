//! Whole requests through the gateway, with functions made of closures.

use http::StatusCode;
use serde_json::{Value, json};

use super::*;

const USAGE_KEY: &str = "unthrottled-local-000000000000";

/// A function that does the same whatever it is sent.
fn always(answer: impl Fn(Value) -> Result<Value, String> + Send + Sync + 'static) -> Invoke {
    let answer = Arc::new(answer);
    Arc::new(move |event| {
        let answer = answer.clone();
        Box::pin(async move { answer(event) })
    })
}

/// An authorizer that answers with this effect, usage key and context for the method asked for.
fn guard(effect: &'static str, usage_key: &'static str, context: Value) -> Invoke {
    always(move |event| {
        let statement = json!({"Effect": effect, "Action": "execute-api:Invoke", "Resource": event["methodArn"]});
        Ok(json!({
            "principalId": "key_1",
            "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
            "context": context,
            "usageIdentifierKey": usage_key,
        }))
    })
}

/// Answers with the event that it got.
fn echo() -> Invoke {
    always(|event| Ok(json!({"statusCode": 200, "body": event.to_string()})))
}

fn template() -> Template {
    Template::parse(include_str!("../template/fixture.yaml"), &BTreeMap::new()).unwrap()
}

fn gateway(guard: Invoke, echo: Invoke) -> Gateway {
    let functions = [("guard".to_owned(), guard), ("echo".to_owned(), echo)];
    Gateway::new(template(), BTreeMap::from(functions)).unwrap()
}

async fn send(gateway: &Gateway, method: &str, uri: &str, body: &[u8]) -> (Response<Bytes>, Outcome) {
    let request = http::Request::builder().method(method).uri(uri).header("Host", "127.0.0.1:3000").header("X-A", "1");
    let request = request.header("X-A", "2").body(Bytes::copy_from_slice(body)).unwrap();
    gateway.handle(request, IpAddr::from([127, 0, 0, 9])).await
}

async fn refused(gateway: &Gateway) -> (StatusCode, ResponseType, Outcome) {
    let (response, outcome) = send(gateway, "GET", "/things/a", b"").await;
    (response.status(), outcome.gateway_response.unwrap(), outcome)
}

fn json_of(response: &Response<Bytes>) -> Value {
    serde_json::from_slice(response.body()).unwrap()
}

#[tokio::test]
async fn an_allowed_request_reaches_its_function_with_the_authorizer_s_context() {
    let gateway = gateway(guard("Allow", USAGE_KEY, json!({"n": 3, "code": "allowed"})), echo());
    let (response, outcome) = send(&gateway, "POST", "/things/a%20b?x=1&x=2&y=%26", b"hello").await;
    let event = json_of(&response);
    assert_eq!(response.status(), 200);
    assert_eq!((&event["httpMethod"], &event["path"]), (&json!("POST"), &json!("/things/a%20b")));
    assert_eq!((&event["resource"], &event["pathParameters"]), (&json!("/things/{id}"), &json!({"id": "a%20b"})));
    assert_eq!(event["queryStringParameters"], json!({"x": "2", "y": "&"}));
    assert_eq!(event["multiValueQueryStringParameters"], json!({"x": ["1", "2"], "y": ["&"]}));
    assert_eq!((&event["headers"]["x-a"], &event["multiValueHeaders"]["x-a"]), (&json!("2"), &json!(["1", "2"])));
    assert_eq!((&event["body"], &event["isBase64Encoded"]), (&json!("hello"), &json!(false)));
    assert_eq!(event["stageVariables"], json!({"size": "7"}));
    let context = &event["requestContext"];
    assert_eq!(context["authorizer"], json!({"n": "3", "code": "allowed", "principalId": "key_1"}));
    assert_eq!((&context["path"], &context["stage"]), (&json!("/live/things/a%20b"), &json!("live")));
    assert_eq!(context["identity"]["sourceIp"], "127.0.0.9");
    assert_eq!(response.headers()["x-amzn-requestid"], context["requestId"].as_str().unwrap());
    assert_eq!(outcome.route.as_deref(), Some("ANY /things/{id}"));
    let seen = (outcome.function.as_deref(), outcome.principal.as_deref(), outcome.code.as_deref());
    assert_eq!(seen, (Some("echo"), Some("key_1"), Some("allowed")));
}

#[tokio::test]
async fn the_authorizer_gets_a_rest_request_event() {
    let (tell, told) = std::sync::mpsc::channel();
    let spy = always(move |event| {
        tell.send(event).unwrap();
        Err("Unauthorized".to_owned())
    });
    let (response, _) = send(&gateway(spy, echo()), "GET", "/things/a", b"").await;
    assert_eq!(response.status(), 401);
    let event = told.recv().unwrap();
    assert_eq!(event["type"], "REQUEST");
    assert_eq!(event["methodArn"], "arn:aws:execute-api:us-east-1:000000000000:local/live/GET/things/a");
    assert_eq!(event["queryStringParameters"], json!({}));
    assert_eq!(event["stageVariables"], json!({"size": "7"}));
    assert!(event.get("version").is_none() && event.get("body").is_none());
    assert!(event["requestContext"].get("authorizer").is_none());
}

#[tokio::test]
async fn a_proxy_event_has_null_where_nothing_was_sent_and_base64_for_binary() {
    let gateway = gateway(guard("Allow", USAGE_KEY, json!({})), echo());
    let (response, _) = send(&gateway, "GET", "/things/a", b"").await;
    let event = json_of(&response);
    assert!(event["queryStringParameters"].is_null() && event["body"].is_null());
    let (response, _) = send(&gateway, "PUT", "/things/a", &[0xff, 0x00]).await;
    let event = json_of(&response);
    assert_eq!((&event["body"], &event["isBase64Encoded"]), (&json!("/wA="), &json!(true)));
}

#[tokio::test]
async fn an_open_route_asks_nobody() {
    let gateway = gateway(always(|_| Err("must not be called".to_owned())), echo());
    let (response, outcome) = send(&gateway, "GET", "/open", b"").await;
    assert_eq!((response.status().as_u16(), outcome.authorizer_duration), (200, None));
    assert!(json_of(&response)["requestContext"].get("authorizer").is_none());
}

#[tokio::test]
async fn what_has_no_route_asks_nobody() {
    let gateway = gateway(always(|_| Err("must not be called".to_owned())), echo());
    let (response, outcome) = send(&gateway, "GET", "/nothing", b"").await;
    assert_eq!(response.status(), 403);
    assert_eq!(outcome.gateway_response, Some(ResponseType::MissingAuthenticationToken));
}

#[tokio::test]
async fn an_unknown_usage_key_is_refused_with_the_authorizer_s_context() {
    for key in ["unknown", "disabled", "detached"] {
        let gateway = gateway(guard("Allow", key, json!({"retryAfter": 7})), always(|_| panic!("reached")));
        let (response, outcome) = send(&gateway, "GET", "/things/a", b"").await;
        assert_eq!(response.status(), 429);
        assert_eq!(response.headers()["retry-after"], "7");
        assert_eq!(outcome.gateway_response, Some(ResponseType::InvalidApiKey));
    }
}

#[tokio::test]
async fn a_deny_shows_the_authorizer_s_context() {
    let gateway = gateway(guard("Deny", USAGE_KEY, json!({"code": "scope"})), always(|_| panic!("reached")));
    let (response, outcome) = send(&gateway, "GET", "/things/a", b"").await;
    assert_eq!((response.status().as_u16(), json_of(&response)), (403, json!({"code": "scope"})));
    assert_eq!(outcome.gateway_response, Some(ResponseType::AccessDenied { explicit: true }));
    assert_eq!(outcome.code.as_deref(), Some("scope"));
}

#[tokio::test]
async fn an_authorizer_that_fails_panics_or_answers_nonsense_lets_nobody_in() {
    let reached = || always(|_| panic!("reached"));
    let of = |guard: Invoke| gateway(guard, reached());
    let (status, kind, outcome) = refused(&of(always(|_| Err("no pepper".to_owned())))).await;
    assert_eq!((status.as_u16(), kind), (500, ResponseType::AuthorizerFailure));
    assert_eq!(outcome.fault.as_deref(), Some("no pepper"));
    let (status, kind, _) = refused(&of(always(|_| panic!("on purpose")))).await;
    assert_eq!((status.as_u16(), kind), (500, ResponseType::AuthorizerFailure));
    let (status, kind, _) = refused(&of(always(|_| Ok(json!({}))))).await;
    assert_eq!((status.as_u16(), kind), (500, ResponseType::AuthorizerConfigurationError));
}

#[tokio::test]
async fn a_function_that_fails_panics_or_answers_nonsense_is_a_502() {
    for function in [always(|_| Err("broken".to_owned())), always(|_| panic!("on purpose")), always(|_| Ok(json!("x")))] {
        let gateway = gateway(guard("Allow", USAGE_KEY, json!({})), function);
        let (response, outcome) = send(&gateway, "GET", "/things/a", b"").await;
        assert_eq!((response.status().as_u16(), json_of(&response)), (502, json!({"message": "Internal server error"})));
        assert!(outcome.fault.is_some() && outcome.function_duration.is_some());
    }
}

fn never() -> Invoke {
    Arc::new(|_| Box::pin(std::future::pending()))
}

#[tokio::test(start_paused = true)]
async fn a_timeout_is_a_failure_of_the_authorizer_an_error_of_the_function_or_the_gateway_s_own() {
    let (status, kind, _) = refused(&gateway(never(), echo())).await;
    assert_eq!((status.as_u16(), kind), (500, ResponseType::AuthorizerFailure));

    let allowed = guard("Allow", USAGE_KEY, json!({}));
    let (status, kind, outcome) = refused(&gateway(allowed.clone(), never())).await;
    assert_eq!((status.as_u16(), kind), (502, ResponseType::FunctionError));
    assert_eq!(outcome.fault.as_deref(), Some("the function took longer than 12 s"));

    let mut slow = template();
    slow.functions.iter_mut().for_each(|function| function.timeout_seconds = 60);
    let functions = BTreeMap::from([("guard".to_owned(), allowed), ("echo".to_owned(), never())]);
    let (status, kind, _) = refused(&Gateway::new(slow, functions).unwrap()).await;
    assert_eq!((status.as_u16(), kind), (504, ResponseType::IntegrationTimeout));
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_before_anything_else() {
    let gateway = gateway(always(|_| Err("must not be called".to_owned())), echo());
    let (response, outcome) = send(&gateway, "POST", "/things/a", &vec![b'a'; BODY_LIMIT + 1]).await;
    assert_eq!((response.status().as_u16(), outcome.gateway_response), (413, Some(ResponseType::RequestTooLarge)));
}

#[tokio::test]
async fn with_the_default_key_source_the_caller_s_header_is_the_api_key() {
    let mut template = template();
    template.api_key_source = ApiKeySource::Header;
    let functions = [("guard".to_owned(), guard("Allow", USAGE_KEY, json!({}))), ("echo".to_owned(), echo())];
    let gateway = Gateway::new(template, BTreeMap::from(functions)).unwrap();
    assert_eq!(refused(&gateway).await.1, ResponseType::InvalidApiKey, "the authorizer's key doesn't count");
    let request = http::Request::get("/things/a").header("X-API-Key", USAGE_KEY).body(Bytes::new()).unwrap();
    assert_eq!(gateway.handle(request, IpAddr::from([127, 0, 0, 1])).await.0.status(), 200);
}

#[test]
fn a_missing_binary_is_named() {
    let functions = BTreeMap::from([("guard".to_owned(), echo())]);
    let error = Gateway::new(template(), functions).err().unwrap().to_string();
    assert!(error.contains("Echo") && error.contains("\"echo\""), "{error}");
}
