//! A protected API to try keys on: echoes the request, and what the authorizer says of the key.

use lambda_http::{Request, RequestExt, request::RequestContext};
use serde_json::{Map, Value, json};
use shared::{
    config::HttpConfig,
    host::Host,
    http::{Reply, Responder},
    lambda::{Failure, Function},
};

/// What the function is told by its environment.
pub type Config = HttpConfig;

/// The function.
pub struct Example {
    responder: Responder,
}

impl Example {
    /// The function; it needs no client.
    #[must_use]
    pub fn new(config: Config, host: Host) -> Self {
        Self { responder: Responder::new(config, host) }
    }
}

impl Function for Example {
    async fn call(&self, event: Value) -> Result<Value, Failure> {
        self.responder.answer(event, async |request| Ok(Reply::ok(echo(&request)))).await
    }
}

/// Method, path and key, and no header: the caller's headers hold the key.
fn echo(request: &Request) -> Value {
    let context = request.request_context_ref().and_then(RequestContext::authorizer);
    let key: Map<String, Value> = context.map(|authorizer| authorizer.fields.clone().into_iter().collect()).unwrap_or_default();
    json!({ "method": request.method().as_str(), "path": request.raw_http_path(), "key": key })
}
