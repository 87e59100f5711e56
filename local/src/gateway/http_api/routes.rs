//! Which route of an HTTP API a request is for.

use std::collections::BTreeMap;

use super::super::routes::{Matched, fit};
use super::request::decoded;
use crate::template::Route;

/// Finds the route of a request: exact segments beat `{name}`, which beats `{name+}`; between equal ones, a method beats
/// `ANY`; and `$default` takes what is left. Unlike a REST API's resource, a route that lacks the method hides no other.
///
/// Segments are taken apart first and decoded then, so that `%2F` separates none but is a slash in a parameter. AWS doesn't
/// say how it is there. Of the possible readings, in this one the route and `rawPath` differ most. A slash at the end counts.
pub(super) fn find<'a>(routes: &'a [Route], method: &str, path: &str) -> Option<Matched<'a>> {
    let segments: Vec<String> = path.strip_prefix('/').unwrap_or(path).split('/').map(decoded).collect();
    let candidates = routes.iter().filter(|route| [method, "ANY"].contains(&route.method.as_str()));
    let fitting = candidates.filter_map(|route| {
        let (fits, path_parameters) = fit(&route.path, segments.iter().map(String::as_str))?;
        Some(((fits, route.method != "ANY"), Matched { route, path_parameters }))
    });
    let best = fitting.max_by(|(one, _), (other, _)| one.cmp(other)).map(|(_, matched)| matched);
    let default = || routes.iter().find(|route| route.method == "$default");
    best.or_else(|| default().map(|route| Matched { route, path_parameters: BTreeMap::new() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routes(keys: &[&str]) -> Vec<Route> {
        let route = |key: &&str| {
            let (method, path) = key.split_once(' ').unwrap_or((key, ""));
            Route {
                method: method.to_owned(),
                path: path.to_owned(),
                function: (*key).to_owned(),
                authorized: true,
                api_key_required: false,
            }
        };
        keys.iter().map(route).collect()
    }

    fn found(keys: &[&str], method: &str, path: &str) -> Option<(String, BTreeMap<String, String>)> {
        find(&routes(keys), method, path).map(|matched| (matched.route.function.clone(), matched.path_parameters))
    }

    fn key(keys: &[&str], method: &str, path: &str) -> Option<String> {
        found(keys, method, path).map(|(key, _)| key)
    }

    /// The example of AWS's documentation.
    const PETS: &[&str] = &["GET /pets/dog/1", "GET /pets/dog/{id}", "GET /pets/{proxy+}", "ANY /{proxy+}", "$default"];

    #[test]
    fn the_most_specific_route_is_chosen() {
        for (method, path, expected) in [
            ("GET", "/pets/dog/1", "GET /pets/dog/1"),
            ("GET", "/pets/dog/2", "GET /pets/dog/{id}"),
            ("GET", "/pets/cat/1", "GET /pets/{proxy+}"),
            ("POST", "/test/5", "ANY /{proxy+}"),
            ("POST", "/pets/dog/1", "ANY /{proxy+}"),
            ("GET", "/", "$default"),
        ] {
            assert_eq!(key(PETS, method, path).as_deref(), Some(expected), "{method} {path}");
        }
        assert_eq!(key(&["ANY /a", "GET /a"], "GET", "/a").as_deref(), Some("GET /a"));
        assert_eq!(key(&["ANY /a/{b}", "GET /{c+}"], "GET", "/a/1").as_deref(), Some("ANY /a/{b}"));
        assert_eq!(key(&["GET /a"], "POST", "/a"), None);
    }

    #[test]
    fn slashes_count_as_they_are_sent_and_parameters_are_decoded() {
        let keys = &["GET /keys", "GET /keys/{id}", "GET /x/{proxy+}"];
        for path in ["/keys/", "//keys", "/keys/a/b", "/keys//", "/x", "/x/", "/x//a", "/live/keys"] {
            assert_eq!(key(keys, "GET", path), None, "{path}");
        }
        let parameter = |path: &str| found(keys, "GET", path).unwrap().1.into_values().next().unwrap();
        assert_eq!(
            (parameter("/keys/a%2Fb"), parameter("/keys/%2541"), parameter("/x/a/%3F/")),
            ("a/b".into(), "%41".into(), "a/?/".into())
        );
        assert_eq!(key(keys, "GET", "/%6Beys").as_deref(), Some("GET /keys"));
    }
}
