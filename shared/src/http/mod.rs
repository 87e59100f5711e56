//! The management API's side of HTTP: who calls, what for, and answers that say why not.

use std::{borrow::Cow, sync::OnceLock};

use http::{HeaderValue, Response, StatusCode, header};
use lambda_http::{Body, Request, RequestExt, request::RequestContext};
use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::{
    change::Key,
    config::HttpConfig,
    error::{Code, Error, Fault, Rejection},
    host::Host,
    id::KeyId,
    idempotency::Claim,
    if_match::{self, IfMatch},
    imported::ImportPrefixes,
    input::{self, Fields},
    lambda::{self, Failure},
    owner::Owner,
    plan::PlanName,
    scope::Scope,
    telemetry::report::{Kind, Report, Reporter},
};

mod asked;
mod file;
mod parameters;
pub mod problem;

use asked::Asked;
pub use file::File;
pub use parameters::{PageSize, Parameters};

/// What was asked for, or why there is none.
pub type Answer = Result<Reply, Error>;

/// A document with its status.
#[derive(Clone, Debug)]
pub struct Reply {
    status: StatusCode,
    document: Document,
    version: Option<u64>,
}

#[derive(Clone, Debug)]
enum Document {
    Json(Value),
    Csv(String),
    File(File),
}

impl Reply {
    /// 200 and a document.
    #[must_use]
    pub const fn ok(document: Value) -> Self {
        Self::with(StatusCode::OK, document)
    }

    /// A document with that status.
    #[must_use]
    pub const fn with(status: StatusCode, document: Value) -> Self {
        Self { status, document: Document::Json(document), version: None }
    }

    /// 200 and a table (RFC 4180), which begins with the names of its columns.
    #[must_use]
    pub const fn csv(table: String) -> Self {
        Self { status: StatusCode::OK, document: Document::Csv(table), version: None }
    }

    /// A document that shows one key, whose version the caller gets as its `ETag`.
    #[must_use]
    pub const fn key(status: StatusCode, key: &Key, document: Value) -> Self {
        Self { status, document: Document::Json(document), version: Some(key.record.version) }
    }

    /// That what is asked for is at `location`.
    #[must_use]
    pub fn redirect(status: StatusCode, location: &'static str) -> Self {
        let file = File::new("text/plain; charset=utf-8", location).with(header::LOCATION, HeaderValue::from_static(location));
        Self { status, document: Document::File(file), version: None }
    }
}

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
    match context(request, "keyId").and_then(Value::as_str) {
        Some(id) if has_scope(request, &Scope::Admin) => Ok(id.to_owned()),
        _ => Err(Rejection::new(Code::ScopeNotAllowed, "The management API needs a key with the scope admin.")),
    }
}

/// The key id in the path.
///
/// # Errors
/// `no_such_key` for a text that can't be one.
pub fn key_id(request: &Request) -> Result<KeyId, Rejection> {
    parameter(request, "id").and_then(|id| KeyId::parse(&id)).ok_or_else(crate::change::no_such_key)
}

/// The owner in the path.
///
/// # Errors
/// `invalid_field` for a text that can't be one.
pub fn owner(request: &Request) -> Result<Owner, Rejection> {
    let [kind, id] = ["type", "id"].map(|name| parameter(request, name));
    input::owner_with("id", input::owner_type("type", kind.as_deref())?, id.as_deref())
}

/// The plan in the path.
///
/// # Errors
/// `invalid_field` for a text that can't be one.
pub fn plan(request: &Request) -> Result<PlanName, Rejection> {
    PlanName::read("name", parameter(request, "name").as_deref())
}

/// A parameter of the path, as whoever wrote the path meant it. A REST API passes it on as it was sent, percent-encoded where clients
/// do that; an HTTP API has decoded it. None if it can't be decoded.
fn parameter<'a>(request: &'a Request, name: &str) -> Option<Cow<'a, str>> {
    let sent = request.path_parameters_ref().and_then(|parameters| parameters.first(name))?;
    match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV1(_)) => percent_decode_str(sent).decode_utf8().ok(),
        _ => Some(Cow::Borrowed(sent)),
    }
}

