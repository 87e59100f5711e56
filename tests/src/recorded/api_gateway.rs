//! Whole events as API Gateway sends them: those of the tests elsewhere hold only what is read.

use serde_json::{Map, Value, json};

const HOST: &str = "a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com";
const ACCOUNT: &str = "123456789012";
const API: &str = "a1b2c3d4e5";
const REQUEST: &str = "7c9f4f4e-2d3c-4c0e-9d5e-0f6a5b1c2d3e";
const SOURCE: &str = "203.0.113.7";
const AGENT: &str = "curl/8.11.1";

/// A request as a caller makes it.
#[derive(Clone, Debug)]
pub(super) struct Asked<'a> {
    pub(super) method: &'a str,
    /// The route as the template names it.
    pub(super) resource: &'a str,
    pub(super) path: String,
    pub(super) header_key: Option<&'a str>,
    pub(super) if_match: Option<&'a str>,
    pub(super) query: Vec<(&'a str, &'a str)>,
}

impl<'a> Asked<'a> {
    /// A request for `/example` with a key in its header.
    pub(super) fn example(method: &'a str, key: &'a str) -> Self {
        Self {
            method,
            resource: "/example",
            path: "/example".to_owned(),
            header_key: Some(key),
            if_match: None,
            query: Vec::new(),
        }
    }

    fn headers(&self) -> Map<String, Value> {
        let mut headers = Map::new();
        for (name, value) in [
            ("Accept", "*/*"),
            ("Host", HOST),
            ("User-Agent", AGENT),
            ("X-Forwarded-For", SOURCE),
            ("X-Forwarded-Port", "443"),
            ("X-Forwarded-Proto", "https"),
        ] {
            headers.insert(name.to_owned(), json!(value));
        }
        headers.extend(self.header_key.map(|key| ("X-API-Key".to_owned(), json!(key))));
        headers.extend(self.if_match.map(|tags| ("If-Match".to_owned(), json!(tags))));
        headers
    }

    fn query(&self) -> Map<String, Value> {
        self.query.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect()
    }

    fn context(&self) -> Value {
        json!({
            "accountId": ACCOUNT,
            "apiId": API,
            "domainName": HOST,
            "domainPrefix": API,
            "extendedRequestId": "Bq7bFHqQliAFvfw=",
            "httpMethod": self.method,
            "identity": {
                "accessKey": null, "accountId": null, "apiKey": null, "caller": null, "clientCert": null, "sourceIp": SOURCE,
                "user": null, "userAgent": AGENT, "userArn": null,
            },
            "path": format!("/live{}", self.path),
            "protocol": "HTTP/1.1",
            "requestId": REQUEST,
            "requestTime": "23/Nov/2026:20:12:00 +0000",
            "requestTimeEpoch": 1_795_464_720_000_u64,
            "resourceId": "r4nd0m",
            "resourcePath": self.resource,
            "stage": "live",
        })
    }

    fn stage_variables() -> Value {
        json!({ "rateLimitResponse": "usage-key", "routes": "management" })
    }

    /// A REST API's event for its authorizer.
    pub(super) fn authorizer(&self) -> Value {
        let (headers, query) = (self.headers(), self.query());
        json!({
            "type": "REQUEST",
            "methodArn": format!("arn:aws:execute-api:eu-central-1:{ACCOUNT}:{API}/live/{}{}", self.method, self.path),
            "resource": self.resource,
            "path": self.path,
            "httpMethod": self.method,
            "headers": headers,
            "multiValueHeaders": multi(&headers),
            "queryStringParameters": query,
            "multiValueQueryStringParameters": multi(&query),
            "pathParameters": {},
            "stageVariables": Self::stage_variables(),
            "requestContext": self.context(),
        })
    }

    /// An HTTP API's event for its authorizer, payload format 2.0.
    pub(super) fn http_authorizer(&self) -> Value {
        let headers: Map<String, Value> =
            self.headers().into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect();
        json!({
            "version": "2.0",
            "type": "REQUEST",
            "routeArn": format!("arn:aws:execute-api:eu-central-1:{ACCOUNT}:{API}/$default/{}{}", self.method, self.path),
            "identitySource": null,
            "routeKey": format!("{} {}", self.method, self.resource),
            "rawPath": self.path,
            "rawQueryString": "",
            "headers": headers,
            "requestContext": {
                "accountId": ACCOUNT,
                "apiId": API,
                "domainName": HOST,
                "domainPrefix": API,
                "http": {
                    "method": self.method, "path": self.path, "protocol": "HTTP/1.1", "sourceIp": SOURCE, "userAgent": AGENT,
                },
                "requestId": "JKJaXmPLvHcESHA=",
                "routeKey": format!("{} {}", self.method, self.resource),
                "stage": "$default",
                "time": "23/Nov/2026:20:12:00 +0000",
                "timeEpoch": 1_795_464_720_000_u64,
            },
        })
    }

    /// A REST API's event for the function behind it, with what the authorizer said.
    pub(super) fn proxy(&self, parameters: Value, body: Option<&str>, authorizer: Value) -> Value {
        let (headers, query) = (self.headers(), self.query());
        let multi_query = multi(&query);
        let or_null = |map: Map<String, Value>| if map.is_empty() { Value::Null } else { map.into() };
        let mut context = self.context();
        context["identity"]["apiKey"] = json!(format!("unthrottled-api-keys-{ACCOUNT}"));
        context["authorizer"] = authorizer;
        json!({
            "resource": self.resource,
            "path": self.path,
            "httpMethod": self.method,
            "headers": headers,
            "multiValueHeaders": multi(&headers),
            "queryStringParameters": or_null(query),
            "multiValueQueryStringParameters": or_null(multi_query),
            "pathParameters": parameters,
            "stageVariables": Self::stage_variables(),
            "requestContext": context,
            "body": body,
            "isBase64Encoded": false,
        })
    }
}

fn multi(values: &Map<String, Value>) -> Map<String, Value> {
    values.iter().map(|(name, value)| (name.clone(), json!([value]))).collect()
}
