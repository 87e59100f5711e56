//! The API Gateway authorizer: from a REQUEST event to a policy (REST API) or a simple answer (HTTP API, format 2.0).
//!
//! This crate translates; [`shared::authenticator`] decides.

use serde_json::Value;
use shared::{
    authenticator::{self, Authenticator},
    base62, config,
    config::{ConfigError, Lookup},
    decision,
    error::Fault,
    host::Host,
    lambda::{Failure, Function},
};

mod answer;
mod attempt;
mod event;
mod http_route;

use answer::Answers;
use event::Event;

/// What the authorizer is told by its environment.
#[derive(Clone, Debug)]
pub struct Config {
    /// What every authenticator is told.
    pub authenticator: authenticator::Config,
    /// `USAGE_KEY`: the one real key of the unthrottled usage plan.
    pub usage_key: String,
}

impl Config {
    /// Reads it.
    ///
    /// # Errors
    /// [`ConfigError`] that names the first variable that is missing or wrong.
    pub fn read(lookup: Lookup<'_>) -> Result<Self, ConfigError> {
        Ok(Self {
            authenticator: authenticator::Config::read(lookup, &config::function_name(lookup)?)?,
            usage_key: config::required(lookup, "USAGE_KEY")?,
        })
    }
}

/// The function. One per instance; its caches are the instance's.
pub struct Authorizer {
    authenticator: Authenticator,
    answers: Answers,
}

impl Authorizer {
    /// An authorizer with these clients.
    ///
    /// # Errors
    /// A [`Fault`] if there is no randomness for the usage key that no plan has.
    pub fn new(
        config: Config,
        dynamodb: aws_sdk_dynamodb::Client,
        secrets: aws_sdk_secretsmanager::Client,
        host: Host,
    ) -> Result<Self, Fault> {
        let unknown_usage_key = base62::random(host.entropy.as_ref(), 40)?.to_string();
        let answers = Answers { usage_key: config.usage_key, unknown_usage_key };
        Ok(Self { authenticator: Authenticator::new(config.authenticator, dynamodb, secrets, host), answers })
    }

    /// What decides, and what it leaves to be done.
    #[must_use]
    pub const fn authenticator(&self) -> &Authenticator {
        &self.authenticator
    }
}

impl Function for Authorizer {
    async fn call(&self, event: Value) -> Result<Value, Failure> {
        let Some(event) = Event::read(event) else {
            let fault = Fault::new("event.not_understood", "it is no REQUEST event of API Gateway's");
            return self.authenticator.not_understood(fault, Err(Failure::BAD_EVENT)).await;
        };
        let config = self.authenticator.config();
        let path = event.normal_path();
        let route = event.route(path.as_ref());
        let request = decision::Request { method: &event.method, path, route, address: event.address };
        let presented = event.presented(config.allow_query_key);
        let attempt = attempt::of(&event, &config.imported);
        let answer = |decided: &_| self.answers.of(&event, decided);
        self.authenticator.attempt(presented, &request, attempt, answer, || Err(Failure::INTERNAL)).await
    }
}
