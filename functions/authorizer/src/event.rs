//! REQUEST events: REST API (no version), HTTP API format 2.0, and format 1.0, which is treated as somebody else's API.

use std::net::IpAddr;

use serde_json::{Map, Value};
use shared::{
    decision::Route,
    path::NormalPath,
    presented::{self, Presented},
};

use crate::http_route;

/// Which API asks, and thereby which answers it understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A REST API: a policy.
    Rest,
    /// An HTTP API with payload format 1.0: a policy, and nothing that only a REST API can do.
    HttpPolicy,
    /// An HTTP API with payload format 2.0: a simple answer.
    HttpSimple,
}

/// What the authorizer needs of an event. Not printable: its headers and its query hold the key.
pub(crate) struct Event {
    pub(crate) kind: Kind,
    /// The ARN of the method asked for, with the concrete path.
    pub(crate) arn: String,
    pub(crate) method: String,
    /// The path after the stage, as it came; without a custom domain's base path.
    pub(crate) path: String,
    pub(crate) address: Option<IpAddr>,
    pub(crate) request_id: String,
    /// The id that a caller can't choose, if the API has one.
    pub(crate) extended_request_id: Option<String>,
    /// The API that asks.
    pub(crate) api_id: Option<String>,
    pub(crate) user_agent: String,
    raw: Map<String, Value>,
}

impl Event {
    /// The event, if it is a REQUEST event of any version.
    pub(crate) fn read(event: Value) -> Option<Self> {
        let Value::Object(raw) = event else { return None };
        let text = |name: &str| raw.get(name).and_then(Value::as_str);
        let kind = match text("version") {
            None => Kind::Rest,
            Some("2.0") => Kind::HttpSimple,
            Some(_) => Kind::HttpPolicy,
        };
        let arn = text("methodArn").or_else(|| text("routeArn"))?.to_owned();
        let context = raw.get("requestContext")?;
        let simple = kind == Kind::HttpSimple;
        let identity = context.get(if simple { "http" } else { "identity" })?;
        let (method, path) = if simple { http_method_and_path(context, text("rawPath")?)? } else { method_and_path(&arn)? };
        let field = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        Some(Self {
            kind,
            method,
            path,
            address: field(identity, "sourceIp").parse().ok(),
            request_id: field(context, "requestId"),
            extended_request_id: context.get("extendedRequestId").and_then(Value::as_str).map(ToOwned::to_owned),
            api_id: context.get("apiId").and_then(Value::as_str).filter(|id| !id.is_empty()).map(ToOwned::to_owned),
            user_agent: field(identity, "userAgent"),
            arn,
            raw,
        })
    }

    /// The key that it presents; in the query only if that may carry one.
    pub(crate) fn presented(&self, allow_query_key: bool) -> Presented<'_> {
        // Header names have no case.
        let headers = self.values("multiValueHeaders", "headers", |name| name.eq_ignore_ascii_case(presented::HEADER));
        let query = self.values("multiValueQueryStringParameters", "queryStringParameters", |name| name == presented::PARAMETER);
        Presented::of(headers.chain(query.filter(|_| allow_query_key)))
    }

    /// The path in the one form that scopes are matched on, if it has one.
    pub(crate) fn normal_path(&self) -> Option<NormalPath> {
        match self.route_key() {
            Some(key) => http_route::normal_path(key, self.raw.get("pathParameters").and_then(Value::as_object), &self.path),
            None => NormalPath::parse(&self.path),
        }
    }

    /// What the route asks of a key's scopes: those below `/v1`, where the calling API's stage says that they are the management
    /// API's, and no others, ask for more than that one covers them. An HTTP API says which route it has chosen: that counts,
    /// whatever its path looks like.
    pub(crate) fn route(&self, path: Option<&NormalPath>) -> Route {
        if self.stage_variable("routes") != Some("management") {
            return Route::Api;
        }
        let chosen = self.route_key().and_then(http_route::method_and_path);
        // Those that ask for less by their plain text alone: nobody needs another way to write them.
        match chosen.unwrap_or((&self.method, &self.path)) {
            ("GET", "/v1/self") => return Route::AnyKey,
            ("POST", "/v1/self/rotate") => return Route::OWN_ROTATION,
            _ => {}
        }
        // What has no normal form may reach any backend route: it is held to the stricter rule.
        let below = |path: &str| path == "/v1" || path.starts_with("/v1/");
        let management = path.is_none_or(|path| below(path.as_str())) || chosen.is_some_and(|(_, path)| below(path));
        if management { Route::MANAGEMENT } else { Route::Api }
    }

    /// The route that an HTTP API has chosen; empty if it doesn't say so.
    fn route_key(&self) -> Option<&str> {
        let key = || self.raw.get("routeKey").and_then(Value::as_str).unwrap_or_default();
        (self.kind == Kind::HttpSimple).then(key)
    }

    /// Whether the calling API turns an unknown usage key into a 429. Only a REST API can.
    pub(crate) fn answers_429(&self) -> bool {
        self.kind == Kind::Rest && self.stage_variable("rateLimitResponse") == Some("usage-key")
    }

    fn stage_variable(&self, name: &str) -> Option<&str> {
        self.raw.get("stageVariables")?.get(name)?.as_str()
    }

    /// The values in the `multi` map, or else in the `single` one: HTTP APIs have only the latter.
    fn values(&self, multi: &str, single: &str, named: impl Fn(&str) -> bool) -> impl Iterator<Item = &str> {
        let map = |name: &str| self.raw.get(name).and_then(Value::as_object).filter(|map| !map.is_empty());
        let entries = map(multi).or_else(|| map(single)).into_iter().flatten();
        let values = entries.filter(move |(name, _)| named(name)).map(|(_, value)| value);
        let values = values.flat_map(|value| value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice));
        values.filter_map(Value::as_str)
    }
}

