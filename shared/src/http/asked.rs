//! What a line says of a request: who asked for what, without any secret.

use percent_encoding::percent_decode_str;
use serde::Serialize;
use serde_json::Value;

use crate::{id::KeyId, imported::ImportPrefixes, redact::redact};

/// The members of a request's line. Path and query stay out of it: a caller may have put a secret into either.
#[derive(Clone, Debug, Default, Serialize, PartialEq, Eq)]
pub(super) struct Asked {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) method: Option<String>,
    /// The route as the template names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) route: Option<String>,
    /// The key that the path names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) key: Option<String>,
    /// The admin key that asks, or `iam` for a direct invocation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) actor: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) source_ip: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) user_agent: Option<String>,
    /// API Gateway's id of the request, which a REST API's caller may choose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) request_id: Option<String>,
    /// The one that no caller can choose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) extended_request_id: Option<String>,
}

impl Asked {
    /// Of an API Gateway event of either version; of anything else, nothing.
    pub(super) fn read(event: &Value, imported: &ImportPrefixes) -> Self {
        let text = |path: &str| event.pointer(path).and_then(Value::as_str).map(|text| redact(text, imported).into_owned());
        let either = |rest: &str, http: &str| text(rest).or_else(|| text(http));
        let route_key = event.pointer("/requestContext/routeKey").and_then(Value::as_str);
        let route = event.get("resource").and_then(Value::as_str).or_else(|| route_key?.split_once(' ').map(|(_, path)| path));
        let id = event.pointer("/pathParameters/id").and_then(Value::as_str).map(percent_decode_str);
        let id = id.and_then(|id| KeyId::parse(&id.decode_utf8().ok()?));
        Self {
            method: either("/httpMethod", "/requestContext/http/method"),
            route: route.map(ToOwned::to_owned),
            key: id.map(|id| id.to_string()),
            actor: either("/requestContext/authorizer/keyId", "/requestContext/authorizer/lambda/keyId"),
            source_ip: either("/requestContext/identity/sourceIp", "/requestContext/http/sourceIp"),
            user_agent: either("/requestContext/identity/userAgent", "/requestContext/http/userAgent"),
            request_id: text("/requestContext/requestId"),
            extended_request_id: text("/requestContext/extendedRequestId"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn both_versions_say_the_same() {
        let id = "key_0123456789abcdefghijkl";
        let rest = json!({
            "httpMethod": "GET", "resource": "/v1/keys/{id}", "pathParameters": { "id": id },
            "requestContext": {
                "requestId": "r", "identity": { "sourceIp": "192.0.2.1", "userAgent": "u" }, "authorizer": { "keyId": "key_a" },
            },
        });
        let http = json!({
            "version": "2.0", "pathParameters": { "id": id },
            "requestContext": {
                "requestId": "r", "routeKey": "GET /v1/keys/{id}",
                "http": { "method": "GET", "sourceIp": "192.0.2.1", "userAgent": "u" },
                "authorizer": { "lambda": { "keyId": "key_a" } },
            },
        });
        let asked = Asked::read(&rest, &ImportPrefixes::default());
        assert_eq!(asked, Asked::read(&http, &ImportPrefixes::default()));
        assert_eq!(asked.key.as_deref(), Some(id));
        assert_eq!(asked.route.as_deref(), Some("/v1/keys/{id}"));
        assert!(serde_json::to_value(asked).unwrap().as_object().unwrap().values().all(Value::is_string));
    }

    #[test]
    fn what_is_no_key_id_is_not_repeated() {
        let secret = json!({ "pathParameters": { "id": "mbk_live_0123456789abcdefghijklmnopqrstuv" } });
        assert_eq!(Asked::read(&secret, &ImportPrefixes::default()), Asked::default());
        assert_eq!(Asked::read(&Value::Null, &ImportPrefixes::default()), Asked::default());
    }
}
