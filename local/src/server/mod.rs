//! The gateway on a port: HTTP/1.1, one line per request, a clean end.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;

mod log;
#[cfg(test)]
mod tests;

pub use log::LogLine;

use crate::gateway::{BODY_LIMIT, Gateway};

/// How long requests that are running may take once the server is stopped.
const LAST_REQUESTS: Duration = Duration::from_secs(5);
/// How long to wait after the operating system refused a connection, which it does when files run out.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// Receives the line of every request.
pub type Log = Arc<dyn Fn(&LogLine) + Send + Sync>;

/// Serves the gateway until `stop` resolves, then finishes running requests, for five seconds at most.
pub async fn serve(listener: TcpListener, gateway: Arc<Gateway>, log: Log, stop: impl Future<Output = ()>) {
    let running = GracefulShutdown::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        let (stream, peer) = match accepted {
            Ok(connection) => connection,
            Err(error) => {
                tracing::warn!(%error, "a connection was not accepted");
                tokio::time::sleep(ACCEPT_AGAIN).await;
                continue;
            }
        };
        // Answers are small; waiting to fill a packet would add 40 ms to each.
        let _ = stream.set_nodelay(true);
        let (gateway, log) = (gateway.clone(), log.clone());
        let service = service_fn(move |request| answer(gateway.clone(), log.clone(), request, peer.ip()));
        let connection = http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service);
        let connection = running.watch(connection);
        // An error here is a caller that hung up or spoke no HTTP: nothing to answer and nothing to do.
        tokio::spawn(async move {
            let _ = connection.await;
        });
    }
    drop(listener);
    if tokio::time::timeout(LAST_REQUESTS, running.shutdown()).await.is_err() {
        tracing::warn!("requests were still running after {} s and are cut off", LAST_REQUESTS.as_secs());
    }
}

async fn answer(
    gateway: Arc<Gateway>,
    log: Log,
    request: Request<Incoming>,
    source: IpAddr,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let (method, path) = (parts.method.to_string(), parts.uri.path().to_owned());
    let Some(body) = collect(body).await else {
        let mut response = Response::new(Full::default());
        *response.status_mut() = StatusCode::BAD_REQUEST;
        return Ok(response);
    };
    let (response, outcome) = gateway.handle(Request::from_parts(parts, body), source).await;
    log(&LogLine::new(method, path, response.status(), outcome));
    Ok(response.map(Full::new))
}

/// Reads a body, up to just past the limit: that is enough for the gateway to refuse it. `None` if it breaks off.
async fn collect(mut body: Incoming) -> Option<Bytes> {
    let mut read = BytesMut::new();
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame.ok()?.into_data() {
            read.extend_from_slice(&data);
        }
        if read.len() > BODY_LIMIT {
            break;
        }
    }
    Some(read.freeze())
}