/// `arn:aws:execute-api:REGION:ACCOUNT:API/STAGE/METHOD/PATH`; the path may hold anything, colons and slashes included.
fn method_and_path(arn: &str) -> Option<(String, String)> {
    let resource = arn.splitn(6, ':').nth(5)?;
    let mut parts = resource.splitn(4, '/');
    let (_api, _stage, method) = (parts.next()?, parts.next()?, parts.next()?);
    Some((method.to_owned(), format!("/{}", parts.next().unwrap_or_default())))
}

/// What an HTTP API's event says of the request itself: its ARN need not hold the concrete path. At the API's own host the
/// raw path begins with the stage, unless that is the default one; at a custom domain it needn't.
fn http_method_and_path(context: &Value, raw_path: &str) -> Option<(String, String)> {
    let method = context.get("http")?.get("method")?.as_str()?;
    let own_host = context.get("domainName").and_then(Value::as_str).is_some_and(|host| host.contains(".execute-api."));
    let stage = context.get("stage").and_then(Value::as_str).filter(|stage| own_host && *stage != "$default");
    let path = stage.and_then(|stage| raw_path.strip_prefix('/')?.strip_prefix(stage)).filter(|path| path.starts_with('/'));
    Some((method.to_owned(), path.unwrap_or(raw_path).to_owned()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn arns_with_any_path_are_taken_apart() {
        let arn = |rest: &str| format!("arn:aws:execute-api:eu-central-1:123456789012:abc/live/{rest}");
        for (rest, method, path) in
            [("GET/v1/keys", "GET", "/v1/keys"), ("POST/", "POST", "/"), ("GET", "GET", "/"), ("GET/a:b//c", "GET", "/a:b//c")]
        {
            assert_eq!(method_and_path(&arn(rest)), Some((method.to_owned(), path.to_owned())));
        }
        for bad in ["", "arn:aws", "arn:aws:execute-api:eu:1:abc", "arn:aws:execute-api:eu:1:abc/live"] {
            assert_eq!(method_and_path(bad), None, "{bad}");
        }
    }

    #[test]
    fn only_marked_apis_have_routes_that_ask_for_more_or_less_than_a_scope() {
        let route = |method: &str, path: &str, variables: Value| {
            let event = Event::read(json!({
                "methodArn": format!("arn:aws:execute-api:eu-central-1:1:abc/live/{method}{path}"),
                "requestContext": { "identity": { "sourceIp": "203.0.113.7" } },
                "stageVariables": variables,
            }));
            event.unwrap().route(NormalPath::parse(path).as_ref())
        };
        for (method, path, expected) in [
            ("GET", "/v1/keys", Route::MANAGEMENT),
            ("GET", "/v1", Route::MANAGEMENT),
            ("GET", "/%76%31/keys", Route::MANAGEMENT),
            ("GET", "/x/../v1/keys", Route::MANAGEMENT),
            ("GET", "/v10/keys", Route::Api),
            ("GET", "/example", Route::Api),
            ("GET", "/v1/self", Route::AnyKey),
            ("POST", "/v1/self/rotate", Route::OWN_ROTATION),
            ("POST", "/v1/self", Route::MANAGEMENT),
            ("GET", "/v1/self/rotate", Route::MANAGEMENT),
            ("GET", "/v1/self/", Route::MANAGEMENT),
            ("GET", "/v1/%73elf", Route::MANAGEMENT),
            ("GET", "/v1/keys/../self", Route::MANAGEMENT),
        ] {
            assert_eq!(route(method, path, json!({ "routes": "management" })), expected, "{method} {path}");
            assert_eq!(route(method, path, Value::Null), Route::Api);
        }
    }

    #[test]
    fn an_http_api_s_route_is_the_one_that_it_has_chosen() {
        let route = |key: &str, path: &str| {
            let event = Event::read(json!({
                "version": "2.0", "routeArn": "arn", "routeKey": key, "rawPath": path,
                "requestContext": { "http": { "method": key.split(' ').next() } },
                "pathParameters": { "proxy": path.trim_start_matches('/') },
                "stageVariables": { "routes": "management" },
            }));
            let event = event.unwrap();
            event.route(event.normal_path().as_ref())
        };
        for (key, path, expected) in [
            ("GET /v1/keys", "/v1/keys", Route::MANAGEMENT),
            ("GET /v1/self", "/v1/self", Route::AnyKey),
            ("POST /v1/self/rotate", "/v1/self/rotate", Route::OWN_ROTATION),
            ("GET /example", "/example", Route::Api),
            ("ANY /{proxy+}", "/example", Route::Api),
            ("$default", "/example", Route::Api),
            // Behind a base path, or however else the path differs from the route.
            ("GET /v1/keys", "/base/v1/keys", Route::MANAGEMENT),
            ("GET /v1/self", "/base/v1/self", Route::AnyKey),
            ("GET /v1/keys", "/example", Route::MANAGEMENT),
            ("GET /example", "/v1/keys", Route::MANAGEMENT),
            ("GET /example", "/v1/self", Route::MANAGEMENT),
            ("ANY /v1/self", "/v1/self", Route::MANAGEMENT),
            ("ANY /{proxy+}", "/v1/self", Route::MANAGEMENT),
            ("$default", "/v1/self", Route::MANAGEMENT),
            ("$default", "/%76%31/keys", Route::MANAGEMENT),
            ("", "/example", Route::MANAGEMENT),
        ] {
            assert_eq!(route(key, path), expected, "{key} {path}");
        }
    }

    #[test]
    fn the_key_is_in_the_header_of_any_case_or_in_the_query() {
        for (parts, expected) in [
            (json!({ "headers": { "X-API-Key": "k" } }), Some("k")),
            (json!({ "headers": { "x-api-key": "k" }, "multiValueHeaders": { "x-API-key": ["k", "k"] } }), Some("k")),
            (json!({ "queryStringParameters": { "api_key": "k" } }), Some("k")),
            (json!({ "headers": { "X-API-Key": "k" }, "queryStringParameters": { "api_key": "k" } }), Some("k")),
            (json!({ "headers": null, "queryStringParameters": null }), None),
            (json!({ "headers": { "X-API-Key": 7 } }), None),
        ] {
            assert!(event(parts).presented(true) == expected.map_or(Presented::None, Presented::One));
        }
    }

    #[test]
    fn two_different_keys_are_noticed_wherever_they_are() {
        let twice = event(json!({ "multiValueHeaders": { "X-API-Key": ["a", "b"] } }));
        assert!(twice.presented(true) == Presented::Conflicting);
        let both = event(json!({ "headers": { "X-API-Key": "a" }, "queryStringParameters": { "api_key": "b" } }));
        assert!(both.presented(true) == Presented::Conflicting);
        assert!(both.presented(false) == Presented::One("a"), "the query is not looked at unless it may carry keys");
    }

    fn event(parts: Value) -> Event {
        let mut event = json!({
            "methodArn": "arn:aws:execute-api:eu-central-1:1:abc/live/GET/x",
            "requestContext": { "identity": { "sourceIp": "203.0.113.7" } },
        });
        event.as_object_mut().unwrap().extend(parts.as_object().unwrap().clone());
        Event::read(event).unwrap()
    }

    #[test]
    fn an_http_apis_path_comes_without_its_stage() {
        let own = "abc.execute-api.eu-central-1.amazonaws.com";
        for (host, stage, raw, path) in [
            (own, json!("$default"), "/reports/7", "/reports/7"),
            (own, json!("live"), "/live/reports/7", "/reports/7"),
            (own, json!("live"), "/lively/reports", "/lively/reports"),
            (own, Value::Null, "/reports", "/reports"),
            ("api.example.com", json!("v1"), "/v1/keys", "/v1/keys"),
        ] {
            let context = json!({ "domainName": host, "stage": stage, "http": { "method": "GET" } });
            assert_eq!(http_method_and_path(&context, raw), Some(("GET".to_owned(), path.to_owned())));
        }
    }
}
