//! Parameters: defaults, overrides, and the rules that values must keep.

use std::collections::BTreeMap;

use regex::Regex;
use serde_json::{Map, Value};

use super::{TemplateError, yaml::scalar};

/// Gives every parameter its value: text, or a list of texts for the list types.
///
/// Defaults are checked too, because CloudFormation refuses a template whose default breaks its own rules.
pub(super) fn values(
    declared: &Map<String, Value>,
    overrides: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, Value>, TemplateError> {
    if let Some(name) = overrides.keys().find(|name| !declared.contains_key(*name)) {
        let known = declared.keys().cloned().collect::<Vec<_>>().join(", ");
        return Err(TemplateError::UnknownParameter { name: name.clone(), known });
    }
    let mut values = BTreeMap::new();
    for (name, rules) in declared {
        let value = overrides
            .get(name)
            .cloned()
            .or_else(|| rules.get("Default").and_then(scalar))
            .ok_or_else(|| TemplateError::MissingParameter { name: name.clone() })?;
        check(rules, &value).map_err(|rule| TemplateError::Parameter { name: name.clone(), value: value.clone(), rule })?;
        let kind = rules.get("Type").and_then(Value::as_str).unwrap_or("String");
        let value = if kind == "CommaDelimitedList" || kind.starts_with("List<") {
            value.split(',').map(|item| Value::from(item.trim())).collect()
        } else {
            Value::String(value)
        };
        values.insert(name.clone(), value);
    }
    Ok(values)
}

fn check(rules: &Value, value: &str) -> Result<(), String> {
    let explained = |fallback: String| {
        rules.get("ConstraintDescription").and_then(scalar).map_or(fallback.clone(), |text| format!("{fallback} ({text})"))
    };
    if let Some(allowed) = rules.get("AllowedValues").and_then(Value::as_array) {
        let allowed: Vec<String> = allowed.iter().filter_map(scalar).collect();
        if !allowed.iter().any(|item| item == value) {
            return Err(explained(format!("it must be one of {}", allowed.join(", "))));
        }
    }
    if let Some(pattern) = rules.get("AllowedPattern").and_then(Value::as_str) {
        // CloudFormation wants the whole value to match.
        let whole = Regex::new(&format!("^(?:{pattern})$")).map_err(|e| format!("its AllowedPattern is invalid: {e}"))?;
        if !whole.is_match(value) {
            return Err(explained(format!("it must match {pattern}")));
        }
    }
    let length = value.chars().count() as f64;
    let number = || value.parse::<f64>().map_err(|_| "it must be a number".to_owned());
    if rules.get("Type").and_then(Value::as_str) == Some("Number") {
        number()?;
    }
    if let Some(least) = bound(rules, "MinValue")?
        && number()? < least
    {
        return Err(explained(format!("it must be at least {least}")));
    }
    if let Some(most) = bound(rules, "MaxValue")?
        && number()? > most
    {
        return Err(explained(format!("it must be at most {most}")));
    }
    if let Some(least) = bound(rules, "MinLength")?
        && length < least
    {
        return Err(explained(format!("it must have at least {least} characters")));
    }
    if let Some(most) = bound(rules, "MaxLength")?
        && length > most
    {
        return Err(explained(format!("it must have at most {most} characters")));
    }
    Ok(())
}

fn bound(rules: &Value, name: &str) -> Result<Option<f64>, String> {
    rules.get(name).and_then(scalar).map(|text| text.parse().map_err(|_| format!("its {name} isn't a number"))).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn one(rules: Value, given: Option<&str>) -> Result<Value, String> {
        let declared = Map::from_iter([("P".to_owned(), rules)]);
        let overrides = given.map(|value| ("P".to_owned(), value.to_owned())).into_iter().collect();
        values(&declared, &overrides).map(|mut all| all.remove("P").unwrap()).map_err(|e| e.to_string())
    }

    #[test]
    fn a_default_is_used_and_is_text() {
        assert_eq!(one(json!({"Type": "Number", "Default": 10}), None), Ok(json!("10")));
        assert_eq!(one(json!({"Type": "CommaDelimitedList", "Default": "a, b"}), None), Ok(json!(["a", "b"])));
    }

    #[test]
    fn a_value_that_breaks_a_rule_is_refused_and_the_rule_named() {
        let refused = |rules: Value, value: &str| one(rules, Some(value)).unwrap_err();
        assert!(refused(json!({"AllowedValues": ["yes", "no"]}), "maybe").contains("one of yes, no"));
        // Unanchored in the template, but whole in CloudFormation.
        assert!(refused(json!({"AllowedPattern": "[a-z]{2,8}"}), "mbk1").contains("must match"));
        assert!(refused(json!({"Type": "Number", "MinValue": 4, "MaxValue": 15}), "16").contains("at most 15"));
        assert!(refused(json!({"Type": "Number", "MinValue": 4}), "3").contains("at least 4"));
        assert!(refused(json!({"Type": "Number"}), "ten").contains("must be a number"));
        assert!(one(json!({"Type": "String"}), None).unwrap_err().contains("no default"));
    }

    #[test]
    fn an_override_of_nothing_is_refused() {
        let overrides = BTreeMap::from([("Q".to_owned(), "1".to_owned())]);
        let error = values(&Map::from_iter([("P".to_owned(), json!({"Default": ""}))]), &overrides).unwrap_err();
        assert!(error.to_string().contains("no parameter \"Q\"; it has: P"));
    }
}
