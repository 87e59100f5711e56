//! What an HTTP API answers by itself. Neither status nor body can be changed: there are no gateway responses.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response, StatusCode};

/// An answer of API Gateway's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnAnswer {
    /// The authorizer refuses, whatever its reason.
    Forbidden,
    /// No such route.
    NotFound,
    /// The body is over 10 MiB.
    RequestEntityTooLarge,
    /// The authorizer or the function failed, or what it said can't be used.
    InternalServerError,
    /// The function didn't answer within API Gateway's own limit.
    ServiceUnavailable,
}

impl OwnAnswer {
    /// Its status.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        match self {
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::RequestEntityTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::InternalServerError => StatusCode::INTERNAL_SERVER_ERROR,
            Self::ServiceUnavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// What it says.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::Forbidden => "Forbidden",
            Self::NotFound => "Not Found",
            Self::RequestEntityTooLarge => "Request Entity Too Large",
            Self::InternalServerError => "Internal Server Error",
            Self::ServiceUnavailable => "Service Unavailable",
        }
    }

    pub(super) fn response(self) -> Response<Bytes> {
        let mut response = Response::new(Bytes::from(format!(r#"{{"message":"{}"}}"#, self.message())));
        *response.status_mut() = self.status();
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response
    }
}
