//! The route that an HTTP API has chosen, and whether the path in its event says the same.
//!
//! `rawPath` isn't raw: API Gateway decodes it, so that `/reports/7%2Fpublic` comes as `/reports/7/public`, and cuts it at a
//! question mark. The route was chosen by what was sent. A path that could have led to another route is no base for a scope.

use serde_json::{Map, Value};
use shared::path::NormalPath;

/// Method and path of a route's key, as in `GET /v1/keys/{id}`; none for `$default`.
pub(crate) fn method_and_path(key: &str) -> Option<(&str, &str)> {
    key.split_once(' ')
}

/// The normal form of a decoded path, if the route's key and what its parameters came to make that path and no other.
pub(crate) fn normal_path(key: &str, parameters: Option<&Map<String, Value>>, path: &str) -> Option<NormalPath> {
    let agrees = match method_and_path(key) {
        Some((_, pattern)) => filled(pattern, parameters).as_deref() == Some(path),
        // The one that takes every path there is.
        None => key == "$default",
    };
    if agrees { NormalPath::of_decoded(path) } else { None }
}

/// A route's path with its parameters in their places. Only `{name+}` can hold slashes.
fn filled(pattern: &str, parameters: Option<&Map<String, Value>>) -> Option<String> {
    let mut path = String::new();
    for segment in pattern.strip_prefix('/')?.split('/') {
        path.push('/');
        let Some(name) = segment.strip_prefix('{').and_then(|name| name.strip_suffix('}')) else {
            path.push_str(segment);
            continue;
        };
        let (name, greedy) = name.strip_suffix('+').map_or((name, false), |name| (name, true));
        let value = parameters?.get(name)?.as_str()?;
        if value.contains('/') && !greedy {
            return None;
        }
        path.push_str(value);
    }
    Some(path)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_path_has_a_normal_form_only_if_it_is_the_route_s() {
        for (key, parameters, path, normal) in [
            ("GET /v1/keys", json!({}), "/v1/keys", true),
            ("GET /v1/keys/{id}", json!({ "id": "a b" }), "/v1/keys/a b", true),
            ("GET /x/{proxy+}", json!({ "proxy": "a/b" }), "/x/a/b", true),
            ("$default", json!({}), "/any/thing", true),
            // An encoded slash, a question mark, a second encoding.
            ("GET /reports/{id}", json!({ "id": "7/public" }), "/reports/7/public", false),
            ("GET /x/{proxy+}", json!({ "proxy": "public?/secret" }), "/x/public", false),
            ("GET /reports/{id}", json!({ "id": "%41" }), "/reports/%41", false),
            ("GET /x/{proxy+}", json!({ "proxy": "a//b" }), "/x/a//b", false),
            // A stage or a base path in front, an event without what the key needs, or without a key.
            ("GET /v1/keys", json!({}), "/base/v1/keys", false),
            ("GET /v1/keys/{id}", json!({}), "/v1/keys/a", false),
            ("", json!({}), "/v1/keys", false),
        ] {
            let found = normal_path(key, parameters.as_object(), path);
            assert_eq!(found.is_some(), normal, "{key} {path}");
            assert!(found.is_none_or(|found| found.as_str() == path));
        }
        assert_eq!(normal_path("GET /x/{id}", None, "/x/1"), None);
    }
}
