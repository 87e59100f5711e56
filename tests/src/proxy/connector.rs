//! The proxy as the SDK's connector: no sockets, so that time can stand still.

use std::{
    fmt, io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use aws_sdk_dynamodb::config::{SharedHttpClient, http::HttpRequest};
use aws_smithy_runtime_api::client::{
    http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn},
    orchestrator::HttpResponse,
    result::ConnectorError,
};
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use fastrand::Rng;
use http_body_util::StreamBody;
use hyper::body::Frame;

use super::{Call, Delivery, Proxy, Reply};

/// The way of one SDK client to the engine. Its dice are its own: what others do doesn't change its luck.
#[derive(Clone)]
pub struct Connector(Arc<Inner>);

struct Inner {
    proxy: Proxy,
    dice: Mutex<Rng>,
    errand: Arc<AtomicU64>,
}

impl Connector {
    /// A connector through `proxy`; `errand` names what its client is doing at any time.
    #[must_use]
    pub fn new(proxy: &Proxy, dice: Rng, errand: &Arc<AtomicU64>) -> Self {
        Self(Arc::new(Inner { proxy: proxy.clone(), dice: Mutex::new(dice), errand: Arc::clone(errand) }))
    }

    /// For a client's configuration.
    #[must_use]
    pub fn client(self) -> SharedHttpClient {
        let connector = SharedHttpConnector::new(self);
        http_client_fn(move |_, _| connector.clone())
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connector")
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body = request.body().bytes().map(Bytes::copy_from_slice).unwrap_or_default();
        let headers = request.try_into_http1x().map(|request| request.into_parts().0.headers).unwrap_or_default();
        let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
        let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
        let errand = self.0.errand.load(Ordering::SeqCst);
        let inner = Arc::clone(&self.0);
        HttpConnectorFuture::new(async move {
            let call = Call { operation, headers, body, errand };
            match inner.proxy.carry(call, &inner.dice).await {
                Delivery::Whole(reply) => Ok(HttpResponse::new(reply.status.into(), SdkBody::from(reply.body))),
                Delivery::Torn(reply) => Ok(HttpResponse::new(reply.status.into(), torn(&reply))),
                Delivery::Closed => Err(ConnectorError::io("the connection was closed".into())),
                Delivery::Silence => std::future::pending().await,
            }
        })
    }
}

/// Half of a body, and then the end of the connection.
fn torn(reply: &Reply) -> SdkBody {
    let half = reply.body.slice(..reply.body.len() / 2);
    let closed = Err(io::Error::from(io::ErrorKind::ConnectionReset));
    SdkBody::from_body_1_x(StreamBody::new(futures_util::stream::iter([Ok(Frame::data(half)), closed])))
}
