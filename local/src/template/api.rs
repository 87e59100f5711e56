//! `AWS::Serverless::Api`: the stage, its variables and its authorizer.

use std::collections::BTreeMap;

use serde_json::Value;

use super::cors::{self, Cors};
use super::{TemplateError, names, scope::Scope, yaml::scalar};

/// The Lambda authorizer in front of the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorizerBlock {
    /// Its name under `Auth.Authorizers`.
    pub name: String,
    /// Logical id of its function.
    pub function: String,
}

/// `ApiKeySourceType`: where a required API key comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApiKeySource {
    /// The caller's `X-API-Key` header, which is CloudFormation's default.
    Header,
    /// `usageIdentifierKey` in the authorizer's answer.
    Authorizer,
}

/// The API's own settings, and what its methods inherit.
pub(super) struct Api {
    pub(super) stage_name: String,
    pub(super) stage_variables: BTreeMap<String, String>,
    pub(super) authorizer: Option<AuthorizerBlock>,
    pub(super) api_key_source: ApiKeySource,
    /// Whether methods have the authorizer unless they say otherwise.
    pub(super) authorized_by_default: bool,
    /// Whether methods require an API key unless they say otherwise.
    pub(super) api_key_required: bool,
    /// How preflight requests are answered, if they are.
    pub(super) cors: Option<Cors>,
}

pub(super) fn read(scope: &Scope) -> Result<Api, TemplateError> {
    let mut apis = scope.of_type("AWS::Serverless::Api");
    let Some((id, resource)) = apis.next() else {
        return Ok(Api {
            stage_name: String::new(),
            stage_variables: BTreeMap::new(),
            authorizer: None,
            api_key_source: ApiKeySource::Header,
            authorized_by_default: false,
            api_key_required: false,
            cors: None,
        });
    };
    if let Some((second, _)) = apis.next() {
        return Err(TemplateError::unsupported(second, "a second API"));
    }
    let properties = &resource["Properties"];
    for property in ["DefinitionBody", "DefinitionUri", "BinaryMediaTypes"] {
        if properties.get(property).is_some() {
            return Err(TemplateError::unsupported(format!("{id}.{property}"), "this property"));
        }
    }
    let stage_name = scope.text(id, properties, "StageName")?;
    let auth: Value = scope.read(id, properties, "Auth")?.unwrap_or_default();
    let authorizer = authorizer(scope, id, &auth)?;
    let default = auth["DefaultAuthorizer"].as_str();
    if default.is_some_and(|name| authorizer.as_ref().is_none_or(|block| block.name != name)) {
        return Err(TemplateError::shape(format!("{id}.Auth.DefaultAuthorizer"), "there is no such authorizer"));
    }
    let api_key_source = match scope.text(id, properties, "ApiKeySourceType")?.as_deref() {
        None | Some("HEADER") => ApiKeySource::Header,
        Some("AUTHORIZER") => ApiKeySource::Authorizer,
        Some(_) => {
            return Err(TemplateError::shape(format!("{id}.ApiKeySourceType"), "it is HEADER or AUTHORIZER"));
        }
    };
    Ok(Api {
        stage_name: stage_name.ok_or_else(|| TemplateError::shape(format!("{id}.StageName"), "it is required"))?,
        stage_variables: texts(scope, id, properties, "Variables")?,
        authorized_by_default: default.is_some(),
        api_key_required: flag(&auth["ApiKeyRequired"]).unwrap_or(false),
        cors: cors::read(scope, id, properties, &auth)?,
        authorizer,
        api_key_source,
    })
}

/// The one authorizer, refused if anything about it would behave differently here than on AWS.
fn authorizer(scope: &Scope, api: &str, auth: &Value) -> Result<Option<AuthorizerBlock>, TemplateError> {
    let Some(authorizers) = auth["Authorizers"].as_object() else {
        return Ok(None);
    };
    let mut authorizers = authorizers.iter();
    let Some((name, block)) = authorizers.next() else {
        return Ok(None);
    };
    let at = format!("{api}.Auth.Authorizers.{name}");
    if authorizers.next().is_some() {
        return Err(TemplateError::unsupported(at, "more than one authorizer"));
    }
    if block["FunctionPayloadType"] != "REQUEST" {
        return Err(TemplateError::unsupported(at, "an authorizer whose FunctionPayloadType isn't REQUEST"));
    }
    let identity = &block["Identity"];
    if scalar(&identity["ReauthorizeEvery"]).as_deref() != Some("0") {
        return Err(TemplateError::unsupported(at, "caching verdicts (Identity.ReauthorizeEvery other than 0)"));
    }
    if ["Headers", "QueryStrings", "StageVariables", "Context"].iter().any(|source| identity.get(source).is_some()) {
        return Err(TemplateError::unsupported(at, "an identity source"));
    }
    let arn = block["FunctionArn"].as_str().unwrap_or_default();
    for (id, _) in scope.of_type("AWS::Serverless::Function") {
        if names::attribute(scope, id, "Arn")?.as_deref() == Some(arn) {
            return Ok(Some(AuthorizerBlock { name: name.clone(), function: id.clone() }));
        }
    }
    Err(TemplateError::shape(at, "its FunctionArn is no function of this template"))
}

/// A map of scalars as text, which is what CloudFormation makes of them.
pub(super) fn texts(scope: &Scope, id: &str, properties: &Value, name: &str) -> Result<BTreeMap<String, String>, TemplateError> {
    let values: BTreeMap<String, Value> = scope.read(id, properties, name)?.unwrap_or_default();
    let text = |(key, value): (String, Value)| {
        let value = scalar(&value).ok_or_else(|| TemplateError::shape(format!("{id}.{name}.{key}"), "it must be text"))?;
        Ok((key, value))
    };
    values.into_iter().map(text).collect()
}

/// A boolean, which CloudFormation also takes as text.
pub(super) fn flag(value: &Value) -> Option<bool> {
    scalar(value)?.parse().ok()
}
