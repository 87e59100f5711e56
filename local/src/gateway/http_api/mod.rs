//! What an HTTP API does otherwise than a REST API: route, authorizer, function, and answers that nothing can change.
//!
//! Throttling and access logs are not emulated, and neither is what a stage or a custom domain puts before the path.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderValue, Response};
use serde_json::{Map, Value};
use shared::imported::ImportPrefixes;

use super::functions::{Functions, timeout};
use super::invoke::{self, InvokeError};
use super::routes::Matched;
use super::{Api, BODY_LIMIT, GatewayError, Outcome};
use crate::Invoke;
use crate::template::{HttpApi, Template};

mod answers;
mod cors;
mod events;
mod function_answer;
mod request;
mod routes;
#[cfg(test)]
mod tests;
mod verdict;

pub use answers::OwnAnswer;

use request::Request;
use verdict::Verdict;

/// How long API Gateway waits for an integration, whatever the function's own timeout.
const INTEGRATION_LIMIT: Duration = Duration::from_secs(30);
/// How long it waits for an authorizer.
const AUTHORIZER_LIMIT: Duration = Duration::from_secs(10);

/// An HTTP API in front of a template's functions.
pub struct HttpGateway {
    api: HttpApi,
    functions: Functions,
}

impl Api for HttpGateway {
    async fn handle(&self, request: http::Request<Bytes>, source: IpAddr) -> (Response<Bytes>, Outcome) {
        let began = Instant::now();
        let (parts, body) = request.into_parts();
        let request = Request::new(&parts, body, source);
        let mut outcome = Outcome::default();
        let mut response = match self.pass(&request, &mut outcome).await {
            Ok(response) => response,
            Err(own) => {
                outcome.own_answer = Some(own);
                own.response()
            }
        };
        if let Ok(id) = HeaderValue::from_str(&request.id) {
            response.headers_mut().insert("apigw-requestid", id);
        }
        outcome.duration = began.elapsed();
        (response, outcome)
    }

    fn import_prefixes(&self) -> &ImportPrefixes {
        &self.functions.import_prefixes
    }
}

impl HttpGateway {
    /// Puts an HTTP API in front of the functions of `template`, which are given by the names of their binaries.
    ///
    /// # Errors
    /// [`GatewayError::MissingFunction`] if a function block's binary isn't among them.
    pub fn new(
        api: HttpApi,
        template: impl Into<Arc<Template>>,
        functions: BTreeMap<String, Invoke>,
    ) -> Result<Self, GatewayError> {
        Ok(Self { api, functions: Functions::new(template.into(), functions)? })
    }

    /// Every step in API Gateway's order; the first that fails is what it answers by itself.
    async fn pass(&self, request: &Request, outcome: &mut Outcome) -> Result<Response<Bytes>, OwnAnswer> {
        if request.body.len() > BODY_LIMIT {
            return Err(OwnAnswer::RequestEntityTooLarge);
        }
        let cors = self.api.cors.as_ref();
        let Some(matched) = routes::find(&self.api.routes, &request.method, &request.path) else {
            return cors.and_then(|cors| cors::preflight(cors, request)).ok_or(OwnAnswer::NotFound);
        };
        let route = matched.route;
        outcome.route = Some(events::route_key(&matched));
        outcome.function = self.functions.get(&route.function).map(|(block, _)| block.binary.clone());
        let context = if route.authorized { Some(self.authorize(request, &matched, outcome).await?) } else { None };
        let mut response = self.integrate(request, &matched, context, outcome).await?;
        if let Some(cors) = cors {
            cors::replace(cors, request, response.headers_mut());
        }
        Ok(response)
    }

    /// What the authorizer says of the caller, if it lets the request through.
    async fn authorize(
        &self,
        request: &Request,
        matched: &Matched<'_>,
        outcome: &mut Outcome,
    ) -> Result<Map<String, Value>, OwnAnswer> {
        let (block, function) = self.functions.get(&self.api.authorizer).ok_or(OwnAnswer::InternalServerError)?;
        let began = Instant::now();
        let event = events::authorizer(&self.api, request, matched);
        let answer = invoke::invoke(function, event, timeout(block).min(AUTHORIZER_LIMIT)).await;
        outcome.authorizer_duration = Some(began.elapsed());
        let (context, refusal) = match verdict::of(answer) {
            Verdict::Allowed(context) => (context, None),
            Verdict::Refused(context) => (context, Some(OwnAnswer::Forbidden)),
            Verdict::Failed(reason) => {
                outcome.fault = Some(reason);
                return Err(OwnAnswer::InternalServerError);
            }
        };
        let text = |name: &str| context.get(name).and_then(Value::as_str).map(ToOwned::to_owned);
        outcome.principal = text("keyId");
        outcome.code = text("code");
        refusal.map_or(Ok(context), Err)
    }

    async fn integrate(
        &self,
        request: &Request,
        matched: &Matched<'_>,
        context: Option<Map<String, Value>>,
        outcome: &mut Outcome,
    ) -> Result<Response<Bytes>, OwnAnswer> {
        let (block, function) = self.functions.get(&matched.route.function).ok_or(OwnAnswer::InternalServerError)?;
        let limit = timeout(block).min(INTEGRATION_LIMIT);
        let began = Instant::now();
        let answer = invoke::invoke(function, events::proxy(&self.api, request, matched, context), limit).await;
        outcome.function_duration = Some(began.elapsed());
        let refusal = match &answer {
            // Lambda ending a function in time is an error like any other; only API Gateway's own limit is a 503.
            Err(InvokeError::TimedOut(_)) if limit < timeout(block) => OwnAnswer::ServiceUnavailable,
            _ => OwnAnswer::InternalServerError,
        };
        let answer = answer.map_err(|error| error.to_string()).and_then(|answer| function_answer::response(&answer));
        answer.map_err(|fault| {
            outcome.fault = Some(fault);
            refusal
        })
    }
}
