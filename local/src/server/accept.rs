//! Serving HTTP/1.1 until told to stop.

use std::convert::Infallible;
use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;

/// How long requests that are running may take once the server is stopped.
const LAST_REQUESTS: Duration = Duration::from_secs(5);
/// How long to wait after the operating system refused a connection, which it does when files run out.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// Answers every request until `stop` resolves, then finishes running ones, for five seconds at most.
pub(crate) async fn accept<A, F>(listener: TcpListener, answer: A, stop: impl Future<Output = ()>)
where
    A: Fn(Request<Incoming>, IpAddr) -> F + Clone + Send + 'static,
    F: Future<Output = Response<Full<Bytes>>> + Send,
{
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
        let answer = answer.clone();
        let service = service_fn(move |request| {
            let response = answer(request, peer.ip());
            async { Ok::<_, Infallible>(response.await) }
        });
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
