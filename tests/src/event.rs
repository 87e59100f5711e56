//! Events as API Gateway sends them.

use serde_json::{Value, json};

/// A request to a protected route.
#[derive(Clone, Debug)]
pub struct Call<'a> {
    /// The HTTP method.
    pub method: &'a str,
    /// The path after the stage.
    pub path: &'a str,
    /// The value of `X-API-Key`, if one is sent.
    pub key: Option<&'a str>,
    /// The caller's address.
    pub source_ip: &'a str,
}

impl<'a> Call<'a> {
    /// `GET /example` from 203.0.113.7.
    #[must_use]
    pub const fn get(key: &'a str) -> Self {
        Self { method: "GET", path: "/example", key: Some(key), source_ip: "203.0.113.7" }
    }

    /// The REST API's REQUEST event, from an API whose stage is that of this template.
    #[must_use]
    pub fn rest(&self) -> Value {
        let headers = self.key.map(|key| json!({ "X-API-Key": key })).unwrap_or_default();
        let multi = self.key.map(|key| json!({ "X-API-Key": [key] })).unwrap_or_default();
        json!({
            "type": "REQUEST",
            "methodArn": format!("arn:aws:execute-api:us-east-1:000000000000:local/live/{}{}", self.method, self.path),
            "resource": "/example",
            "path": self.path,
            "httpMethod": self.method,
            "headers": headers,
            "multiValueHeaders": multi,
            "queryStringParameters": {},
            "multiValueQueryStringParameters": {},
            "pathParameters": {},
            "stageVariables": { "rateLimitResponse": "usage-key", "routes": "management" },
            "requestContext": {
                "apiId": "local",
                "requestId": "8c9f3a46-5d6b-4a51-9f0e-2f6f0a4f1b11",
                "stage": "live",
                "identity": { "sourceIp": self.source_ip, "userAgent": "tests" },
            },
        })
    }

    /// The HTTP API's event, payload format 2.0.
    #[must_use]
    pub fn http_api(&self) -> Value {
        json!({
            "version": "2.0",
            "type": "REQUEST",
            "routeArn": format!("arn:aws:execute-api:us-east-1:000000000000:local/$default/{}{}", self.method, self.path),
            "routeKey": "GET /example",
            "rawPath": self.path,
            "headers": self.key.map(|key| json!({ "x-api-key": key })).unwrap_or_default(),
            "requestContext": {
                "requestId": "JKJaXmPLvHcESHA=",
                "http": { "method": self.method, "path": self.path, "sourceIp": self.source_ip, "userAgent": "tests" },
            },
        })
    }
}

/// A REST API's `event` with a header in one or more lines, which are all in one map and the last of them in another.
#[must_use]
pub fn with_header(mut event: Value, name: &str, lines: &[&str]) -> Value {
    event["headers"][name] = json!(lines.last());
    event["multiValueHeaders"][name] = json!(lines);
    event
}

/// What an HTTP API sends, payload format 2.0, where a REST API sends `event`: a header's lines are joined there.
#[must_use]
pub fn as_http_api(event: &Value) -> Value {
    let (method, resource) = (event["httpMethod"].as_str().unwrap_or_default(), event["resource"].as_str().unwrap_or_default());
    let lines = event["multiValueHeaders"].as_object().into_iter().flatten();
    let join = |lines: &Value| lines.as_array().into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>().join(",");
    let headers = lines.map(|(name, lines)| (name.to_ascii_lowercase(), json!(join(lines))));
    json!({
        "version": "2.0",
        "routeKey": format!("{method} {resource}"),
        "rawPath": event["path"],
        "rawQueryString": "",
        "headers": headers.collect::<serde_json::Map<_, _>>(),
        "pathParameters": event["pathParameters"],
        "requestContext": {
            "accountId": "000000000000", "apiId": "local", "stage": "$default", "requestId": "1", "timeEpoch": 0,
            "routeKey": format!("{method} {resource}"),
            "http": { "method": method, "path": event["path"], "protocol": "HTTP/1.1", "sourceIp": "203.0.113.7", "userAgent": "tests" },
            "authorizer": { "lambda": event["requestContext"]["authorizer"] },
        },
        "body": event["body"],
        "isBase64Encoded": false,
    })
}

/// The segments of a path that its route names.
fn parameters(resource: &str, path: &str) -> Value {
    let named = resource.split('/').zip(path.split('/'));
    let named = named.filter_map(|(name, value)| Some((name.strip_prefix('{')?.strip_suffix('}')?.to_owned(), json!(value))));
    let parameters: serde_json::Map<_, _> = named.collect();
    if parameters.is_empty() { Value::Null } else { parameters.into() }
}

/// The event of a route that a key asks about itself on, with the secret of that generation and these scopes.
#[must_use]
pub fn own(method: &str, resource: &str, id: &str, (generation, scopes): (u32, &str), body: &str) -> Value {
    let mut event = management(method, resource, None, &[], body);
    // As API Gateway hands a context on: every value as a text.
    let context = json!({ "principalId": id, "keyId": id, "generation": generation.to_string(), "scopes": scopes });
    event["requestContext"]["authorizer"] = context;
    event
}

/// The proxy event of a management route, after the authorizer let an admin key through.
#[must_use]
pub fn management(method: &str, resource: &str, id: Option<&str>, query: &[(&str, &str)], body: &str) -> Value {
    management_of(method, resource, &[("id", id.unwrap_or_default())], query, body)
}

/// The same for a route whose path names more than a key.
#[must_use]
pub fn management_of(method: &str, resource: &str, named: &[(&str, &str)], query: &[(&str, &str)], body: &str) -> Value {
    let path = named.iter().fold(resource.to_owned(), |path, (name, value)| path.replace(&format!("{{{name}}}"), value));
    let query: Value =
        query.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect::<serde_json::Map<_, _>>().into();
    let multi: Value = query
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.clone(), json!([value])))
        .collect::<serde_json::Map<_, _>>()
        .into();
    json!({
        "resource": resource,
        "path": path,
        "httpMethod": method,
        "headers": { "Content-Type": "application/json" },
        "multiValueHeaders": { "Content-Type": ["application/json"] },
        "queryStringParameters": query,
        "multiValueQueryStringParameters": multi,
        "pathParameters": parameters(resource, &path),
        "stageVariables": null,
        "requestContext": {
            "accountId": "000000000000", "apiId": "local", "stage": "live", "requestId": "1", "path": path, "resourcePath": resource,
            "httpMethod": method, "requestTimeEpoch": 0, "identity": { "sourceIp": "203.0.113.7" },
            "authorizer": { "principalId": "key_admin", "keyId": "key_admin", "scopes": "admin" },
        },
        "body": body,
        "isBase64Encoded": false,
    })
}
