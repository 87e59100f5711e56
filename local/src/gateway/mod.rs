//! API Gateway, for one stage of one REST API: route, authorizer, API key, function, gateway responses. What an HTTP API
//! does otherwise is in `http_api`.
//!
//! Only what differs visibly between a template that works on AWS and one that doesn't is emulated. Account limits,
//! caching, request validation and binary media types are not.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderValue, Response};
use shared::imported::ImportPrefixes;

use crate::Invoke;
use crate::template::{ApiKeySource, Template};

mod answer;
mod events;
mod functions;
mod http_api;
mod invoke;
mod moment;
mod outcome;
pub mod policy;
mod preflight;
mod request;
mod response_type;
mod responses;
pub mod routes;
#[cfg(test)]
mod tests;
mod variables;
mod verdict;

pub use http_api::{HttpGateway, OwnAnswer};
pub use outcome::Outcome;
pub use response_type::ResponseType;

use functions::{Functions, timeout};
use invoke::InvokeError;
use request::Request;
use variables::Variables;
use verdict::{Caller, Verdict};

/// The largest request body, in bytes: 10 MiB.
pub const BODY_LIMIT: usize = 10 * 1024 * 1024;
/// How long API Gateway waits for an integration, whatever the function's own timeout.
const INTEGRATION_LIMIT: Duration = Duration::from_secs(29);

/// Why a gateway can't serve a template.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// A function block's binary wasn't handed in.
    #[error(
        "the template's function {function} runs the binary {binary:?}, which this build doesn't have; add it to the local functions"
    )]
    MissingFunction {
        /// The function's logical id.
        function: String,
        /// Its binary.
        binary: String,
    },
}

/// An API that can be put on a port.
pub trait Api: Send + Sync + 'static {
    /// Answers one request as the deployed API would.
    fn handle(&self, request: http::Request<Bytes>, source: IpAddr) -> impl Future<Output = (Response<Bytes>, Outcome)> + Send;

    /// What secrets begin with that the template accepts from elsewhere.
    fn import_prefixes(&self) -> &ImportPrefixes;
}

/// The API of a template in front of its functions.
pub struct Gateway {
    functions: Functions,
}

impl Api for Gateway {
    async fn handle(&self, request: http::Request<Bytes>, source: IpAddr) -> (Response<Bytes>, Outcome) {
        Self::handle(self, request, source).await
    }

    fn import_prefixes(&self) -> &ImportPrefixes {
        &self.functions.import_prefixes
    }
}

impl Gateway {
    /// Puts a template's API in front of functions, which are given by the names of their binaries.
    ///
    /// # Errors
    /// [`GatewayError::MissingFunction`] if a function block's binary isn't among them.
    pub fn new(template: impl Into<Arc<Template>>, functions: BTreeMap<String, Invoke>) -> Result<Self, GatewayError> {
        Ok(Self { functions: Functions::new(template.into(), functions)? })
    }

    /// Answers one request as the deployed API would.
    pub async fn handle(&self, request: http::Request<Bytes>, source: IpAddr) -> (Response<Bytes>, Outcome) {
        let began = Instant::now();
        let (parts, body) = request.into_parts();
        let mut request = Request::new(&self.functions.template, &parts, body, source);
        let mut outcome = Outcome::default();
        let mut caller = None;
        let mut response = match self.pass(&mut request, &mut caller, &mut outcome).await {
            Ok(response) => response,
            Err(refusal) => {
                outcome.gateway_response = Some(refusal);
                responses::build(&Variables { request: &request, response: refusal, caller: caller.as_ref() })
            }
        };
        if let Ok(id) = HeaderValue::from_str(&request.id) {
            response.headers_mut().insert("x-amzn-requestid", id);
        }
        outcome.duration = began.elapsed();
        (response, outcome)
    }

