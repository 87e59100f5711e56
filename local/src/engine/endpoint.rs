//! All services on one port, for processes that know them by `AWS_ENDPOINT_URL`.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response, StatusCode, Uri, header};
use http_body_util::Full;
use hyper::body::Incoming;
use winterbaume_secretsmanager::SecretsManagerService;

use super::{secrets, sns::Sns};
use crate::client::Client;
use crate::server::collect;

/// The largest request that DynamoDB takes, in bytes.
const LARGEST: usize = 16 * 1024 * 1024;

/// Where requests go on to.
#[derive(Clone)]
pub(super) struct Endpoint {
    dynamodb: SocketAddr,
    secrets: Arc<SecretsManagerService>,
    sns: Sns,
    client: Client,
}

impl Endpoint {
    pub(super) fn new(dynamodb: SocketAddr, secrets: Arc<SecretsManagerService>, sns: Sns) -> Self {
        Self { dynamodb, secrets, sns, client: Client::new() }
    }

    /// The service is the one that the SDK names in its target header; calls of SNS have none, and are forms.
    pub(super) async fn answer(self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (parts, body) = request.into_parts();
        let Some(body) = collect(body, LARGEST).await else { return failed(StatusCode::BAD_REQUEST) };
        let named = |name| parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if named(header::CONTENT_TYPE.as_str()).starts_with("application/x-www-form-urlencoded") {
            let (status, body) = self.sns.answer(&body);
            let mut response = Response::new(Full::from(body));
            *response.status_mut() = status;
            return response;
        }
        let target = named("x-amz-target");
        if target.starts_with("secretsmanager.") {
            return secrets::answer(&self.secrets, parts.method, parts.headers, body).await.map(Full::new);
        }
        self.forward(parts, body).await.unwrap_or_else(|reason| {
            tracing::error!(reason, "the embedded DynamoDB did not answer");
            failed(StatusCode::BAD_GATEWAY)
        })
    }

    async fn forward(&self, mut parts: http::request::Parts, body: Bytes) -> Result<Response<Full<Bytes>>, String> {
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        parts.uri = format!("http://{}{path}", self.dynamodb).parse::<Uri>().map_err(|error| error.to_string())?;
        let response = self.client.send(Request::from_parts(parts, body)).await?;
        Ok(response.map(Full::new))
    }
}

fn failed(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}
