//! A function as Lambda calls it: JSON in, JSON or an error's message out. Local runs and tests call it the same way.

use std::{fmt, future::Future, sync::Arc};

use lambda_http::{Adapter, Body, Request, request::LambdaRequest};
use lambda_runtime::{Context, Diagnostic, LambdaEvent, Service as _, service_fn};
use serde_json::Value;
use tokio::signal::unix::{SignalKind, signal};

use crate::telemetry::report;

/// A Lambda function.
pub trait Function: Send + Sync + 'static {
    /// Answers one event.
    ///
    /// # Errors
    /// [`Failure`], whose text becomes the invocation's `errorMessage`.
    fn call(&self, event: Value) -> impl Future<Output = Result<Value, Failure>> + Send;
}

/// An invocation that failed, in words that may be read by whoever invoked the function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure(pub &'static str);

impl Failure {
    /// For an authorizer, the one text that API Gateway turns into a 401.
    pub const UNAUTHORIZED: Self = Self("Unauthorized");
    /// Anything of ours that went wrong; what it was is in the log.
    pub const INTERNAL: Self = Self("Internal error");
    /// An event that this function doesn't understand.
    pub const BAD_EVENT: Self = Self("Event not understood");
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Failure {}

impl From<Failure> for Diagnostic {
    fn from(failure: Failure) -> Self {
        Self { error_type: "Failure".to_owned(), error_message: failure.0.to_owned() }
    }
}

/// Serves `function` to Lambda until the sandbox ends.
///
/// # Errors
/// Those of the runtime.
pub async fn run(function: impl Function) -> Result<(), lambda_runtime::Error> {
    let function = Arc::new(function);
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| {
        let function = Arc::clone(&function);
        async move { report::within(event.context.request_id, function.call(event.payload)).await }
    }))
    .await
}

/// Does `work` when Lambda ends the sandbox, which it announces to functions that have an extension.
pub fn at_end(work: impl Future<Output = ()> + Send + 'static) {
    tokio::spawn(async move {
        match signal(SignalKind::terminate()) {
            Ok(mut terminated) => {
                terminated.recv().await;
                work.await;
                // Whoever asks to be told of the signal isn't ended by it any more.
                std::process::exit(0);
            }
            Err(error) => tracing::warn!(%error, "nothing will be done at the end"),
        }
    });
}

/// Answers an API Gateway event of either version through an HTTP `handler`.
///
/// # Errors
/// [`Failure::BAD_EVENT`] if it isn't such an event.
pub async fn http<H, F>(mut event: Value, handler: H) -> Result<Value, Failure>
where
    H: Fn(Request) -> F + Send,
    F: Future<Output = http::Response<Body>> + Send,
{
    keep_all_header_lines(&mut event);
    let request: LambdaRequest = serde_json::from_value(event).map_err(|_| Failure::BAD_EVENT)?;
    let mut adapter = Adapter::from(service_fn(|request| {
        let response = handler(request);
        async { Ok::<_, Failure>(response.await) }
    }));
    let response = adapter.call(LambdaEvent::new(request, Context::default())).await?;
    serde_json::to_value(response).map_err(|_| Failure::INTERNAL)
}

/// A REST API's event has each header twice: all its lines in one map, its last line in another. `lambda_http` lets the
/// second replace the first, so of a header that was sent in several lines it would show the last one only.
fn keep_all_header_lines(event: &mut Value) {
    let lines = event.get("multiValueHeaders").and_then(Value::as_object);
    let names: Vec<String> = lines.into_iter().flat_map(|lines| lines.keys().cloned()).collect();
    if let Some(last) = event.get_mut("headers").and_then(Value::as_object_mut) {
        last.retain(|name, _| !names.iter().any(|known| known.eq_ignore_ascii_case(name)));
    }
}
