//! The SAM template as the local gateway and engine need it: everything resolved, nothing that isn't served.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value};

mod api;
mod conditions;
mod cors;
mod error;
mod functions;
mod gateway_responses;
mod intrinsics;
mod names;
mod parameters;
mod scope;
mod storage;
mod usage;
mod yaml;

pub use api::{ApiKeySource, AuthorizerBlock};
pub use cors::Cors;
pub use error::TemplateError;
pub use functions::{FunctionBlock, Route};
pub use gateway_responses::{GatewayResponse, HeaderValueExpr};
pub use names::{ACCOUNT, API_ID, REGION, STACK};
pub use storage::{GenerateSecretString, SecretBlock, TableBlock};

use scope::Scope;

/// What one template deploys, for one choice of parameters.
#[derive(Debug, Clone)]
pub struct Template {
    /// Every function whose condition holds.
    pub functions: Vec<FunctionBlock>,
    /// Every method of the API.
    pub routes: Vec<Route>,
    /// The API's Lambda authorizer.
    pub authorizer: Option<AuthorizerBlock>,
    /// Where API Gateway takes a required API key from.
    pub api_key_source: ApiKeySource,
    /// How a browser's preflight requests are answered, if they are.
    pub cors: Option<Cors>,
    /// The stage's name; empty if the template has no API.
    pub stage_name: String,
    /// The stage's variables, as functions get them in `stageVariables`.
    pub stage_variables: BTreeMap<String, String>,
    /// Values of the API keys that a usage plan attaches to the stage.
    pub usage_keys: Vec<String>,
    /// Customised gateway responses by type, such as `ACCESS_DENIED`.
    pub gateway_responses: BTreeMap<String, GatewayResponse>,
    /// DynamoDB tables.
    pub tables: Vec<TableBlock>,
    /// Secrets Manager secrets.
    pub secrets: Vec<SecretBlock>,
    /// ARNs of SNS topics.
    pub topics: Vec<String>,
}

impl Template {
    /// The function that runs a binary.
    #[must_use]
    pub fn function(&self, binary: &str) -> Option<&FunctionBlock> {
        self.functions.iter().find(|block| block.binary == binary)
    }

    /// Reads a template file; `overrides` are what `sam deploy --parameter-overrides` takes.
    ///
    /// # Errors
    /// [`TemplateError`] if the file can't be read, or as [`Template::parse`].
    pub fn read(path: &Path, overrides: &BTreeMap<String, String>) -> Result<Self, TemplateError> {
        let text = std::fs::read_to_string(path).map_err(|source| TemplateError::Read { path: path.to_owned(), source })?;
        Self::parse(&text, overrides)
    }

    /// Resolves a template's text.
    ///
    /// # Errors
    /// [`TemplateError`] if it isn't a template, a parameter breaks its rules, or something that is served
    /// refers to nothing or can't be emulated.
    pub fn parse(text: &str, overrides: &BTreeMap<String, String>) -> Result<Self, TemplateError> {
        let mut document = yaml::to_json(text)?;
        let mut section = |name: &str| match document.get_mut(name).map(Value::take) {
            None | Some(Value::Null) => Ok(Map::new()),
            Some(Value::Object(map)) => Ok(map),
            Some(_) => Err(TemplateError::shape(name, "it must be a map")),
        };
        let globals = Value::Object(section("Globals")?);
        let mut scope = Scope {
            parameters: parameters::values(&section("Parameters")?, overrides)?,
            conditions: section("Conditions")?,
            mappings: Value::Object(section("Mappings")?),
            resources: section("Resources")?,
            depth: Cell::default(),
        };
        scope.drop_conditional()?;
        apply_globals(&mut scope, &globals);

        let api = api::read(&scope)?;
        let functions = functions::read(&scope)?;
        Ok(Self {
            routes: functions::routes(&scope, &api)?,
            usage_keys: usage::keys(&scope, &api.stage_name)?,
            gateway_responses: gateway_responses::read(&scope)?,
            tables: storage::tables(&scope)?,
            secrets: storage::secrets(&scope)?,
            topics: names::references(&scope, "AWS::SNS::Topic")?,
            functions,
            authorizer: api.authorizer,
            api_key_source: api.api_key_source,
            cors: api.cors,
            stage_name: api.stage_name,
            stage_variables: api.stage_variables,
        })
    }
}

/// Merges SAM's `Globals` into the resources, as SAM does: maps deeply, lists one after the other, the rest overridden.
fn apply_globals(scope: &mut Scope, globals: &Value) {
    for (section, kind) in [("Function", "AWS::Serverless::Function"), ("Api", "AWS::Serverless::Api")] {
        let Some(shared) = globals.get(section) else {
            continue;
        };
        for resource in scope.resources.values_mut().filter(|resource| resource["Type"] == kind) {
            let own = resource["Properties"].take();
            resource["Properties"] = merged(shared.clone(), own);
        }
    }
}

fn merged(shared: Value, own: Value) -> Value {
    match (shared, own) {
        (shared, Value::Null) => shared,
        (Value::Object(mut shared), Value::Object(own)) => {
            for (key, value) in own {
                let value = merged(shared.remove(&key).unwrap_or_default(), value);
                shared.insert(key, value);
            }
            Value::Object(shared)
        }
        (Value::Array(shared), Value::Array(own)) => shared.into_iter().chain(own).collect(),
        (_, own) => own,
    }
}

#[cfg(test)]
mod tests;
