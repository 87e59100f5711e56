//! Secrets Manager in process, kept in a file if there is a data directory.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_secretsmanager::config::{BehaviorVersion, Region};
use bytes::Bytes;
use http::{HeaderMap, Method, Response, StatusCode};
use serde_json::Value;
use winterbaume_core::{MockAws, MockRequest, MockService, StatefulService, default_account_id};
use winterbaume_secretsmanager::{SecretsManagerService, SecretsmanagerStateView};

use super::{EngineError, data_dir};
use crate::template::REGION;

/// The emulated service, and how it is kept.
pub(super) struct Secrets {
    service: Arc<SecretsManagerService>,
    aws: MockAws,
    keeper: Option<Arc<Keeper>>,
}

impl Secrets {
    /// Starts with the secrets of `file`, if there is one, and writes every later change to it.
    pub(super) async fn start(file: Option<PathBuf>) -> Result<Self, EngineError> {
        let service = Arc::new(SecretsManagerService::new());
        let keeper = match file {
            Some(path) => {
                let kept = read(&path)?;
                if let Some(view) = kept {
                    // Restoring in memory has no way to fail in this service.
                    let _ = service.restore(default_account_id(), REGION, view).await;
                }
                Some(Arc::new(Keeper { path, state: Mutex::new(Kept { content: Value::Null, failure: None }) }))
            }
            None => None,
        };
        if let Some(keeper) = keeper.clone() {
            service.notifier().subscribe(move |_, _, view| keeper.keep(view));
        }
        let aws = MockAws::builder().with_service(Arc::clone(&service)).build();
        Ok(Self { service, aws, keeper })
    }

    /// A client configuration for this service; the caller may add to it.
    pub(super) fn config(&self) -> aws_sdk_secretsmanager::config::Builder {
        aws_sdk_secretsmanager::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(REGION))
            .credentials_provider(self.aws.credentials_provider())
            .http_client(self.aws.http_client())
    }

    /// The service itself, for an endpoint over HTTP.
    pub(super) fn service(&self) -> Arc<SecretsManagerService> {
        Arc::clone(&self.service)
    }

    /// What the service answers to one call.
    pub(super) async fn answer(&self, method: Method, headers: HeaderMap, body: Bytes) -> Response<Bytes> {
        answer(&self.service, method, headers, body).await
    }

    /// The error of the last attempt to keep the secrets, once.
    pub(super) fn failure(&self) -> Option<EngineError> {
        let keeper = self.keeper.as_ref()?;
        keeper.state.lock().unwrap_or_else(PoisonError::into_inner).failure.take()
    }
}

/// What `service` answers to one call over HTTP.
pub(super) async fn answer(service: &SecretsManagerService, method: Method, headers: HeaderMap, body: Bytes) -> Response<Bytes> {
    let uri = format!("https://secretsmanager.{REGION}.amazonaws.com/");
    let answer = service.handle(MockRequest { method: method.to_string(), uri, headers, body }).await;
    let mut response = Response::new(answer.body);
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::BAD_GATEWAY);
    *response.headers_mut() = answer.headers;
    response
}

fn read(path: &Path) -> Result<Option<SecretsmanagerStateView>, EngineError> {
    let text = match std::fs::read(path) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(data_dir::failed(path, source)),
    };
    serde_json::from_slice(&text).map(Some).map_err(|source| EngineError::Secrets { path: path.to_owned(), source })
}

/// Writes the secrets whenever they have changed.
struct Keeper {
    path: PathBuf,
    state: Mutex<Kept>,
}

struct Kept {
    /// What the file holds as far as this process knows.
    content: Value,
    failure: Option<EngineError>,
}

impl Keeper {
    fn keep(&self, view: &SecretsmanagerStateView) {
        let Ok(content) = serde_json::to_value(view) else {
            return;
        };
        let mut kept = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        // The service reports after reads too.
        if kept.content == content {
            return;
        }
        match data_dir::replace(&self.path, content.to_string().as_bytes()) {
            Ok(()) => kept.content = content,
            Err(error) => {
                tracing::error!(error = %error, "the secrets were not kept: keys issued now are lost at the next start");
                kept.failure = Some(error);
            }
        }
    }
}
