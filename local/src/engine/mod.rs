//! What stands in for AWS: an embedded DynamoDB, Secrets Manager and SNS, in memory or in a data directory.
//!
//! All are reached through the real SDK clients, so that the functions run unchanged. A data directory holds
//! `engine.db`, `secrets.json` with the peppers, and `lock`.

use std::path::Path;

use tokio::net::TcpListener;

mod data_dir;
mod dynamodb;
mod endpoint;
mod error;
mod password;
mod portless;
mod provision;
mod secrets;
mod sns;
#[cfg(test)]
mod tests;

pub use error::EngineError;
pub use portless::Portless;
pub use sns::Published;

use crate::server::accept;
use crate::template::Template;
use data_dir::DataDir;
use dynamodb::DynamoDb;
use endpoint::Endpoint;
use secrets::Secrets;
use sns::Sns;

/// A running engine. It ends when it is stopped or dropped.
pub struct Engine {
    dynamodb: DynamoDb,
    secrets: Secrets,
    sns: Sns,
    /// Kept last, so that the directory is free only when nothing writes to it any more.
    _data_dir: Option<DataDir>,
}

impl Engine {
    /// Starts an engine in memory, or on what `data_dir` holds. Needs a Tokio runtime.
    ///
    /// # Errors
    /// [`EngineError`] if the directory is in use, can't be used, or holds what can't be read.
    pub async fn start(data_dir: Option<&Path>) -> Result<Self, EngineError> {
        let data_dir = data_dir.map(DataDir::open).transpose()?;
        let database = data_dir.as_ref().map(DataDir::database).transpose()?;
        let secrets = Secrets::start(data_dir.as_ref().map(DataDir::secrets)).await?;
        let dynamodb = DynamoDb::start(database.as_deref()).await?;
        Ok(Self { dynamodb, secrets, sns: Sns::default(), _data_dir: data_dir })
    }

    /// A DynamoDB client with the SDK's defaults.
    #[must_use]
    pub fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        aws_sdk_dynamodb::Client::from_conf(self.dynamodb_config().build())
    }

    /// The configuration behind [`Engine::dynamodb`], for a caller that adds retries, timeouts or an interceptor.
    #[must_use]
    pub fn dynamodb_config(&self) -> aws_sdk_dynamodb::config::Builder {
        self.dynamodb.config()
    }

    /// A Secrets Manager client.
    #[must_use]
    pub fn secrets(&self) -> aws_sdk_secretsmanager::Client {
        aws_sdk_secretsmanager::Client::from_conf(self.secrets_config().build())
    }

    /// The configuration behind [`Engine::secrets`].
    #[must_use]
    pub fn secrets_config(&self) -> aws_sdk_secretsmanager::config::Builder {
        self.secrets.config()
    }

    /// An SNS client.
    #[must_use]
    pub fn sns(&self) -> aws_sdk_sns::Client {
        aws_sdk_sns::Client::from_conf(self.sns_config().build())
    }

    /// The configuration behind [`Engine::sns`].
    #[must_use]
    pub fn sns_config(&self) -> aws_sdk_sns::config::Builder {
        self.sns.config()
    }

    /// Has `listener` told of everything that is published from now on.
    pub fn listen(&self, listener: impl Fn(&Published) + Send + Sync + 'static) {
        self.sns.listen(listener);
    }

    /// Makes the template's tables, secrets and topics where they don't exist.
    ///
    /// # Errors
    /// [`EngineError`] if the engine refuses a block, a kept table differs, or a secret can't be made or kept.
    pub async fn provision(&self, template: &Template) -> Result<(), EngineError> {
        provision::all(template, &self.dynamodb(), &self.secrets()).await?;
        self.sns.provision(template);
        // Without its peppers a kept table is worthless, so a start that can't keep them must fail.
        self.secrets.failure().map_or(Ok(()), Err)
    }

    /// Serves all services on one port, for other processes, until `stop` resolves.
    pub async fn serve(&self, listener: TcpListener, stop: impl Future<Output = ()>) {
        let endpoint = Endpoint::new(self.dynamodb.address(), self.secrets.service(), self.sns.clone());
        accept(listener, move |request, _| endpoint.clone().answer(request), stop).await;
    }

    /// Stops the engine and waits up to five seconds for calls that are running.
    pub async fn stop(self) {
        self.dynamodb.stop().await;
    }
}
