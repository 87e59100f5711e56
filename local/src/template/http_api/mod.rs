//! `AWS::ApiGatewayV2`: an HTTP API in front of another stack's functions, as http-api.yaml has it.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::api::{flag, texts};
use super::document::Document;
use super::functions::Route;
use super::http_cors::{self, HttpCors};
use super::{STACK, Template, TemplateError, names, scope::Scope, text};

#[cfg(test)]
mod tests;

/// What one template of an HTTP API deploys beside a stack.
#[derive(Debug, Clone)]
pub struct HttpApi {
    /// Every route. That of `$default` has this as its method, and no path.
    pub routes: Vec<Route>,
    /// Logical id of the authorizer's function.
    pub authorizer: String,
    /// How browsers' preflight requests are answered, if they are.
    pub cors: Option<HttpCors>,
    /// The stage's name: `$default`, which isn't in the path.
    pub stage_name: String,
    /// The stage's variables, as functions get them in `stageVariables`.
    pub stage_variables: BTreeMap<String, String>,
}

impl HttpApi {
    /// Reads the template file of an HTTP API beside `template`. Of `overrides` it takes the parameters that it has.
    ///
    /// # Errors
    /// [`TemplateError`] if the file can't be read, or as [`HttpApi::parse`].
    pub fn read(path: &Path, overrides: &BTreeMap<String, String>, template: &Template) -> Result<Self, TemplateError> {
        Self::parse(&text(path)?, overrides, template)
    }

    /// Resolves a template's text.
    ///
    /// # Errors
    /// [`TemplateError`] if it isn't the template of one HTTP API, refers to nothing, or can't be emulated.
    pub fn parse(text: &str, overrides: &BTreeMap<String, String>, template: &Template) -> Result<Self, TemplateError> {
        let choose = |declared: &serde_json::Map<String, Value>| {
            let other = ("ApiKeysStack".to_owned(), STACK.to_owned());
            let chosen = overrides.iter().map(|(name, value)| (name.clone(), value.clone())).chain([other]);
            chosen.filter(|(name, _)| declared.contains_key(name)).collect()
        };
        let scope = Document::read(text, choose, template.exports.clone())?.scope;
        let (id, api) = one(&scope, "AWS::ApiGatewayV2::Api")?;
        let (stage_id, stage) = one(&scope, "AWS::ApiGatewayV2::Stage")?;
        let stage_name = scope.text(stage_id, stage, "StageName")?.unwrap_or_default();
        if stage_name != "$default" {
            return Err(TemplateError::unsupported(format!("{stage_id}.StageName"), "a stage that isn't $default"));
        }
        let (authorizer_id, authorizer) = one(&scope, "AWS::ApiGatewayV2::Authorizer")?;
        Ok(Self {
            routes: routes(&scope, authorizer_id, template)?,
            authorizer: function_of_authorizer(&scope, authorizer_id, authorizer, template)?,
            cors: http_cors::read(&scope, id, api)?,
            stage_name,
            stage_variables: texts(&scope, stage_id, stage, "StageVariables")?,
        })
    }
}

/// The one resource of a type, and its properties.
fn one<'a>(scope: &'a Scope, kind: &'a str) -> Result<(&'a str, &'a Value), TemplateError> {
    let mut all = scope.of_type(kind);
    match (all.next(), all.next()) {
        (Some((id, resource)), None) => Ok((id, &resource["Properties"])),
        (Some(_), Some((second, _))) => Err(TemplateError::unsupported(second, format!("a second {kind}"))),
        (None, _) => Err(TemplateError::shape("Resources", format!("there is no {kind}"))),
    }
}

/// Refuses whatever about the authorizer would behave differently here than on AWS.
fn function_of_authorizer(scope: &Scope, id: &str, properties: &Value, template: &Template) -> Result<String, TemplateError> {
    let text = |name: &str| scope.text(id, properties, name);
    if text("AuthorizerType")?.as_deref() != Some("REQUEST") || text("AuthorizerPayloadFormatVersion")?.as_deref() != Some("2.0")
    {
        return Err(TemplateError::unsupported(id, "an authorizer that isn't a REQUEST one with payload format 2.0"));
    }
    if properties.get("EnableSimpleResponses").and_then(flag) != Some(true) {
        return Err(TemplateError::unsupported(id, "an authorizer without simple responses"));
    }
    // API Gateway's default would be 300.
    if text("AuthorizerResultTtlInSeconds")?.as_deref() != Some("0") {
        return Err(TemplateError::unsupported(id, "caching verdicts (AuthorizerResultTtlInSeconds other than 0)"));
    }
    if properties.get("IdentitySource").is_some() {
        return Err(TemplateError::unsupported(id, "an identity source"));
    }
    let uri = text("AuthorizerUri")?.unwrap_or_default();
    let arn = uri.split_once("/functions/").and_then(|(_, rest)| rest.strip_suffix("/invocations"));
    function(template, &format!("{id}.AuthorizerUri"), arn.unwrap_or_default())
}

fn routes(scope: &Scope, authorizer: &str, template: &Template) -> Result<Vec<Route>, TemplateError> {
    let authorizer = names::reference(scope, authorizer)?;
    let mut integrations = BTreeMap::new();
    for (id, resource) in scope.of_type("AWS::ApiGatewayV2::Integration") {
        let properties = &resource["Properties"];
        let text = |name: &str| scope.text(id, properties, name);
        if text("IntegrationType")?.as_deref() != Some("AWS_PROXY") || text("PayloadFormatVersion")?.as_deref() != Some("2.0") {
            return Err(TemplateError::unsupported(id, "an integration that isn't AWS_PROXY with payload format 2.0"));
        }
        let arn = text("IntegrationUri")?.unwrap_or_default();
        let target = format!("integrations/{}", names::reference(scope, id)?.unwrap_or_default());
        integrations.insert(target, function(template, &format!("{id}.IntegrationUri"), &arn)?);
    }
    let mut routes: Vec<Route> = Vec::new();
    for (id, resource) in scope.of_type("AWS::ApiGatewayV2::Route") {
        let properties = &resource["Properties"];
        let text = |name: &str| scope.text(id, properties, name);
        let key = text("RouteKey")?.unwrap_or_default();
        let (method, path) = key.split_once(' ').unwrap_or((&key, ""));
        if method != "$default" && !path.starts_with('/') {
            return Err(TemplateError::shape(format!("{id}.RouteKey"), "it is a method and a path, or $default"));
        }
        let authorized = match (text("AuthorizationType")?.as_deref(), text("AuthorizerId")?) {
            (None | Some("NONE"), None) => false,
            (Some("CUSTOM"), Some(of)) if Some(&of) == authorizer.as_ref() => true,
            _ => return Err(TemplateError::unsupported(id, "any authorization but CUSTOM by the authorizer, and NONE")),
        };
        let target = text("Target")?.and_then(|target| integrations.get(&target).cloned());
        let function = target.ok_or_else(|| TemplateError::shape(format!("{id}.Target"), "there is no such integration"))?;
        if routes.iter().any(|other| other.method == method && other.path == path) {
            return Err(TemplateError::shape(id, "another route has the same key"));
        }
        routes.push(Route { method: method.to_owned(), path: path.to_owned(), function, authorized, api_key_required: false });
    }
    Ok(routes)
}

fn function(template: &Template, at: &str, arn: &str) -> Result<String, TemplateError> {
    let block = template.functions.iter().find(|block| block.arn == arn);
    let unknown = || TemplateError::shape(at, format!("{arn:?} is no function of the other template"));
    block.map(|block| block.logical_id.clone()).ok_or_else(unknown)
}
