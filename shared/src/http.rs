//! The management API's side of HTTP: who calls, what for, and answers that say why not.

use http::{Response, StatusCode, header};
use lambda_http::{Body, Request, RequestExt, request::RequestContext};
use serde_json::Value;

use crate::{
    error::{Code, Error, Rejection},
    id::KeyId,
    input::Fields,
};

/// A status and a JSON document, or why there is none.
pub type Answer = Result<(StatusCode, Value), Error>;

/// The route that API Gateway matched: its method, and its path as the template names it.
#[must_use]
pub fn route(request: &Request) -> (String, String) {
    let resource = match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV1(context)) => context.resource_path.clone(),
        // An HTTP API's route key is method and path: `GET /v1/keys/{id}`.
        Some(RequestContext::ApiGatewayV2(context)) => {
            context.route_key.as_deref().and_then(|key| key.split_once(' ')).map(|(_, path)| path.to_owned())
        }
        _ => None,
    };
    (request.method().as_str().to_owned(), resource.unwrap_or_default())
}

/// The id of the admin key that calls. The authorizer has checked it already; this check is for the day on which
/// somebody attaches the function to a route without one.
///
/// # Errors
/// `scope_not_allowed` if the context doesn't prove an admin key.
pub fn administrator(request: &Request) -> Result<String, Rejection> {
    let context = request.request_context_ref().and_then(RequestContext::authorizer).map(|authorizer| &authorizer.fields);
    let field = |name: &str| context.and_then(|fields| fields.get(name)).and_then(Value::as_str);
    let is_admin = field("scopes").is_some_and(|scopes| scopes.split(',').any(|scope| scope == "admin"));
    match field("keyId") {
        Some(id) if is_admin => Ok(id.to_owned()),
        _ => Err(Rejection::new(Code::ScopeNotAllowed, "The management API needs a key with the scope admin.")),
    }
}

/// The key id in the path.
///
/// # Errors
/// `no_such_key` for a text that can't be one.
pub fn key_id(request: &Request) -> Result<KeyId, Rejection> {
    let id = request.path_parameters_ref().and_then(|parameters| parameters.first("id")).and_then(KeyId::parse);
    id.ok_or_else(crate::change::no_such_key)
}

/// The fields of the body.
///
/// # Errors
/// `body_too_large`, `invalid_json`.
pub fn fields(request: &Request) -> Result<Fields, Rejection> {
    Fields::of_body(request.body().as_ref())
}

/// No such route: the template and the code disagree, or somebody invokes the function by hand.
///
/// # Errors
/// Always `no_such_route`.
pub fn no_such_route() -> Answer {
    Err(Rejection::new(Code::NoSuchRoute, "There is no such route.").into())
}

/// The response for `answer`. A fault is logged, and told to the caller as nothing but that.
#[must_use]
pub fn respond(answer: Answer) -> Response<Body> {
    match answer {
        Ok((status, document)) => json(status, "application/json", &document),
        Err(Error::Rejected(rejection)) => problem(&rejection),
        Err(Error::Fault(fault)) => {
            tracing::error!(fault = fault.code, detail = fault.detail, "the request failed");
            problem(&Rejection::new(Code::Internal, "This is our fault and has been logged. Try again in a moment."))
        }
    }
}

fn problem(rejection: &Rejection) -> Response<Body> {
    let document = serde_json::to_value(rejection.problem()).unwrap_or_default();
    json(rejection.code.status(), "application/problem+json", &document)
}

fn json(status: StatusCode, content_type: &'static str, document: &Value) -> Response<Body> {
    let response = Response::builder().status(status).header(header::CONTENT_TYPE, content_type);
    // Answers hold secrets and the state of keys: no cache may keep either.
    let response = response.header(header::CACHE_CONTROL, "no-store").body(Body::from(document.to_string()));
    // Status and headers are constants: building can't fail, and an empty answer would be better than a panic.
    response.unwrap_or_default()
}
