//! Gateway responses: what API Gateway answers when no function does.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::{TemplateError, scope::Scope, yaml::scalar};

/// One customised gateway response.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GatewayResponse {
    /// The HTTP status instead of the type's own.
    pub status: Option<u16>,
    /// Response headers.
    pub headers: BTreeMap<String, HeaderValueExpr>,
    /// Body templates by content type.
    pub bodies: BTreeMap<String, String>,
}

/// Where a header's value comes from. Whatever is absent at run time drops the header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeaderValueExpr {
    /// `'text'`: written in inner quotes in the template.
    Static(String),
    /// `context.NAME`, such as `context.authorizer.retryAfter`.
    Context(String),
    /// `stageVariables.NAME`
    StageVariable(String),
    /// `method.request.header.NAME`
    RequestHeader(String),
    /// `method.request.querystring.NAME`
    RequestQuery(String),
    /// `method.request.path.NAME`
    RequestPath(String),
}

/// Makes an expression from the name behind its prefix.
type Make = fn(String) -> HeaderValueExpr;

impl HeaderValueExpr {
    /// Reads a mapping expression; `None` if API Gateway would refuse it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Some(inner) = text.strip_prefix('\'') {
            return inner.strip_suffix('\'').map(|inner| Self::Static(inner.to_owned()));
        }
        let kinds: [(&str, Make); 5] = [
            ("context.", Self::Context),
            ("stageVariables.", Self::StageVariable),
            ("method.request.header.", Self::RequestHeader),
            ("method.request.querystring.", Self::RequestQuery),
            ("method.request.path.", Self::RequestPath),
        ];
        kinds.iter().find_map(|(prefix, make)| text.strip_prefix(prefix).map(|name| make(name.to_owned())))
    }
}

/// SAM's `GatewayResponses` entry.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct SamResponse {
    status_code: Value,
    response_parameters: SamParameters,
    response_templates: BTreeMap<String, String>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct SamParameters {
    headers: BTreeMap<String, String>,
}

pub(super) fn read(scope: &Scope) -> Result<BTreeMap<String, GatewayResponse>, TemplateError> {
    let mut responses = BTreeMap::new();
    for (id, resource) in scope.of_type("AWS::Serverless::Api") {
        let entries: BTreeMap<String, SamResponse> =
            scope.read(id, &resource["Properties"], "GatewayResponses")?.unwrap_or_default();
        for (kind, entry) in entries {
            let at = format!("{id}.GatewayResponses.{kind}");
            let headers = entry.response_parameters.headers.iter().map(|(name, text)| (name.as_str(), text.as_str()));
            responses.insert(kind, response(&at, &entry.status_code, headers, entry.response_templates.clone())?);
        }
    }
    // CloudFormation's own resource says the same in other words.
    for (id, resource) in scope.of_type("AWS::ApiGateway::GatewayResponse") {
        let properties = &resource["Properties"];
        let kind = scope.text(id, properties, "ResponseType")?;
        let kind = kind.ok_or_else(|| TemplateError::shape(id, "ResponseType is required"))?;
        let status: Value = scope.read(id, properties, "StatusCode")?.unwrap_or_default();
        let parameters: BTreeMap<String, String> = scope.read(id, properties, "ResponseParameters")?.unwrap_or_default();
        let headers =
            parameters.iter().filter_map(|(name, text)| Some((name.strip_prefix("gatewayresponse.header.")?, text.as_str())));
        let bodies = scope.read(id, properties, "ResponseTemplates")?.unwrap_or_default();
        responses.insert(kind, response(id, &status, headers, bodies)?);
    }
    Ok(responses)
}

fn response<'a>(
    at: &str,
    status: &Value,
    headers: impl Iterator<Item = (&'a str, &'a str)>,
    bodies: BTreeMap<String, String>,
) -> Result<GatewayResponse, TemplateError> {
    let status = match scalar(status) {
        Some(text) => Some(text.parse().map_err(|_| TemplateError::shape(at, "StatusCode must be a status"))?),
        None => None,
    };
    let expression = |(name, text): (&str, &str)| {
        HeaderValueExpr::parse(text).map(|value| (name.to_owned(), value)).ok_or_else(|| {
            TemplateError::shape(at, format!("{text:?} is no mapping expression; a fixed value needs inner quotes: \"'{text}'\""))
        })
    };
    Ok(GatewayResponse { status, headers: headers.map(expression).collect::<Result<_, _>>()?, bodies })
}
