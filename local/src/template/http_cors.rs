//! `CorsConfiguration` of an HTTP API, which API Gateway answers for by itself.

use serde::Deserialize;
use serde_json::Value;

use super::yaml::scalar;
use super::{TemplateError, scope::Scope};

/// What pages of other origins may do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct HttpCors {
    /// `AllowOrigins`: origins, or `*` for any.
    pub allow_origins: Vec<String>,
    /// `AllowMethods`.
    pub allow_methods: Vec<String>,
    /// `AllowHeaders`.
    pub allow_headers: Vec<String>,
    /// `ExposeHeaders`: what a page may read of an answer.
    pub expose_headers: Vec<String>,
    /// `MaxAge`, in seconds.
    #[serde(deserialize_with = "seconds")]
    pub max_age: Option<String>,
}

/// A number, which CloudFormation also takes as text.
fn seconds<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(scalar(&Value::deserialize(deserializer)?))
}

pub(super) fn read(scope: &Scope, id: &str, properties: &Value) -> Result<Option<HttpCors>, TemplateError> {
    scope.read(id, properties, "CorsConfiguration")
}