/// What the caller demands of the key's version.
///
/// # Errors
/// `invalid_field` for a header that can't be read.
pub fn if_match(request: &Request) -> Result<IfMatch, Rejection> {
    IfMatch::parse(request.headers().get_all(header::IF_MATCH).iter().map(HeaderValue::as_bytes))
}

/// The claim of a request that may be sent again: by `principal`, for `operation`, which is to `target` if that is a key.
///
/// # Errors
/// `invalid_field` for a header that can't be read.
pub fn claim(request: &Request, of: (&str, &str, Option<&KeyId>), fields: &Fields) -> Result<Option<Claim>, Rejection> {
    Claim::read(request.headers().get_all("idempotency-key").iter().map(HeaderValue::as_bytes), of, &fields.sent())
}

/// The media type of tables (RFC 4180).
const CSV: &str = "text/csv";

/// Whether the caller asks for a table instead of JSON.
#[must_use]
pub fn wants_csv(request: &Request) -> bool {
    let accepted = request.headers().get_all(header::ACCEPT).iter().filter_map(|line| line.to_str().ok());
    accepted.flat_map(|line| line.split(',')).any(|range| {
        let mut parts = range.split(';').map(str::trim);
        parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case(CSV)) && !parts.any(|part| part == "q=0")
    })
}

/// The key that calls, and the generation of its secret: what the authorizer has found out.
///
/// # Errors
/// `scope_not_allowed` if the context says nothing of it, as on a route without the authorizer.
pub fn own(request: &Request) -> Result<(KeyId, u32), Rejection> {
    let id = context(request, "keyId").and_then(Value::as_str).and_then(KeyId::parse);
    // API Gateway makes texts of numbers on their way to a function.
    let number = context(request, "generation").and_then(|value| value.as_u64().or_else(|| value.as_str()?.parse().ok()));
    let number = number.and_then(|number| u32::try_from(number).ok());
    id.zip(number).ok_or_else(|| Rejection::new(Code::ScopeNotAllowed, "This route answers to a key about itself."))
}

/// The key that calls, if it may rotate itself. The authorizer has checked it already, as for an administrator.
///
/// # Errors
/// `scope_not_allowed` if the context doesn't prove such a key.
pub fn own_rotation(request: &Request) -> Result<KeyId, Rejection> {
    let (id, _) = own(request)?;
    match has_scope(request, &Scope::SelfRotate) {
        true => Ok(id),
        false => Err(Rejection::new(Code::ScopeNotAllowed, "Rotating itself needs a key with the scope self:rotate.")),
    }
}

/// Whether the key that calls has a scope that stands for `needed`.
fn has_scope(request: &Request, needed: &Scope) -> bool {
    let scopes = context(request, "scopes").and_then(Value::as_str);
    let stands_for = |own: &str| Scope::parse(own).is_ok_and(|own| own.stands_for(needed));
    scopes.is_some_and(|scopes| scopes.split(',').any(stands_for))
}

/// A field of what the authorizer says of the caller.
fn context<'a>(request: &'a Request, name: &str) -> Option<&'a Value> {
    request.request_context_ref().and_then(RequestContext::authorizer).and_then(|authorizer| authorizer.fields.get(name))
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

/// Answers over HTTP, and a line for every answer.
pub struct Responder {
    reporter: Reporter,
    cors_origin: HeaderValue,
    imported: ImportPrefixes,
}

impl Responder {
    /// A function's responder.
    #[must_use]
    pub fn new(config: HttpConfig, host: Host) -> Self {
        let HttpConfig { function, cors_origin, imported } = config;
        Self { reporter: Reporter::new(Kind::Request, function, host), cors_origin, imported }
    }

