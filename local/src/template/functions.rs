//! `AWS::Serverless::Function`: what runs, and which methods lead to it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::api::{Api, flag, texts};
use super::{TemplateError, names, names::API_ID, scope::Scope, yaml::scalar};

/// Lambda's own default, in seconds.
const DEFAULT_TIMEOUT: u32 = 3;

/// One function of the template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionBlock {
    /// The resource's logical id.
    pub logical_id: String,
    /// Its ARN, as other stacks name it.
    pub arn: String,
    /// `Metadata.BuildProperties.Binary`: the cargo binary that SAM builds for it.
    pub binary: String,
    /// Its environment variables, `Globals` merged in.
    pub environment: BTreeMap<String, String>,
    /// After how many seconds Lambda ends it.
    pub timeout_seconds: u32,
}

impl FunctionBlock {
    /// A variable as the function finds it: the template's, or one that Lambda sets itself.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<String> {
        match name {
            "AWS_LAMBDA_FUNCTION_NAME" => Some(self.binary.clone()),
            _ => self.environment.get(name).cloned(),
        }
    }
}

/// One method of one resource of the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The HTTP method in capitals, or `ANY`.
    pub method: String,
    /// The resource's path, such as `/v1/keys/{id}`.
    pub path: String,
    /// Logical id of the function behind it.
    pub function: String,
    /// Whether the authorizer is asked first.
    pub authorized: bool,
    /// Whether the method requires an API key.
    pub api_key_required: bool,
}

pub(super) fn read(scope: &Scope) -> Result<Vec<FunctionBlock>, TemplateError> {
    scope.of_type("AWS::Serverless::Function").map(|(id, resource)| function(scope, id, resource)).collect()
}

fn function(scope: &Scope, id: &str, resource: &Value) -> Result<FunctionBlock, TemplateError> {
    let properties = &resource["Properties"];
    let binary = resource["Metadata"]["BuildProperties"]["Binary"].as_str();
    let binary = binary.ok_or_else(|| TemplateError::shape(id, "Metadata.BuildProperties.Binary must name its binary"))?;
    let environment: Value = scope.read(id, properties, "Environment")?.unwrap_or_default();
    let timeout_seconds = match scope.text(id, properties, "Timeout")? {
        Some(text) => text.parse().map_err(|_| TemplateError::shape(format!("{id}.Timeout"), "it must be seconds"))?,
        None => DEFAULT_TIMEOUT,
    };
    Ok(FunctionBlock {
        logical_id: id.to_owned(),
        arn: names::attribute(scope, id, "Arn")?.unwrap_or_default(),
        binary: binary.to_owned(),
        environment: texts(scope, id, &environment, "Variables")?,
        timeout_seconds,
    })
}

pub(super) fn routes(scope: &Scope, api: &Api) -> Result<Vec<Route>, TemplateError> {
    let mut routes: Vec<Route> = Vec::new();
    for (id, resource) in scope.of_type("AWS::Serverless::Function") {
        let events: BTreeMap<String, Value> = scope.read(id, &resource["Properties"], "Events")?.unwrap_or_default();
        for (name, event) in &events {
            let at = format!("{id}.Events.{name}");
            match event["Type"].as_str() {
                Some("Api") => {}
                Some("HttpApi") => return Err(TemplateError::unsupported(at, "an HTTP API")),
                _ => continue,
            }
            let route = route(id, &at, &event["Properties"], api)?;
            if routes.iter().any(|other| other.method == route.method && other.path == route.path) {
                return Err(TemplateError::shape(at, "another event has the same method and path"));
            }
            routes.push(route);
        }
    }
    Ok(routes)
}

fn route(function: &str, at: &str, event: &Value, api: &Api) -> Result<Route, TemplateError> {
    if event["RestApiId"] != API_ID {
        return Err(TemplateError::unsupported(at, "SAM's implicit API (write `RestApiId: !Ref` with the API's id)"));
    }
    let text = |name: &str| scalar(&event[name]).ok_or_else(|| TemplateError::shape(at, format!("{name} is required")));
    let auth = &event["Auth"];
    let authorized = match (auth["Authorizer"].as_str(), &api.authorizer) {
        (None, _) => api.authorized_by_default,
        (Some("NONE"), _) => false,
        (Some(name), Some(block)) if block.name == name => true,
        (Some(name), _) => {
            return Err(TemplateError::unsupported(at, format!("the authorizer {name}")));
        }
    };
    let path = text("Path")?;
    if !path.starts_with('/') {
        return Err(TemplateError::shape(at, "Path must begin with a slash"));
    }
    Ok(Route {
        method: text("Method")?.to_uppercase(),
        path,
        function: function.to_owned(),
        authorized,
        api_key_required: flag(&auth["ApiKeyRequired"]).unwrap_or(api.api_key_required),
    })
}