    /// Every step in API Gateway's order; the first that fails names the gateway response.
    async fn pass<'a>(
        &'a self,
        request: &mut Request<'a>,
        caller: &mut Option<Caller>,
        outcome: &mut Outcome,
    ) -> Result<Response<Bytes>, ResponseType> {
        if request.body.len() > BODY_LIMIT {
            return Err(ResponseType::RequestTooLarge);
        }
        let cors = self.functions.template.cors.as_ref();
        if let Some(answer) =
            cors.and_then(|cors| preflight::answer(cors, &self.functions.template.routes, &request.method, &request.path))
        {
            return Ok(answer);
        }
        let matched = routes::find(&self.functions.template.routes, &request.method, &request.path);
        let matched = matched.ok_or(ResponseType::MissingAuthenticationToken)?;
        let route = matched.route;
        request.route = Some(route);
        request.path_parameters = matched.path_parameters;
        outcome.route = Some(format!("{} {}", route.method, route.path));
        outcome.function = self.functions.get(&route.function).map(|(block, _)| block.binary.clone());

        if route.authorized {
            self.authorize(request, caller, outcome).await?;
        }
        if route.api_key_required && !self.has_known_api_key(request, caller.as_ref()) {
            return Err(ResponseType::InvalidApiKey);
        }
        self.integrate(request, caller.as_ref(), outcome).await
    }

    async fn authorize(
        &self,
        request: &Request<'_>,
        caller: &mut Option<Caller>,
        outcome: &mut Outcome,
    ) -> Result<(), ResponseType> {
        let block = self.functions.template.authorizer.as_ref();
        let function = block.and_then(|block| self.functions.get(&block.function));
        let (block, function) = function.ok_or(ResponseType::AuthorizerConfigurationError)?;
        let began = Instant::now();
        let answer = invoke::invoke(function, events::authorizer(request), timeout(block)).await;
        outcome.authorizer_duration = Some(began.elapsed());
        let (known, refusal) = match verdict::of(answer, &events::method_arn(request)) {
            Verdict::Allowed(known) => (known, None),
            Verdict::Denied { caller, explicit } => (caller, Some(ResponseType::AccessDenied { explicit })),
            Verdict::Failed { response, reason } => {
                // A 401 is the authorizer's answer, not its fault.
                outcome.fault = (response != ResponseType::Unauthorized).then_some(reason);
                return Err(response);
            }
        };
        outcome.principal = Some(known.principal_id.clone());
        outcome.code = known.context.get("code").cloned();
        *caller = Some(known);
        refusal.map_or(Ok(()), Err)
    }

    fn has_known_api_key(&self, request: &Request<'_>, caller: Option<&Caller>) -> bool {
        let key = match self.functions.template.api_key_source {
            ApiKeySource::Authorizer => caller.and_then(|caller| caller.usage_key.as_deref()),
            ApiKeySource::Header => request.header("x-api-key"),
        };
        key.is_some_and(|key| self.functions.template.usage_keys.iter().any(|known| known == key))
    }

    async fn integrate(
        &self,
        request: &Request<'_>,
        caller: Option<&Caller>,
        outcome: &mut Outcome,
    ) -> Result<Response<Bytes>, ResponseType> {
        let function = request.route.and_then(|route| self.functions.get(&route.function));
        let (block, function) = function.ok_or(ResponseType::FunctionError)?;
        let limit = timeout(block).min(INTEGRATION_LIMIT);
        let began = Instant::now();
        let answer = invoke::invoke(function, events::proxy(request, caller), limit).await;
        outcome.function_duration = Some(began.elapsed());
        let refusal = match &answer {
            // Lambda ending a function in time is an error like any other; only API Gateway's own limit is a 504.
            Err(InvokeError::TimedOut(_)) if limit < timeout(block) => ResponseType::IntegrationTimeout,
            _ => ResponseType::FunctionError,
        };
        let answer = answer.map_err(|error| error.to_string()).and_then(|answer| answer::response(&answer));
        answer.map_err(|fault| {
            outcome.fault = Some(fault);
            refusal
        })
    }
}
