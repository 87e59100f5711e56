//! The events that an HTTP API sends: payload format 2.0 of REQUEST authorizers, and of Lambda proxy integrations.
//!
//! What wasn't sent is absent, and not null as a REST API has it.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};

use super::super::moment;
use super::super::request::query;
use super::super::routes::Matched;
use super::request::Request;
use crate::template::{ACCOUNT, HTTP_API_ID, HttpApi, REGION};

/// Bodies of these types are handed on as they are, and others as base64.
const TEXTS: [&str; 4] = ["text/", "application/json", "application/javascript", "application/xml"];

/// Method and path as the template names the route; `$default` for the one that has neither.
pub(super) fn route_key(matched: &Matched<'_>) -> String {
    format!("{} {}", matched.route.method, matched.route.path).trim_end().to_owned()
}

/// The event of a REQUEST authorizer without identity sources.
pub(super) fn authorizer(api: &HttpApi, request: &Request, matched: &Matched<'_>) -> Value {
    let mut event = common(api, request, matched);
    let (stage, method, path) = (&api.stage_name, &request.method, request.raw_path());
    event.insert("type".to_owned(), "REQUEST".into());
    event.insert(
        "routeArn".to_owned(),
        format!("arn:aws:execute-api:{REGION}:{ACCOUNT}:{HTTP_API_ID}/{stage}/{method}{path}").into(),
    );
    event.insert("identitySource".to_owned(), Value::Null);
    event.insert("requestContext".to_owned(), context(api, request, matched));
    Value::Object(event)
}

/// The event of a Lambda proxy integration, with what the authorizer said, if it was asked.
pub(super) fn proxy(api: &HttpApi, request: &Request, matched: &Matched<'_>, caller: Option<Map<String, Value>>) -> Value {
    let mut event = common(api, request, matched);
    let mut context = context(api, request, matched);
    if let Some(caller) = caller {
        context["authorizer"] = json!({ "lambda": caller });
    }
    event.insert("requestContext".to_owned(), context);
    let kind = request.header("content-type").unwrap_or_default().to_ascii_lowercase();
    let text = std::str::from_utf8(&request.body).ok().filter(|_| TEXTS.iter().any(|text| kind.starts_with(text)));
    if !request.body.is_empty() {
        let body = text.map_or_else(|| STANDARD.encode(&request.body), ToOwned::to_owned);
        event.insert("body".to_owned(), body.into());
    }
    event.insert("isBase64Encoded".to_owned(), (!request.body.is_empty() && text.is_none()).into());
    Value::Object(event)
}

fn common(api: &HttpApi, request: &Request, matched: &Matched<'_>) -> Map<String, Value> {
    let joined = |(name, values): (&String, &Vec<String>)| (name.clone(), Value::from(values.join(",")));
    let headers: Map<String, Value> = request.headers.iter().filter(|(name, _)| *name != "cookie").map(joined).collect();
    let cookies = request.headers.get("cookie").into_iter().flatten().flat_map(|line| line.split("; ")).map(Value::from);
    let texts = |texts: &std::collections::BTreeMap<String, String>| -> Map<String, Value> {
        texts.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect()
    };
    let fields: [(&str, Value); 9] = [
        ("version", "2.0".into()),
        ("routeKey", route_key(matched).into()),
        ("rawPath", request.raw_path().into()),
        ("rawQueryString", request.query.clone().into()),
        ("headers", headers.into()),
        ("cookies", cookies.collect::<Vec<_>>().into()),
        ("queryStringParameters", query(&request.query).iter().map(joined).collect::<Map<_, _>>().into()),
        ("pathParameters", texts(&matched.path_parameters).into()),
        ("stageVariables", texts(&api.stage_variables).into()),
    ];
    let empty = |value: &Value| value.as_object().is_some_and(Map::is_empty) || value.as_array().is_some_and(Vec::is_empty);
    fields.into_iter().filter(|(_, value)| !empty(value)).map(|(name, value)| (name.to_owned(), value)).collect()
}

fn context(api: &HttpApi, request: &Request, matched: &Matched<'_>) -> Value {
    let host = request.header("host").unwrap_or_default();
    json!({
        "accountId": ACCOUNT,
        "apiId": HTTP_API_ID,
        "domainName": host,
        "domainPrefix": host.split('.').next(),
        "http": {
            "method": request.method,
            "path": request.raw_path(),
            "protocol": "HTTP/1.1",
            "sourceIp": request.source.to_string(),
            "userAgent": request.header("user-agent").unwrap_or_default(),
        },
        "requestId": request.id,
        "routeKey": route_key(matched),
        "stage": api.stage_name,
        "time": moment::in_a_log(request.received),
        "timeEpoch": moment::epoch_millis(request.received),
    })
}
