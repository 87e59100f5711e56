//! CORS, which API Gateway does alone: it answers preflights, and what functions say of it is ignored.
//!
//! Only if no route takes it: one for `ANY` takes a preflight too, and sends it to the authorizer.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};

use super::request::Request;
use crate::template::HttpCors;

/// The answer to a preflight request, if it is one.
pub(super) fn preflight(cors: &HttpCors, request: &Request) -> Option<Response<Bytes>> {
    if request.method != "OPTIONS" {
        return None;
    }
    let origin = request.header("origin")?;
    request.header("access-control-request-method")?;
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::NO_CONTENT;
    if let Some(allowed) = allowed(cors, origin) {
        let headers = response.headers_mut();
        set(headers, header::ACCESS_CONTROL_ALLOW_ORIGIN, &allowed);
        set(headers, header::ACCESS_CONTROL_ALLOW_METHODS, &cors.allow_methods.join(","));
        set(headers, header::ACCESS_CONTROL_ALLOW_HEADERS, &cors.allow_headers.join(",").to_ascii_lowercase());
        set(headers, header::ACCESS_CONTROL_MAX_AGE, cors.max_age.as_deref().unwrap_or_default());
    }
    Some(response)
}

/// Puts API Gateway's headers in place of a function's.
pub(super) fn replace(cors: &HttpCors, request: &Request, headers: &mut HeaderMap) {
    let names: Vec<HeaderName> = headers.keys().filter(|name| name.as_str().starts_with("access-control-")).cloned().collect();
    for name in names {
        headers.remove(name);
    }
    if let Some(allowed) = request.header("origin").and_then(|origin| allowed(cors, origin)) {
        set(headers, header::ACCESS_CONTROL_ALLOW_ORIGIN, &allowed);
        set(headers, header::ACCESS_CONTROL_EXPOSE_HEADERS, &cors.expose_headers.join(",").to_ascii_lowercase());
    }
}

/// The value that allows an origin; none if it isn't among those that may.
fn allowed(cors: &HttpCors, origin: &str) -> Option<String> {
    let any = cors.allow_origins.iter().any(|allowed| allowed == "*");
    let named = cors.allow_origins.iter().any(|allowed| allowed == origin);
    any.then(|| "*".to_owned()).or_else(|| named.then(|| origin.to_owned()))
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value)
        && !value.is_empty()
    {
        headers.insert(name, value);
    }
}
