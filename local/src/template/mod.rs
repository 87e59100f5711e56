//! The SAM template as the local gateway and engine need it: everything resolved, nothing that isn't served.

use std::collections::BTreeMap;
use std::path::Path;

mod api;
mod conditions;
mod cors;
mod document;
mod error;
mod functions;
mod gateway_responses;
mod http_api;
mod http_cors;
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
pub use http_api::HttpApi;
pub use http_cors::HttpCors;
pub use names::{ACCOUNT, API_ID, HTTP_API_ID, REGION, STACK};
pub use storage::{GenerateSecretString, SecretBlock, TableBlock};

use document::Document;

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
    /// What other stacks may import, by name.
    pub exports: BTreeMap<String, String>,
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
        Self::parse(&text(path)?, overrides)
    }

    /// Resolves a template's text.
    ///
    /// # Errors
    /// [`TemplateError`] if it isn't a template, a parameter breaks its rules, or something that is served
    /// refers to nothing or can't be emulated.
    pub fn parse(text: &str, overrides: &BTreeMap<String, String>) -> Result<Self, TemplateError> {
        let document = Document::read(text, |_| overrides.clone(), BTreeMap::new())?;
        let exports = document.exports()?;
        let scope = document.scope;
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
            exports,
            authorizer: api.authorizer,
            api_key_source: api.api_key_source,
            cors: api.cors,
            stage_name: api.stage_name,
            stage_variables: api.stage_variables,
        })
    }
}

fn text(path: &Path) -> Result<String, TemplateError> {
    std::fs::read_to_string(path).map_err(|source| TemplateError::Read { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests;
