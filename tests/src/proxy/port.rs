//! The proxy on a port of 127.0.0.1, for functions that run as processes of their own.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use fastrand::Rng;
use futures_util::stream;
use http::{Request, Response, header};
use http_body_util::{BodyExt, Either, Full, StreamBody};
use hyper::body::{Frame, Incoming};

use super::{Call, Delivery, Proxy, Reply};
use crate::http_server::{Hangup, HttpServer};

/// How long a caller that gets no answer is kept waiting: longer than any of them waits.
const SILENCE: Duration = Duration::from_secs(60);

/// A port, open as long as this lives.
pub struct Port(HttpServer);

type Body = Either<Full<Bytes>, StreamBody<stream::Iter<std::array::IntoIter<Result<Frame<Bytes>, io::Error>, 2>>>>;

impl Port {
    /// Opens one.
    ///
    /// # Panics
    /// If there is no free port.
    pub async fn open(proxy: &Proxy, dice: Rng) -> Self {
        let (proxy, dice) = (proxy.clone(), Arc::new(Mutex::new(dice)));
        Self(HttpServer::start(move |request| carry(proxy.clone(), Arc::clone(&dice), request)).await)
    }

    /// Where.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.0.address()
    }
}

async fn carry(proxy: Proxy, dice: Arc<Mutex<Rng>>, request: Request<Incoming>) -> Result<Response<Body>, Hangup> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Hangup)?.to_bytes();
    let target = parts.headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    let operation = match target.rsplit('.').next() {
        Some(operation) if !operation.is_empty() => operation.to_owned(),
        // Calls of SNS have none, and functions make no other than this.
        _ => "Publish".to_owned(),
    };
    match proxy.carry(Call { operation, headers: parts.headers, body, errand: 0 }, &dice).await {
        Delivery::Whole(reply) => Ok(respond(&reply, Either::Left(Full::new(reply.body.clone())))),
        Delivery::Torn(reply) => {
            let half = reply.body.slice(..reply.body.len() / 2);
            let closed = Err(io::Error::from(io::ErrorKind::ConnectionReset));
            Ok(respond(&reply, Either::Right(StreamBody::new(stream::iter([Ok(Frame::data(half)), closed])))))
        }
        Delivery::Closed => Err(Hangup),
        Delivery::Silence => {
            tokio::time::sleep(SILENCE).await;
            Err(Hangup)
        }
    }
}

fn respond(reply: &Reply, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = reply.status;
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/x-amz-json-1.0"));
    response.headers_mut().insert(header::CONTENT_LENGTH, reply.body.len().into());
    response
}
