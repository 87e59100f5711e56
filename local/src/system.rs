//! The whole system in one process: engine, functions and gateway, as the template says.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};
use shared::host::Host;

use crate::Invoke;
use crate::engine::{Engine, EngineError};
use crate::functions::{FunctionError, Wiring};
use crate::gateway::{Gateway, GatewayError, HttpGateway};
use crate::template::{HttpApi, Template, TemplateError};

/// How long a local admin key works, in seconds: a week.
const ADMIN_KEY_SECONDS: u64 = 7 * 86_400;

/// Why the system did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The template can't be served.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// The engine can't be started.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A function can't be started.
    #[error(transparent)]
    Function(#[from] FunctionError),
    /// The API can't be put together.
    #[error(transparent)]
    Gateway(#[from] GatewayError),
    /// No admin key could be issued.
    #[error("no admin key was issued: {0}")]
    AdminKey(String),
}

/// The running system, without a port.
pub struct System {
    /// DynamoDB, Secrets Manager and SNS.
    pub engine: Engine,
    /// What is served.
    pub template: Arc<Template>,
    /// The API in front of the functions.
    pub gateway: Arc<Gateway>,
    functions: BTreeMap<String, Invoke>,
    host: Host,
}

impl System {
    /// Starts everything that `template` deploys on `host`; in memory, or on what `data_dir` holds.
    ///
    /// # Errors
    /// [`StartError`] that says what to correct.
    pub async fn start(template: Template, data_dir: Option<&Path>, host: Host) -> Result<Self, StartError> {
        let template = Arc::new(template);
        let engine = Engine::start(data_dir).await?;
        engine.provision(&template).await?;
        let functions = Wiring::new(&engine, host.clone()).all(&template).await?;
        let gateway = Arc::new(Gateway::new(Arc::clone(&template), functions.clone())?);
        Ok(Self { engine, template, gateway, functions, host })
    }

    /// An HTTP API in front of the same functions: what one API does to a key, the other sees.
    ///
    /// # Errors
    /// [`GatewayError`] that names what is missing.
    pub fn http_api(&self, api: HttpApi) -> Result<HttpGateway, GatewayError> {
        HttpGateway::new(api, Arc::clone(&self.template), self.functions.clone())
    }

    /// Invokes a function directly, as somebody with the permission to may do on AWS.
    ///
    /// # Errors
    /// The function's error message, or that there is no such function.
    pub async fn invoke(&self, binary: &str, event: Value) -> Result<Value, String> {
        match self.functions.get(binary) {
            Some(function) => function(event).await,
            None => Err(format!("the template has no function {binary}")),
        }
    }

    /// Issues a key with the scope `admin`, by a direct invocation: the way to every first key.
    ///
    /// # Errors
    /// [`StartError::AdminKey`] with what `issue` said.
    pub async fn admin_key(&self) -> Result<String, StartError> {
        // Every start issues another one: in a data directory they must not pile up for ever.
        let expires_at = self.host.clock.now().plus(ADMIN_KEY_SECONDS);
        let order = json!({
            "name": "local admin", "owner": { "type": "user", "id": "admin" }, "environment": "live", "scopes": ["admin"],
            "expires_at": expires_at,
        });
        let key = self.invoke("issue", order).await.map_err(StartError::AdminKey)?;
        key["secret"].as_str().map(ToOwned::to_owned).ok_or_else(|| StartError::AdminKey(key.to_string()))
    }
}
