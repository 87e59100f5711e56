//! Everything that is done to keys without making a secret: get, list, update, disable, enable, revoke. It never sees a pepper.

use http::StatusCode;
use lambda_http::Request;
use serde_json::{Value, json};
use shared::{
    change::{Changes, Refusing},
    config::{ChangeConfig, ConfigError, HttpConfig, Lookup},
    error::Error,
    host::Host,
    http::{self as api, Answer, Reply, Responder},
    input,
    lambda::{Failure, Function},
    store::Store,
    telemetry, view,
};

mod listing;
mod update;

use listing::Listing;

/// What the function is told by its environment.
#[derive(Clone, Debug)]
pub struct Config {
    /// Tables and retention.
    pub change: ChangeConfig,
    /// Answers over HTTP.
    pub http: HttpConfig,
}

impl Config {
    /// Reads it.
    ///
    /// # Errors
    /// [`ConfigError`] that names the first variable that is missing or wrong.
    pub fn read(lookup: Lookup<'_>) -> Result<Self, ConfigError> {
        Ok(Self { change: ChangeConfig::read(lookup)?, http: HttpConfig::read(lookup)? })
    }
}

/// The function.
pub struct Manage {
    changes: Changes,
    responder: Responder,
}

impl Manage {
    /// The function with this client.
    #[must_use]
    pub fn new(config: Config, dynamodb: aws_sdk_dynamodb::Client, host: Host) -> Self {
        let store = Store::new(dynamodb, config.change.tables.clone());
        Self { responder: Responder::new(config.http, host.clone()), changes: Changes::new(store, host, config.change) }
    }

    /// Opens the connection, in the time that Lambda gives to a starting instance. What fails is tried again by the first request.
    pub async fn warm(&self) {
        telemetry::warmed(self.changes.store.warm().await);
    }

    async fn route(&self, request: Request) -> Answer {
        let actor = api::administrator(&request)?;
        let (method, resource) = api::route(&request);
        let now = self.changes.host.clock.now();
        let key = match (method.as_str(), resource.as_str()) {
            ("GET", "/v1/keys") => return self.list(&request).await,
            ("GET", "/v1/keys/{id}") => self.changes.load(&api::key_id(&request)?).await?,
            ("PATCH", "/v1/keys/{id}") => self.update(&request, &actor).await?,
            ("POST", "/v1/keys/{id}/disable") => {
                api::fields(&request)?.finish()?;
                self.changes.refuse(&api::key_id(&request)?, &actor, Refusing::Disable).await?
            }
            ("POST", "/v1/keys/{id}/enable") => {
                let if_match = api::if_match(&request)?;
                api::fields(&request)?.finish()?;
                self.changes.enable(&api::key_id(&request)?, &actor, &if_match).await?
            }
            ("POST", "/v1/keys/{id}/revoke") => {
                let mut fields = api::fields(&request)?;
                let reason = fields.required("reason", input::reason)?;
                fields.finish()?;
                self.changes.refuse(&api::key_id(&request)?, &actor, Refusing::Revoke(reason)).await?
            }
            _ => return api::no_such_route(),
        };
        Ok(Reply::key(StatusCode::OK, &key, view::key(&key, now)))
    }

    async fn list(&self, request: &Request) -> Answer {
        let listing = Listing::read(request)?;
        let (keys, next) =
            self.changes.store.list(&listing.filter, listing.limit, listing.from.as_ref()).await.map_err(Error::from)?;
        let partition = listing.filter.partition();
        let next = next.map(|position| shared::cursor::encode(&partition, &position));
        let keys: Vec<Value> = keys.iter().map(view::summary).collect();
        Ok(Reply::ok(json!({ "keys": keys, "next_cursor": next })))
    }
}

impl Function for Manage {
    async fn call(&self, event: Value) -> Result<Value, Failure> {
        self.responder.answer(event, |request| self.route(request)).await
    }
}