    /// Answers an API Gateway event of either version through `route`.
    ///
    /// # Errors
    /// [`Failure::BAD_EVENT`] if it isn't such an event.
    pub async fn answer<H, F>(&self, event: Value, route: H) -> Result<Value, Failure>
    where
        H: Fn(Request) -> F + Send + Sync,
        F: Future<Output = Answer> + Send,
    {
        let asked = Asked::read(&event, &self.imported);
        let reported = OnceLock::new();
        let respond = async |request| {
            let answer = route(request).await;
            let _ = reported.set(report(&answer));
            self.response(&answer)
        };
        let work = async {
            let answer = lambda::http(event, respond).await;
            let not_understood = || Report::fault(&Fault::new("event.not_understood", Failure::BAD_EVENT), ());
            (answer, reported.get().cloned().unwrap_or_else(not_understood).with(asked.clone()))
        };
        self.reporter.line(work, || (Err(Failure::INTERNAL), asked.clone())).await.0
    }

    /// Answers a direct invocation, which takes IAM permission. It has no status: what is wrong with it is its answer.
    ///
    /// # Errors
    /// [`Failure::INTERNAL`] for a fault of ours.
    pub async fn direct(&self, work: impl Future<Output = Answer>) -> Result<Value, Failure> {
        let asked = || Asked { actor: Some("iam".to_owned()), ..Asked::default() };
        let work = async {
            let answer = work.await;
            let report = report(&answer).with(asked());
            let document = match answer {
                Ok(Reply { document: Document::Json(document), .. }) => Ok(document),
                Ok(Reply { document: Document::Csv(table), .. }) => Ok(Value::String(table)),
                Ok(Reply { document: Document::File(file), .. }) => Ok(Value::String(file.body.into_owned())),
                Err(Error::Rejected(rejection)) => serde_json::to_value(rejection.problem()).map_err(|_| Failure::INTERNAL),
                Err(Error::Fault(_)) => Err(Failure::INTERNAL),
            };
            (document, report)
        };
        self.reporter.line(work, || (Err(Failure::INTERNAL), asked())).await.0
    }

    /// The response for `answer`: of a fault the caller is told nothing but that.
    fn response(&self, answer: &Answer) -> Response<Body> {
        let problem = |rejection: &Rejection| {
            let mut response = problem::response(rejection).map(Body::from);
            response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, self.cors_origin.clone());
            response
        };
        match answer {
            Ok(reply) => {
                let content_type = match &reply.document {
                    Document::Json(_) => "application/json",
                    Document::Csv(_) => CSV,
                    Document::File(file) => file.content_type,
                };
                self.send(content_type, reply)
            }
            Err(Error::Rejected(rejection)) => problem(rejection),
            Err(Error::Fault(_)) => problem(&Rejection::internal()),
        }
    }

    fn send(&self, content_type: &'static str, reply: &Reply) -> Response<Body> {
        let response = Response::builder().status(reply.status).header(header::CONTENT_TYPE, content_type);
        let mut response = response.header(header::ACCESS_CONTROL_ALLOW_ORIGIN, self.cors_origin.clone());
        if let Some(version) = reply.version {
            // A page of another origin sees a header like this one only if it is told so.
            response = response.header(header::ETAG, if_match::entity_tag(version));
            response = response.header(header::ACCESS_CONTROL_EXPOSE_HEADERS, "ETag");
        }
        let body = match &reply.document {
            Document::Json(document) => Body::from(document.to_string()),
            Document::Csv(table) => Body::from(table.as_str()),
            Document::File(file) => Body::from(file.body.as_ref()),
        };
        // Answers hold secrets and the state of keys: no cache may keep either.
        let response = response.header(header::CACHE_CONTROL, "no-store").body(body);
        // Status and headers are known to be good: building can't fail, and an empty answer would be better than a panic.
        let mut response = response.unwrap_or_default();
        if let Document::File(file) = &reply.document {
            // In place of those above that it has too.
            response.headers_mut().extend(file.headers.clone());
        }
        response
    }
}

fn report(answer: &Answer) -> Report<()> {
    match answer {
        Ok(_) => Report::new("ok", ()),
        Err(Error::Rejected(rejection)) => Report::new(rejection.code.as_str(), ()),
        Err(Error::Fault(fault)) => Report::fault(fault, ()),
    }
}
