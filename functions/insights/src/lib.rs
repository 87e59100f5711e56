//! What was done with keys, and what could be: usage, audit, dry runs and advice, and what a key may know of itself. It reads, and
//! changes nothing. It also shows the description of the API, to everybody.

use lambda_http::Request;
use shared::{
    audit::copies::Copies,
    change::no_such_key,
    config::{self, ConfigError, HttpConfig, Lookup},
    error::Error,
    host::Host,
    http::{self as api, Answer, File, Reply, Responder},
    id::KeyId,
    lambda::{Failure, Function},
    record::Record,
    store::{Store, Tables, about::About},
    telemetry,
};

mod advice;
mod audit;
mod billing;
mod check;
mod description;
mod own;
mod size;
mod table;
mod usage;

pub use audit::AUDITED;
pub use billing::BILLED;
pub use check::LONGEST_PATH;
pub use description::DESCRIPTION;

/// What the function is told by its environment.
#[derive(Clone, Debug)]
pub struct Config {
    /// `KEYS_TABLE`, `USAGE_TABLE` and `AUDIT_TABLE`.
    pub tables: Tables,
    /// `USAGE_RETENTION_DAYS`, in seconds.
    pub usage_retention_seconds: u64,
    /// `RETENTION_DAYS`: how long an ended key's items stay, in seconds.
    pub retention_seconds: u64,
    /// What the audit table has of attempts, and for how long it has everything.
    pub copies: Copies,
    /// Answers over HTTP.
    pub http: HttpConfig,
}

impl Config {
    /// Reads it.
    ///
    /// # Errors
    /// [`ConfigError`] that names the first variable that is missing or wrong.
    pub fn read(lookup: Lookup<'_>) -> Result<Self, ConfigError> {
        Ok(Self {
            tables: config::tables(lookup)?,
            usage_retention_seconds: config::days(lookup, "USAGE_RETENTION_DAYS")?,
            retention_seconds: config::days(lookup, "RETENTION_DAYS")?,
            copies: Copies::read(lookup)?,
            http: HttpConfig::read(lookup)?,
        })
    }
}

/// The function.
pub struct Insights {
    store: Store,
    host: Host,
    responder: Responder,
    description: File,
    config: Config,
}

impl Insights {
    /// The function with this client.
    #[must_use]
    pub fn new(config: Config, dynamodb: aws_sdk_dynamodb::Client, host: Host) -> Self {
        let store = Store::new(dynamodb, config.tables.clone());
        let responder = Responder::new(config.http.clone(), host.clone());
        Self { store, responder, description: description::file(), host, config }
    }

    /// Opens the connection, in the time that Lambda gives to a starting instance. What fails is tried again by the first request.
    pub async fn warm(&self) {
        telemetry::warmed(self.store.fingerprints().await.map(|_| ()));
    }

    async fn route(&self, request: Request) -> Answer {
        let (method, resource) = api::route(&request);
        match (method.as_str(), resource.as_str()) {
            ("GET", "/v1/self") => return self.own(&request).await,
            ("GET", "/v1/openapi.json") => return self.description(&request),
            _ => {}
        }
        api::administrator(&request)?;
        match (method.as_str(), resource.as_str()) {
            ("GET", "/v1/keys/{id}/usage") => self.key_usage(&request).await,
            ("GET", "/v1/owners/{type}/{id}/usage") => self.owner_usage(&request).await,
            ("GET", "/v1/keys/{id}/audit") => self.attempts(&request).await,
            ("GET", "/v1/audit") => self.changes(&request).await,
            ("POST", "/v1/keys/{id}/check") => self.check(&request).await,
            ("GET", "/v1/keys/{id}/advice") => self.advice(&request).await,
            _ => api::no_such_route(),
        }
    }

    /// The record of a key.
    async fn record(&self, id: &KeyId) -> Result<Record, Error> {
        Ok(self.store.record(id).await?.ok_or_else(no_such_key)?)
    }

    /// A key's record, and what else is known of it.
    async fn key(&self, id: &KeyId) -> Result<(Record, About), Error> {
        let record = self.record(id).await?;
        let about = self.store.about(&record).await?.ok_or_else(no_such_key)?;
        Ok((record, about))
    }
}

impl Function for Insights {
    async fn call(&self, event: serde_json::Value) -> Result<serde_json::Value, Failure> {
        self.responder.answer(event, |request| self.route(request)).await
    }
}

/// A page of a list, and where it goes on.
fn page(name: &str, entries: Vec<serde_json::Value>, next: Option<String>) -> Answer {
    Ok(Reply::ok(serde_json::json!({ name: entries, "next_cursor": next })))
}
