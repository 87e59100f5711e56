//! What happened to a request, for whoever watches the local system.

use std::time::Duration;

use super::http_api::OwnAnswer;
use super::response_type::ResponseType;

/// How one request went. It holds no header, query or body, and so no key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The matched route, such as `GET /v1/keys/{id}`.
    pub route: Option<String>,
    /// The binary of the function behind the route, whether or not it was reached.
    pub function: Option<String>,
    /// The gateway response, if API Gateway answered by itself.
    pub gateway_response: Option<ResponseType>,
    /// The same of an HTTP API, which has no gateway responses.
    pub own_answer: Option<OwnAnswer>,
    /// Who the authorizer said the caller is.
    pub principal: Option<String>,
    /// The authorizer's context value `code`.
    pub code: Option<String>,
    /// Why a function or its answer failed. Never shown to the caller.
    pub fault: Option<String>,
    /// How long the authorizer took.
    pub authorizer_duration: Option<Duration>,
    /// How long the function took.
    pub function_duration: Option<Duration>,
    /// How long everything took.
    pub duration: Duration,
}
