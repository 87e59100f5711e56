//! The real functions, wired to the engine instead of AWS, each with the environment that the template gives it.

use std::collections::BTreeMap;
use std::sync::Arc;

use shared::announce::{AnnounceConfig, Announcer};
use shared::config::ConfigError;
use shared::error::Fault;
use shared::host::Host;
use shared::lambda::Function;
use shared::telemetry::cost::CountCalls;

use crate::Invoke;
use crate::engine::Engine;
use crate::template::{FunctionBlock, Template};

/// Why a function can't be started.
#[derive(Debug, thiserror::Error)]
pub enum FunctionError {
    /// The template gives it a wrong environment.
    #[error("function {function}: {source}; correct it in template.yaml")]
    Config {
        /// The function's logical id.
        function: String,
        /// What is wrong.
        source: ConfigError,
    },
    /// The template has a function that isn't linked in here.
    #[error(
        "function {function} runs the binary {binary:?}, which isn't linked into this build: add it to local/src/functions.rs"
    )]
    Unknown {
        /// The function's logical id.
        function: String,
        /// Its binary.
        binary: String,
    },
    /// It can't be started at all.
    #[error("function {function} did not start: {source}")]
    Start {
        /// The function's logical id.
        function: String,
        /// What is wrong.
        source: Fault,
    },
}

/// The clients and the machine that functions run with.
#[derive(Clone)]
pub struct Wiring {
    /// DynamoDB.
    pub dynamodb: aws_sdk_dynamodb::Client,
    /// Secrets Manager.
    pub secrets: aws_sdk_secretsmanager::Client,
    /// SNS.
    pub sns: aws_sdk_sns::Client,
    /// Time, randomness and lines.
    pub host: Host,
}

impl Wiring {
    /// The engine, with the timeouts and retries that functions have on AWS.
    #[must_use]
    pub fn new(engine: &Engine, host: Host) -> Self {
        let dynamodb = engine.dynamodb_config().timeout_config(shared::aws::timeouts()).retry_config(shared::aws::retries());
        let dynamodb = aws_sdk_dynamodb::Client::from_conf(dynamodb.interceptor(CountCalls).build());
        let secrets = engine.secrets_config().interceptor(CountCalls);
        let secrets = aws_sdk_secretsmanager::Client::from_conf(secrets.build());
        let sns = aws_sdk_sns::Client::from_conf(engine.sns_config().interceptor(CountCalls).build());
        Self { dynamodb, secrets, sns, host }
    }

    /// Every function of the template, by the name of its binary.
    ///
    /// # Errors
    /// [`FunctionError`] that names the function.
    pub async fn all(&self, template: &Template) -> Result<BTreeMap<String, Invoke>, FunctionError> {
        let mut functions = BTreeMap::new();
        for block in &template.functions {
            functions.insert(block.binary.clone(), self.function(block).await?);
        }
        Ok(functions)
    }

    /// One function.
    ///
    /// # Errors
    /// [`FunctionError`] that names it.
    pub async fn function(&self, block: &FunctionBlock) -> Result<Invoke, FunctionError> {
        Ok(match block.binary.as_str() {
            "authorizer" => {
                let authorizer = self.authorizer(block)?;
                authorizer.authenticator().warm().await;
                invoke(authorizer)
            }
            "issue" => {
                let config = issue::Config::read(&lookup(block)).map_err(config_error(block))?;
                let (dynamodb, secrets, announcer) =
                    (self.dynamodb.clone(), self.secrets.clone(), self.announcer(&config.announce));
                invoke(issue::Issue::new(config, dynamodb, secrets, announcer, self.host.clone()))
            }
            "rotate" => {
                let config = rotate::Config::read(&lookup(block)).map_err(config_error(block))?;
                let (dynamodb, secrets, announcer) =
                    (self.dynamodb.clone(), self.secrets.clone(), self.announcer(&config.announce));
                invoke(rotate::Rotate::new(config, dynamodb, secrets, announcer, self.host.clone()))
            }
            "manage" => {
                let config = manage::Config::read(&lookup(block)).map_err(config_error(block))?;
                let announcer = self.announcer(&config.announce);
                invoke(manage::Manage::new(config, self.dynamodb.clone(), announcer, self.host.clone()))
            }
            "insights" => {
                let config = insights::Config::read(&lookup(block)).map_err(config_error(block))?;
                invoke(insights::Insights::new(config, self.dynamodb.clone(), self.host.clone()))
            }
            "example" => {
                let config = example::Config::read(&lookup(block)).map_err(config_error(block))?;
                invoke(example::Example::new(config, self.host.clone()))
            }
            "console" => {
                let config = console::Config::read(&lookup(block)).map_err(config_error(block))?;
                invoke(console::Console::new(config, self.host.clone()))
            }
            _ => {
                return Err(FunctionError::Unknown { function: block.logical_id.clone(), binary: block.binary.clone() });
            }
        })
    }

    /// Whoever tells owners, as `config` says.
    #[must_use]
    pub fn announcer(&self, config: &AnnounceConfig) -> Announcer {
        Announcer::new(config.clone(), self.sns.clone())
    }

    /// One instance of the authorizer, cold: its caches are its own.
    ///
    /// # Errors
    /// [`FunctionError`] that names the function.
    pub fn authorizer(&self, block: &FunctionBlock) -> Result<authorizer::Authorizer, FunctionError> {
        let config = authorizer::Config::read(&lookup(block)).map_err(config_error(block))?;
        authorizer::Authorizer::new(config, self.dynamodb.clone(), self.secrets.clone(), self.host.clone())
            .map_err(|source| FunctionError::Start { function: block.logical_id.clone(), source })
    }
}

/// A function as the gateway calls it.
pub fn invoke(function: impl Function) -> Invoke {
    let function = Arc::new(function);
    Arc::new(move |event| {
        let function = Arc::clone(&function);
        Box::pin(async move { function.call(event).await.map_err(|failure| failure.to_string()) })
    })
}

fn lookup(block: &FunctionBlock) -> impl Fn(&str) -> Option<String> + Send + Sync {
    |name| block.variable(name)
}

fn config_error(block: &FunctionBlock) -> impl FnOnce(ConfigError) -> FunctionError {
    |source| FunctionError::Config { function: block.logical_id.clone(), source }
}
