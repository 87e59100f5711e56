//! CloudFormation's YAML as JSON: every short tag in its long form, so that one resolver handles both.

use serde_json::{Map, Value};
use serde_norway::Value as Yaml;

use super::TemplateError;

/// Parses a template into JSON in which `!Sub x` reads `{"Fn::Sub": "x"}`.
///
/// # Errors
/// [`TemplateError::Yaml`] if the text isn't YAML, [`TemplateError::Shape`] if it holds what JSON can't.
pub(crate) fn to_json(text: &str) -> Result<Value, TemplateError> {
    let yaml: Yaml = serde_norway::from_str(text)?;
    convert(yaml)
}

fn convert(yaml: Yaml) -> Result<Value, TemplateError> {
    Ok(match yaml {
        Yaml::Null => Value::Null,
        Yaml::Bool(flag) => flag.into(),
        Yaml::Number(number) => serde_json::to_value(number).map_err(|e| TemplateError::shape("template", e.to_string()))?,
        Yaml::String(text) => text.into(),
        Yaml::Sequence(items) => items.into_iter().map(convert).collect::<Result<_, _>>()?,
        Yaml::Mapping(entries) => {
            let mut map = Map::new();
            for (key, value) in entries {
                map.insert(key_text(key)?, convert(value)?);
            }
            Value::Object(map)
        }
        Yaml::Tagged(tagged) => {
            let tag = tagged.tag.to_string();
            intrinsic(tag.trim_start_matches('!'), convert(tagged.value)?)
        }
    })
}

fn intrinsic(tag: &str, argument: Value) -> Value {
    let (name, argument) = match (tag, &argument) {
        ("Ref" | "Condition", _) => (tag.to_owned(), argument),
        // The short form writes the attribute behind a dot; the long form is a list.
        ("GetAtt", Value::String(text)) if text.contains('.') => {
            let parts = text.splitn(2, '.').map(Value::from).collect();
            ("Fn::GetAtt".to_owned(), parts)
        }
        _ => (format!("Fn::{tag}"), argument),
    };
    Value::Object(Map::from_iter([(name, argument)]))
}

fn key_text(key: Yaml) -> Result<String, TemplateError> {
    match key {
        Yaml::String(text) => Ok(text),
        Yaml::Number(number) => Ok(number.to_string()),
        Yaml::Bool(flag) => Ok(flag.to_string()),
        other => Err(TemplateError::shape("template", format!("a key must be text, not {other:?}"))),
    }
}

/// A scalar as CloudFormation sees it: every one is text in the end.
pub(crate) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn short_tags_become_their_long_forms() -> Result<(), TemplateError> {
        let text = "a: !Ref X\nb: !GetAtt Y.Arn\nc: !If [C, !Sub '${X}', 200]\n200: !Condition D";
        assert_eq!(
            to_json(text)?,
            json!({
                "a": {"Ref": "X"},
                "b": {"Fn::GetAtt": ["Y", "Arn"]},
                "c": {"Fn::If": ["C", {"Fn::Sub": "${X}"}, 200]},
                "200": {"Condition": "D"},
            })
        );
        Ok(())
    }
}
