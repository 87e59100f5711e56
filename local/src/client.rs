//! A client for other servers on this machine.

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::{Client as Hyper, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;

/// Sends requests over HTTP and keeps connections open.
#[derive(Clone)]
pub(crate) struct Client(Hyper<HttpConnector, Full<Bytes>>);

impl Client {
    pub(crate) fn new() -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Self(Hyper::builder(TokioExecutor::new()).build(connector))
    }

    /// The whole response, or in words why there is none.
    pub(crate) async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, String> {
        let response = self.0.request(request.map(Full::new)).await.map_err(|error| reason(&error))?;
        let (parts, body) = response.into_parts();
        let body = body.collect().await.map_err(|error| reason(&error))?;
        Ok(Response::from_parts(parts, body.to_bytes()))
    }
}

/// The innermost reason, such as `Connection refused`: the outer ones say only that something failed.
fn reason(error: &dyn std::error::Error) -> String {
    std::iter::successors(Some(error), |error| error.source()).last().map(ToString::to_string).unwrap_or_default()
}
