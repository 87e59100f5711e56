//! A protected API to try keys on: echoes the request, and what the authorizer says of the key.

use http::StatusCode;
use lambda_http::{Request, RequestExt, request::RequestContext};
use serde_json::{Map, Value, json};
use shared::{
    http as api,
    lambda::{self, Failure, Function},
};

/// The function.
pub struct Example;

impl Function for Example {
    async fn call(&self, event: Value) -> Result<Value, Failure> {
        lambda::http(event, async |request| api::respond(Ok((StatusCode::OK, echo(&request))))).await
    }
}

/// Method, path and key, and no header: the caller's headers hold the key.
fn echo(request: &Request) -> Value {
    let context = request.request_context_ref().and_then(RequestContext::authorizer);
    let key: Map<String, Value> = context.map(|authorizer| authorizer.fields.clone().into_iter().collect()).unwrap_or_default();
    json!({ "method": request.method().as_str(), "path": request.raw_http_path(), "key": key })
}
