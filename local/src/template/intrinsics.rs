//! The intrinsic functions behind `Fn::`.

use serde_json::{Map, Value};

use super::scope::Scope;
use super::{TemplateError, names};

impl Scope {
    /// The value of `Fn::<name>`.
    pub(super) fn function(&self, name: &str, argument: &Value) -> Result<Option<Value>, TemplateError> {
        let at = format!("Fn::{name}");
        match (name, argument) {
            ("If", Value::Array(items)) if items.len() == 3 => {
                let condition = self.must_be_text(&items[0], &at)?;
                self.resolve(if self.condition(&condition, 0)? { &items[1] } else { &items[2] })
            }
            ("GetAtt", Value::Array(items)) if items.len() == 2 => {
                let (id, attribute) = (self.must_be_text(&items[0], &at)?, self.must_be_text(&items[1], &at)?);
                self.attribute(&id, &attribute).map(|arn| Some(arn.into()))
            }
            ("Sub", Value::String(text)) => self.substitute(text, &Map::new()).map(|text| Some(text.into())),
            ("Sub", Value::Array(items)) => match items.as_slice() {
                [Value::String(text), Value::Object(variables)] => self.substitute(text, variables).map(|text| Some(text.into())),
                _ => Err(TemplateError::shape(at, "it takes a text and a map")),
            },
            ("Join", Value::Array(items)) if items.len() == 2 => {
                let separator = self.must_be_text(&items[0], &at)?;
                Ok(Some(self.texts(&items[1], &at)?.join(&separator).into()))
            }
            ("Split", Value::Array(items)) if items.len() == 2 => {
                let (separator, text) = (self.must_be_text(&items[0], &at)?, self.must_be_text(&items[1], &at)?);
                Ok(Some(text.split(&separator).map(Value::from).collect()))
            }
            ("Select", Value::Array(items)) if items.len() == 2 => {
                let index = self.must_be_text(&items[0], &at)?.parse::<usize>().ok();
                let found = self.texts(&items[1], &at)?.into_iter().nth(index.unwrap_or(usize::MAX));
                found.map(|text| Some(text.into())).ok_or_else(|| TemplateError::shape(at, "there is no such item"))
            }
            ("FindInMap", Value::Array(items)) if items.len() == 3 => {
                let mut found = &self.mappings;
                for item in items {
                    found = &found[self.must_be_text(item, &at)?];
                }
                if found.is_null() { Err(TemplateError::shape(at, "there is no such entry")) } else { self.resolve(found) }
            }
            ("ImportValue", name) => {
                let name = self.must_be_text(name, &at)?;
                let found = self.imports.get(&name).map(|value| Some(value.clone().into()));
                found.ok_or(TemplateError::UnknownImport { name })
            }
            ("If" | "GetAtt" | "Sub" | "Join" | "Split" | "Select" | "FindInMap", _) => {
                Err(TemplateError::shape(at, "its arguments are malformed"))
            }
            ("Equals" | "Not" | "And" | "Or", _) => Err(TemplateError::shape(at, "it belongs under `Conditions`")),
            _ => Err(TemplateError::unsupported(at, "this function")),
        }
    }

    /// Replaces `${Name}`, `${Resource.Attribute}` and `${!Literal}`.
    fn substitute(&self, text: &str, variables: &Map<String, Value>) -> Result<String, TemplateError> {
        let mut result = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            let (name, after) = after
                .split_once('}')
                .ok_or_else(|| TemplateError::shape("Fn::Sub", format!("a brace isn't closed in {text:?}")))?;
            result.push_str(before);
            if let Some(literal) = name.strip_prefix('!') {
                result.push_str(&format!("${{{literal}}}"));
            } else if let Some(value) = variables.get(name) {
                result.push_str(&self.must_be_text(value, "Fn::Sub")?);
            } else {
                result.push_str(&self.named(name.trim())?);
            }
            rest = after;
        }
        result.push_str(rest);
        Ok(result)
    }

    fn named(&self, name: &str) -> Result<String, TemplateError> {
        // SAM's own `Api.Stage` and `Function.Alias` look like attributes but are references.
        if let Some((id, attribute)) = name.split_once('.')
            && names::reference(self, name)?.is_none()
        {
            return self.attribute(id, attribute);
        }
        self.must_be_text(&serde_json::json!({ "Ref": name }), "Fn::Sub")
    }
}
