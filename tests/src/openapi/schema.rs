//! Schemas, put together.

use serde_json::{Map, Value, json};

/// A reference to the schema of that name.
pub(super) fn named(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// An object, member by member.
#[derive(Clone, Debug, Default)]
pub(super) struct Object {
    description: Option<&'static str>,
    members: Map<String, Value>,
    required: Vec<&'static str>,
}

impl Object {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// What it is.
    pub(super) fn about(self, description: &'static str) -> Self {
        Self { description: Some(description), ..self }
    }

    /// A member that is always there.
    pub(super) fn with(mut self, name: &'static str, schema: Value) -> Self {
        self.required.push(name);
        self.may(name, schema)
    }

    /// A member that may be missing.
    pub(super) fn may(mut self, name: &'static str, schema: Value) -> Self {
        self.members.insert(name.to_owned(), schema);
        self
    }

    /// As a part of an answer, which may get further members.
    pub(super) fn open(self) -> Value {
        let mut schema = json!({ "type": "object" });
        if let Some(description) = self.description {
            schema["description"] = json!(description);
        }
        schema["properties"] = self.members.into();
        if !self.required.is_empty() {
            schema["required"] = json!(self.required);
        }
        schema
    }

    /// As a part of a request: what doesn't exist is refused.
    pub(super) fn closed(self) -> Value {
        let mut schema = self.open();
        schema["additionalProperties"] = json!(false);
        schema
    }
}

/// The same schema with a description of its own.
pub(super) fn about(mut schema: Value, description: &str) -> Value {
    schema["description"] = json!(description);
    schema
}

/// Or `null`.
pub(super) fn nullable(mut schema: Value) -> Value {
    // Shorter than a choice of two, and better shown by viewers.
    match schema["type"].as_str() {
        Some(kind) if schema.get("enum").is_none() => {
            schema["type"] = json!([kind, "null"]);
            schema
        }
        _ => json!({ "anyOf": [schema, { "type": "null" }] }),
    }
}

/// One of these texts.
pub(super) fn one_of<'a>(texts: impl IntoIterator<Item = &'a str>) -> Value {
    json!({ "type": "string", "enum": texts.into_iter().collect::<Vec<_>>() })
}

/// A list of such entries.
pub(super) fn list(entries: Value) -> Value {
    json!({ "type": "array", "items": entries })
}

/// A whole number from `least` on.
pub(super) fn whole(least: u64) -> Value {
    json!({ "type": "integer", "minimum": least })
}

/// A whole number within these bounds.
pub(super) fn between(least: u64, most: u64) -> Value {
    json!({ "type": "integer", "minimum": least, "maximum": most })
}

/// `true` or `false`.
pub(super) fn boolean() -> Value {
    json!({ "type": "boolean" })
}

/// Any text.
pub(super) fn text() -> Value {
    json!({ "type": "string" })
}
