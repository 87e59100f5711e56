//! Rejections as HTTP responses.

use http::{HeaderValue, Response, header};

use crate::error::Rejection;

/// The response for `rejection`: a problem document (RFC 9457), which no cache may keep.
#[must_use]
pub fn response(rejection: &Rejection) -> Response<String> {
    let mut response = Response::new(serde_json::to_string(&rejection.problem()).unwrap_or_default());
    *response.status_mut() = rejection.code.status();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
