//! `Cors` of the API: the answer to a browser that asks beforehand, from a mock that SAM puts on every path.

use std::collections::BTreeMap;

use serde_json::Value;

use super::api::flag;
use super::{TemplateError, scope::Scope, yaml::scalar};

/// Values of the `Access-Control-*` headers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cors {
    /// `AllowOrigin`.
    pub allow_origin: String,
    /// `AllowHeaders`.
    pub allow_headers: Option<String>,
    /// `AllowMethods`; those of the path if there is none.
    pub allow_methods: Option<String>,
    /// `MaxAge`, in seconds.
    pub max_age: Option<String>,
}

pub(super) fn read(scope: &Scope, api: &str, properties: &Value, auth: &Value) -> Result<Option<Cors>, TemplateError> {
    let at = format!("{api}.Cors");
    let settings: BTreeMap<String, Value> = match scope.read::<Value>(api, properties, "Cors")? {
        None => return Ok(None),
        Some(Value::Object(settings)) => settings.into_iter().collect(),
        Some(origin) => BTreeMap::from([("AllowOrigin".to_owned(), origin)]),
    };
    let known = ["AllowOrigin", "AllowHeaders", "AllowMethods", "MaxAge"];
    if let Some(other) = settings.keys().find(|name| !known.contains(&name.as_str())) {
        return Err(TemplateError::unsupported(format!("{at}.{other}"), "this setting"));
    }
    // With either, a browser would have to send a key beforehand, which none does.
    for guard in ["AddDefaultAuthorizerToCorsPreflight", "AddApiKeyRequiredToCorsPreflight"] {
        if flag(&auth[guard]) != Some(false) {
            return Err(TemplateError::shape(format!("{api}.Auth.{guard}"), "it must be false where there is Cors"));
        }
    }
    let header = |name: &str| {
        let Some(value) = settings.get(name) else { return Ok(None) };
        let text = scalar(value).ok_or_else(|| TemplateError::shape(format!("{at}.{name}"), "it must be text"))?;
        // SAM writes the value as it is into a mapping, where a constant needs quotes of its own.
        let inner = text.strip_prefix('\'').and_then(|text| text.strip_suffix('\''));
        inner.map(|inner| Some(inner.to_owned())).ok_or_else(|| {
            TemplateError::shape(format!("{at}.{name}"), "it must be in single quotes within the text, as in \"'*'\"")
        })
    };
    Ok(Some(Cors {
        allow_origin: header("AllowOrigin")?.ok_or_else(|| TemplateError::shape(&at, "AllowOrigin is required"))?,
        allow_headers: header("AllowHeaders")?,
        allow_methods: header("AllowMethods")?,
        max_age: header("MaxAge")?,
    }))
}
