//! `/docs`: a page that shows the API's description, for whoever tries the system on this machine. It is the local server's own, in
//! front of the gateway and not of the template, and all that it loads is in this program.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Method, Response, StatusCode, header};
use utoipa_swagger_ui::Config;

/// Where the page is.
pub const PATH: &str = "/docs";

/// What it shows.
const DESCRIPTION: &str = "/v1/openapi.json";

/// Scripts, styles and requests of this address, and nothing else: a page into which keys are typed talks to nobody.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The answer to a request for the page or for a part of it; none for any other request.
pub(super) fn answer(method: &Method, path: &str) -> Option<Response<Bytes>> {
    let rest = path.strip_prefix(PATH)?;
    if rest.is_empty() {
        // The page names its parts relative to the folder that it is in.
        return Some(response(StatusCode::PERMANENT_REDIRECT, "text/plain", Bytes::new(), &[(header::LOCATION, "/docs/")]));
    }
    let name = rest.strip_prefix('/')?;
    if *method != Method::GET && *method != Method::HEAD {
        return Some(response(StatusCode::METHOD_NOT_ALLOWED, "text/plain", Bytes::new(), &[(header::ALLOW, "GET, HEAD")]));
    }
    // Without a validator: the viewer would send the description to a service elsewhere.
    let config = Config::from(DESCRIPTION).validator_url("none").use_base_layout();
    Some(match utoipa_swagger_ui::serve(name, Arc::new(config)) {
        Ok(Some(file)) => {
            let bytes = match file.bytes {
                Cow::Borrowed(bytes) => Bytes::copy_from_slice(bytes),
                Cow::Owned(bytes) => Bytes::from(bytes),
            };
            response(StatusCode::OK, &file.content_type, bytes, &[])
        }
        _ => response(StatusCode::NOT_FOUND, "text/plain", Bytes::from_static(b"The page has no such part.\n"), &[]),
    })
}

fn response(status: StatusCode, kind: &str, body: Bytes, more: &[(header::HeaderName, &'static str)]) -> Response<Bytes> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    for (name, value) in more {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Ok(kind) = HeaderValue::from_str(kind) {
        headers.insert(header::CONTENT_TYPE, kind);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(path: &str) -> Option<(u16, String)> {
        let response = answer(&Method::GET, path)?;
        assert_eq!(response.headers()[header::CONTENT_SECURITY_POLICY], POLICY);
        Some((response.status().as_u16(), String::from_utf8_lossy(response.body()).into_owned()))
    }

    #[test]
    fn the_page_and_all_its_parts_are_here_and_nothing_is_loaded_from_elsewhere() {
        let (status, page) = get("/docs/").unwrap();
        assert_eq!(status, 200);
        let quoted: Vec<&str> = page.split('"').collect();
        let parts = quoted.windows(2).filter(|pair| pair[0].ends_with("src=") || pair[0].ends_with("href="));
        let parts: Vec<&str> = parts.map(|pair| pair[1].trim_start_matches("./")).collect();
        assert!(parts.len() >= 5, "{page}");
        for part in parts {
            assert_eq!(get(&format!("/docs/{part}")).unwrap().0, 200, "{part}");
        }
        let (_, script) = get("/docs/swagger-initializer.js").unwrap();
        assert!(
            script.contains(DESCRIPTION) && script.contains("\"validatorUrl\": \"none\"") && !script.contains("http"),
            "{script}"
        );
    }

    #[test]
    fn whatever_is_not_the_page_is_left_to_the_api() {
        assert_eq!(get("/docs").unwrap().0, 308);
        assert_eq!(get("/docs/../v1/keys").unwrap().0, 404);
        assert_eq!(answer(&Method::POST, "/docs/").unwrap().status(), 405);
        for path in ["/", "/documents", "/docs2/", "/v1/docs"] {
            assert_eq!(get(path), None, "{path}");
        }
    }
}
