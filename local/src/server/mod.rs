//! An API on a port: HTTP/1.1, one line per request, a clean end. In front of it, a page that shows the API.

use std::net::IpAddr;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use shared::redact::redact;
use tokio::net::TcpListener;

mod accept;
pub mod docs;
mod log;
#[cfg(test)]
mod tests;

pub(crate) use accept::accept;
pub use log::LogLine;

use crate::gateway::{Api, BODY_LIMIT};

/// Receives the line of every request.
pub type Log = Arc<dyn Fn(&LogLine) + Send + Sync>;

/// Serves an API until `stop` resolves, then finishes running requests, for five seconds at most.
pub async fn serve<A: Api>(listener: TcpListener, api: Arc<A>, log: Log, stop: impl Future<Output = ()>) {
    let answer = move |request, source| answer(Arc::clone(&api), Arc::clone(&log), request, source);
    accept(listener, answer, stop).await;
}

async fn answer<A: Api>(api: Arc<A>, log: Log, request: Request<Incoming>, source: IpAddr) -> Response<Full<Bytes>> {
    let (parts, body) = request.into_parts();
    if let Some(page) = docs::answer(&parts.method, parts.uri.path()) {
        return page.map(Full::new);
    }
    let (method, path) = (parts.method.to_string(), parts.uri.path().to_owned());
    let Some(body) = collect(body, BODY_LIMIT).await else {
        let mut response = Response::new(Full::default());
        *response.status_mut() = StatusCode::BAD_REQUEST;
        return response;
    };
    let (response, outcome) = api.handle(Request::from_parts(parts, body), source).await;
    let path = redact(&path, api.import_prefixes()).into_owned();
    log(&LogLine::new(method, path, response.status(), outcome));
    response.map(Full::new)
}

/// Reads a body, up to just past `limit`: that is enough to refuse it. `None` if it breaks off.
pub(crate) async fn collect(mut body: Incoming, limit: usize) -> Option<Bytes> {
    let mut read = BytesMut::new();
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame.ok()?.into_data() {
            read.extend_from_slice(&data);
        }
        if read.len() > limit {
            break;
        }
    }
    Some(read.freeze())
}
