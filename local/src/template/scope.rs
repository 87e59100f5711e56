//! Intrinsic functions, resolved on demand: only what is read must be resolvable here.

use std::cell::Cell;
use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{TemplateError, names, yaml::scalar};

/// Deeper nesting than any real template has; a circle is found instead of overflowing the stack.
const DEEPEST: usize = 128;

/// What intrinsic functions can refer to.
pub(super) struct Scope {
    pub(super) parameters: BTreeMap<String, Value>,
    pub(super) conditions: Map<String, Value>,
    pub(super) mappings: Value,
    /// What other stacks export, by name.
    pub(super) imports: BTreeMap<String, String>,
    /// The resources whose condition holds, as written.
    pub(super) resources: Map<String, Value>,
    /// How deep the resolving that is under way has gone.
    pub(super) depth: Cell<usize>,
}

impl Scope {
    /// Leaves out every resource whose condition is false, as CloudFormation does.
    pub(super) fn drop_conditional(&mut self) -> Result<(), TemplateError> {
        let mut kept = Map::new();
        for (id, resource) in &self.resources {
            let holds = match resource.get("Condition").and_then(Value::as_str) {
                Some(name) => self.condition(name, 0)?,
                None => true,
            };
            if holds {
                kept.insert(id.clone(), resource.clone());
            }
        }
        self.resources = kept;
        Ok(())
    }

    /// The logical ids and resources of one type.
    pub(super) fn of_type<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = (&'a String, &'a Value)> {
        self.resources.iter().filter(move |(_, resource)| resource["Type"] == kind)
    }

    /// Reads one property into a type; `None` if it is absent or `AWS::NoValue`.
    pub(super) fn read<T: DeserializeOwned>(&self, id: &str, properties: &Value, name: &str) -> Result<Option<T>, TemplateError> {
        let Some(raw) = properties.get(name) else {
            return Ok(None);
        };
        let Some(value) = self.resolve(raw)? else {
            return Ok(None);
        };
        serde_json::from_value(value).map(Some).map_err(|e| TemplateError::shape(format!("{id}.{name}"), e.to_string()))
    }

    /// Reads one property as text.
    pub(super) fn text(&self, id: &str, properties: &Value, name: &str) -> Result<Option<String>, TemplateError> {
        let Some(value) = self.read::<Value>(id, properties, name)? else {
            return Ok(None);
        };
        scalar(&value).map(Some).ok_or_else(|| TemplateError::shape(format!("{id}.{name}"), "it must be text"))
    }

    /// Resolves a value; `None` stands for `AWS::NoValue`, which removes what it is the value of.
    pub(super) fn resolve(&self, value: &Value) -> Result<Option<Value>, TemplateError> {
        let depth = self.depth.get();
        if depth >= DEEPEST {
            return Err(TemplateError::shape("template", "something refers to itself"));
        }
        self.depth.set(depth + 1);
        let resolved = self.resolve_here(value);
        self.depth.set(depth);
        resolved
    }

    fn resolve_here(&self, value: &Value) -> Result<Option<Value>, TemplateError> {
        match value {
            Value::Object(map) => {
                if let Some((name, argument)) = single(map) {
                    if name == "Ref" {
                        return self.reference(&self.must_be_text(argument, "Ref")?);
                    }
                    if let Some(function) = name.strip_prefix("Fn::") {
                        return self.function(function, argument);
                    }
                }
                let mut resolved = Map::new();
                for (key, item) in map {
                    if let Some(item) = self.resolve(item)? {
                        resolved.insert(key.clone(), item);
                    }
                }
                Ok(Some(Value::Object(resolved)))
            }
            Value::Array(items) => {
                let resolved: Result<Vec<_>, _> = items.iter().filter_map(|item| self.resolve(item).transpose()).collect();
                Ok(Some(Value::Array(resolved?)))
            }
            other => Ok(Some(other.clone())),
        }
    }

    fn reference(&self, name: &str) -> Result<Option<Value>, TemplateError> {
        if name == "AWS::NoValue" {
            return Ok(None);
        }
        if let Some(value) = self.parameters.get(name) {
            return Ok(Some(value.clone()));
        }
        if let Some(value) = names::pseudo_parameter(name) {
            return Ok(Some(value.into()));
        }
        let found = names::reference(self, name)?;
        found.map(|value| Some(value.into())).ok_or_else(|| TemplateError::UnknownReference { name: name.to_owned() })
    }

    pub(super) fn attribute(&self, id: &str, attribute: &str) -> Result<String, TemplateError> {
        names::attribute(self, id, attribute)?
            .ok_or_else(|| TemplateError::UnknownReference { name: format!("{id}.{attribute}") })
    }

    pub(super) fn must_be_text(&self, value: &Value, at: &str) -> Result<String, TemplateError> {
        let resolved = match value {
            Value::String(text) => return Ok(text.clone()),
            other => self.resolve(other)?,
        };
        resolved.as_ref().and_then(scalar).ok_or_else(|| TemplateError::shape(at, "an argument must be text"))
    }

    pub(super) fn texts(&self, value: &Value, at: &str) -> Result<Vec<String>, TemplateError> {
        let resolved = self.resolve(value)?;
        let items = resolved.as_ref().and_then(Value::as_array);
        let items = items.ok_or_else(|| TemplateError::shape(at, "an argument must be a list"))?;
        items.iter().map(|item| self.must_be_text(item, at)).collect()
    }
}

/// An intrinsic function is a map with exactly one entry.
pub(super) fn single(map: &Map<String, Value>) -> Option<(&String, &Value)> {
    if map.len() == 1 { map.iter().next() } else { None }
}
