//! Which method of which resource a request is for, as API Gateway decides it.

use std::collections::BTreeMap;

use crate::template::Route;

/// A request's route and the parameters in its path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matched<'a> {
    /// The template's route.
    pub route: &'a Route,
    /// Values of `{name}` and `{name+}`: still percent-encoded, as REST APIs pass them on, or decoded by an HTTP API.
    pub path_parameters: BTreeMap<String, String>,
}

/// How closely one segment of a resource's path fits, best last.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fit {
    Greedy,
    Parameter,
    Exact,
}

/// Finds the route of a request; `None` is what API Gateway calls a missing authentication token.
///
/// The resource is chosen first: exact segments beat `{name}`, which beats `{name+}`. Then its method: a specific
/// one beats `ANY`. A resource that lacks the method hides less specific ones that have it. One trailing slash is
/// ignored.
#[must_use]
pub fn find<'a>(routes: &'a [Route], method: &str, path: &str) -> Option<Matched<'a>> {
    let mut best = resource(routes, path);
    let named = |name: &str| best.iter().position(|matched| matched.route.method == name);
    let position = named(method).or_else(|| named("ANY"))?;
    Some(best.swap_remove(position))
}

/// Every method of the resource that a path leads to.
pub(super) fn resource<'a>(routes: &'a [Route], path: &str) -> Vec<Matched<'a>> {
    let fitting = routes.iter().filter_map(|route| {
        let (fits, parameters) = fit(&route.path, segments(path))?;
        Some((fits, route, parameters))
    });
    let mut best: Vec<(Vec<Fit>, &Route, BTreeMap<String, String>)> = Vec::new();
    for candidate in fitting {
        match best.first().map(|(fits, ..)| candidate.0.cmp(fits)) {
            Some(std::cmp::Ordering::Less) => {}
            Some(std::cmp::Ordering::Equal) => best.push(candidate),
            Some(std::cmp::Ordering::Greater) | None => best = vec![candidate],
        }
    }
    best.into_iter().map(|(_, route, path_parameters)| Matched { route, path_parameters }).collect()
}

/// How a path's segments fit a pattern, and what its parameters are then.
pub(super) fn fit<'a>(pattern: &str, mut rest: impl Iterator<Item = &'a str>) -> Option<(Vec<Fit>, BTreeMap<String, String>)> {
    let mut fits = Vec::new();
    let mut parameters = BTreeMap::new();
    for segment in segments(pattern) {
        let value = rest.next().filter(|value| !value.is_empty() || segment.is_empty())?;
        match segment.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            Some(name) => match name.strip_suffix('+') {
                Some(name) => {
                    let all = std::iter::once(value).chain(rest.by_ref()).collect::<Vec<_>>();
                    parameters.insert(name.to_owned(), all.join("/"));
                    fits.push(Fit::Greedy);
                }
                None => {
                    parameters.insert(name.to_owned(), value.to_owned());
                    fits.push(Fit::Parameter);
                }
            },
            None if segment == value => fits.push(Fit::Exact),
            None => return None,
        }
    }
    rest.next().is_none().then_some((fits, parameters))
}

fn segments(path: &str) -> std::str::Split<'_, char> {
    let path = path.strip_prefix('/').unwrap_or(path);
    path.strip_suffix('/').unwrap_or(path).split('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routes(all: &[(&str, &str)]) -> Vec<Route> {
        let route = |(method, path): &(&str, &str)| Route {
            method: (*method).to_owned(),
            path: (*path).to_owned(),
            function: format!("{method} {path}"),
            authorized: true,
            api_key_required: true,
        };
        all.iter().map(route).collect()
    }

    fn found(all: &[(&str, &str)], method: &str, path: &str) -> Option<(String, Vec<(String, String)>)> {
        let routes = routes(all);
        let matched = find(&routes, method, path)?;
        Some((matched.route.function.clone(), matched.path_parameters.into_iter().collect()))
    }

    fn parameter(name: &str, value: &str) -> Vec<(String, String)> {
        vec![(name.to_owned(), value.to_owned())]
    }

    const ALL: &[(&str, &str)] = &[
        ("ANY", "/{proxy+}"),
        ("GET", "/keys/{id}"),
        ("ANY", "/keys/{id}"),
        ("GET", "/keys/self"),
        ("POST", "/keys/{id}/revoke"),
        ("GET", "/"),
    ];

    #[test]
    fn exact_beats_parameter_beats_greedy() {
        assert_eq!(found(ALL, "GET", "/keys/self"), Some(("GET /keys/self".to_owned(), vec![])));
        assert_eq!(found(ALL, "GET", "/keys/k1"), Some(("GET /keys/{id}".to_owned(), parameter("id", "k1"))));
        assert_eq!(found(ALL, "GET", "/a/b/c"), Some(("ANY /{proxy+}".to_owned(), parameter("proxy", "a/b/c"))));
        assert_eq!(found(ALL, "GET", "/"), Some(("GET /".to_owned(), vec![])));
    }

    #[test]
    fn a_specific_method_beats_any() {
        assert_eq!(found(ALL, "GET", "/keys/k1").unwrap().0, "GET /keys/{id}");
        assert_eq!(found(ALL, "PUT", "/keys/k1").unwrap().0, "ANY /keys/{id}");
    }

    #[test]
    fn a_resource_without_the_method_hides_less_specific_ones() {
        assert_eq!(found(ALL, "DELETE", "/keys/self"), None);
        assert_eq!(found(ALL, "GET", "/keys/k1/revoke"), None);
    }

    #[test]
    fn one_trailing_slash_is_ignored() {
        assert_eq!(found(ALL, "GET", "/keys/self/").unwrap().0, "GET /keys/self");
        assert_eq!(found(ALL, "GET", "/keys/k1/").unwrap().1, parameter("id", "k1"));
    }

    #[test]
    fn empty_and_encoded_segments_do_not_become_something_else() {
        let all = &[("GET", "/keys/{id}"), ("GET", "/keys")];
        assert_eq!(found(all, "GET", "/keys//"), None);
        assert_eq!(found(all, "GET", "//keys"), None);
        assert_eq!(found(all, "GET", "/keys/a%2Fb").unwrap().1, parameter("id", "a%2Fb"));
        assert_eq!(found(all, "GET", "/%6Beys"), None);
        assert_eq!(found(all, "GET", "/keys/a/b"), None);
        assert_eq!(found(&[("GET", "/x/{proxy+}")], "GET", "/x"), None);
    }
}
