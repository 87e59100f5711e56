//! The same engine without a port: it is called in this process, and no call takes any time of Tokio's clock.
//!
//! For tests that stand between the SDK and the engine, and stop that clock to let it jump from one event to the next.

use std::fmt;

use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region, http::HttpRequest};
use aws_smithy_runtime_api::client::{
    http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn},
    orchestrator::HttpResponse,
};
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use dynoxide::{Database, DynoxideError};
use http::{HeaderMap, StatusCode};
use serde::{Serialize, de::DeserializeOwned};

use super::{EngineError, Published, provision, secrets::Secrets, sns::Sns};
use crate::template::{REGION, Template};

/// An engine in memory that no port leads to.
pub struct Portless {
    database: Database,
    secrets: Secrets,
    sns: Sns,
}

impl Portless {
    /// An engine with the template's tables, secrets and topics.
    ///
    /// # Errors
    /// [`EngineError`] if it can't be had, or refuses a block.
    pub async fn start(template: &Template) -> Result<Self, EngineError> {
        let database = Database::memory().map_err(|error| EngineError::Database(error.to_string()))?;
        let engine = Self { database, secrets: Secrets::start(None).await?, sns: Sns::default() };
        provision::all(template, &engine.dynamodb(), &engine.secrets()).await?;
        engine.sns.provision(template);
        Ok(engine)
    }

    /// A DynamoDB client with the SDK's defaults.
    #[must_use]
    pub fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        let connector = SharedHttpConnector::new(Direct(self.database.clone()));
        let config = Self::dynamodb_config().http_client(http_client_fn(move |_, _| connector.clone()));
        aws_sdk_dynamodb::Client::from_conf(config.build())
    }

    /// A configuration for a DynamoDB client whose connector is the caller's.
    #[must_use]
    pub fn dynamodb_config() -> aws_sdk_dynamodb::config::Builder {
        aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(REGION))
            .credentials_provider(Credentials::for_tests())
    }

    /// A Secrets Manager client.
    #[must_use]
    pub fn secrets(&self) -> aws_sdk_secretsmanager::Client {
        aws_sdk_secretsmanager::Client::from_conf(self.secrets_config().build())
    }

    /// The configuration behind [`Portless::secrets`].
    #[must_use]
    pub fn secrets_config(&self) -> aws_sdk_secretsmanager::config::Builder {
        self.secrets.config()
    }

    /// What DynamoDB answers to one call, before this returns.
    #[must_use]
    pub fn dynamodb_answer(&self, operation: &str, body: &[u8]) -> (StatusCode, String) {
        answer(&self.database, operation, body)
    }

    /// What Secrets Manager answers to one call.
    pub async fn secrets_answer(&self, headers: HeaderMap, body: Bytes) -> (StatusCode, Bytes) {
        let answer = self.secrets.answer(http::Method::POST, headers, body).await;
        (answer.status(), answer.into_body())
    }

    /// A configuration for an SNS client.
    #[must_use]
    pub fn sns_config(&self) -> aws_sdk_sns::config::Builder {
        self.sns.config()
    }

    /// What SNS answers to one call, before this returns.
    #[must_use]
    pub fn sns_answer(&self, body: &[u8]) -> (StatusCode, String) {
        self.sns.answer(body)
    }

    /// Has `listener` told of everything that is published from now on.
    pub fn listen(&self, listener: impl Fn(&Published) + Send + Sync + 'static) {
        self.sns.listen(listener);
    }
}

struct Direct(Database);

impl fmt::Debug for Direct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Direct")
    }
}

impl HttpConnector for Direct {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let operation = request.headers().get("x-amz-target").and_then(|target| target.rsplit('.').next()).unwrap_or_default();
        let (status, body) = answer(&self.0, operation, request.body().bytes().unwrap_or_default());
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status.into(), SdkBody::from(body))))
    }
}

fn answer(database: &Database, operation: &str, body: &[u8]) -> (StatusCode, String) {
    match run(database, operation, body) {
        Ok(body) => (StatusCode::OK, body),
        Err(error) => (StatusCode::from_u16(error.status_code()).unwrap_or(StatusCode::BAD_REQUEST), error.to_json()),
    }
}

/// These operations are all that tables need to be made, used and looked at.
fn run(database: &Database, operation: &str, body: &[u8]) -> dynoxide::Result<String> {
    match operation {
        "CreateTable" => call(body, |request| database.create_table(request)),
        "DescribeTable" => call(body, |request| database.describe_table(request)),
        "UpdateTimeToLive" => call(body, |request| database.update_time_to_live(request)),
        "GetItem" => call(body, |request| database.get_item(request)),
        "PutItem" => call(body, |request| database.put_item(request)),
        "UpdateItem" => call(body, |request| database.update_item(request)),
        "DeleteItem" => call(body, |request| database.delete_item(request)),
        "Query" => call(body, |request| database.query(request)),
        "Scan" => call(body, |request| database.scan(request)),
        "ExecuteStatement" => call(body, |request| database.execute_statement(request)),
        "BatchExecuteStatement" => call(body, |request| database.batch_execute_statement(request)),
        "TransactWriteItems" => call(body, |request| database.transact_write_items(request)),
        _ => Err(DynoxideError::ValidationException(format!("the portless engine knows no {operation}"))),
    }
}

fn call<Q: DeserializeOwned, A: Serialize>(body: &[u8], run: impl FnOnce(Q) -> dynoxide::Result<A>) -> dynoxide::Result<String> {
    let request = serde_json::from_slice(body).map_err(|error| DynoxideError::ValidationException(error.to_string()))?;
    serde_json::to_string(&run(request)?).map_err(|error| DynoxideError::InternalServerError(error.to_string()))
}
