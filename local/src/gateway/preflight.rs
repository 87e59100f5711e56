//! The answer to a browser's preflight request, as SAM's mock gives it: without authorizer, key or function.

use bytes::Bytes;
use http::{HeaderValue, Response, header};

use crate::template::{Cors, Route};

use super::routes;

/// The methods that SAM lists for `ANY`.
const ANY: [&str; 7] = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];

/// The answer, if the request is a preflight for a resource that doesn't answer `OPTIONS` by itself.
pub(super) fn answer(cors: &Cors, all: &[Route], method: &str, path: &str) -> Option<Response<Bytes>> {
    if method != "OPTIONS" {
        return None;
    }
    let resource = routes::resource(all, path);
    if resource.is_empty() || resource.iter().any(|matched| matched.route.method == "OPTIONS") {
        return None;
    }
    let methods = cors.allow_methods.clone().unwrap_or_else(|| {
        let mut methods: Vec<&str> = resource.iter().map(|matched| matched.route.method.as_str()).collect();
        if methods.contains(&"ANY") {
            methods = ANY.to_vec();
        }
        methods.push("OPTIONS");
        methods.sort_unstable();
        methods.dedup();
        methods.join(",")
    });
    let mut response = Response::new(Bytes::from_static(b"{}\n"));
    let headers = [
        (header::CONTENT_TYPE, Some("application/json")),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, Some(cors.allow_origin.as_str())),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, cors.allow_headers.as_deref()),
        (header::ACCESS_CONTROL_ALLOW_METHODS, Some(methods.as_str())),
        (header::ACCESS_CONTROL_MAX_AGE, cors.max_age.as_deref()),
    ];
    for (name, value) in headers {
        if let Some(Ok(value)) = value.map(HeaderValue::from_str) {
            response.headers_mut().insert(name, value);
        }
    }
    Some(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(method: &str, path: &str) -> Route {
        Route {
            method: method.to_owned(),
            path: path.to_owned(),
            function: "f".to_owned(),
            authorized: true,
            api_key_required: true,
        }
    }

    #[test]
    fn every_path_answers_with_its_own_methods() {
        let cors =
            Cors { allow_origin: "*".to_owned(), allow_headers: None, allow_methods: None, max_age: Some("600".to_owned()) };
        let routes = [route("GET", "/keys"), route("POST", "/keys"), route("ANY", "/{proxy+}"), route("OPTIONS", "/own")];
        let methods = |path: &str| {
            let response = answer(&cors, &routes, "OPTIONS", path)?;
            assert_eq!(response.headers()["access-control-allow-origin"], "*");
            assert_eq!(response.headers()["access-control-max-age"], "600");
            response.headers()["access-control-allow-methods"].to_str().ok().map(ToOwned::to_owned)
        };
        assert_eq!(methods("/keys").as_deref(), Some("GET,OPTIONS,POST"));
        assert_eq!(methods("/other").as_deref(), Some("DELETE,GET,HEAD,OPTIONS,PATCH,POST,PUT"));
        assert_eq!(methods("/own"), None, "the function answers");
        assert!(answer(&cors, &routes, "GET", "/keys").is_none());
        assert!(answer(&cors, &routes[..2], "OPTIONS", "/other").is_none(), "there is no such path");
    }
}
