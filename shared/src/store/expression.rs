//! Update expressions and their conditions, put together piece by piece.

use std::fmt::Write as _;

use aws_sdk_dynamodb::{operation::update_item::builders::UpdateItemFluentBuilder, types::AttributeValue};

use super::item::Attributes;

/// An update expression in the making. Every name goes through a placeholder: many are reserved words.
#[derive(Clone, Default)]
pub(super) struct Expression {
    condition: Vec<String>,
    set: Vec<String>,
    remove: Vec<String>,
    names: Vec<(String, String)>,
    values: Attributes,
}

impl Expression {
    pub(super) fn set(&mut self, name: &str, value: AttributeValue) {
        let index = self.names.len();
        self.set.push(format!("#n{index} = :v{index}"));
        self.names.push((format!("#n{index}"), name.to_owned()));
        self.values.insert(format!(":v{index}"), value);
    }

    pub(super) fn remove(&mut self, name: &str) {
        let index = self.names.len();
        self.remove.push(format!("#n{index}"));
        self.names.push((format!("#n{index}"), name.to_owned()));
    }

    /// Sets one entry of a map that the item has.
    pub(super) fn set_entry(&mut self, map: &str, entry: &str, value: AttributeValue) {
        // Before the names of the path, so that no later placeholder is the same.
        let index = self.names.len();
        let path = self.path(map, entry);
        self.set.push(format!("{path} = :v{index}"));
        self.values.insert(format!(":v{index}"), value);
    }

    pub(super) fn remove_entry(&mut self, map: &str, entry: &str) {
        let path = self.path(map, entry);
        self.remove.push(path);
    }

    /// Adds `expression` to SET as it stands; its placeholders are the caller's.
    pub(super) fn set_raw(&mut self, expression: &str) {
        self.set.push(expression.to_owned());
    }

    /// Adds `condition` to what must hold; its placeholders are the caller's.
    pub(super) fn require(&mut self, condition: &str) {
        self.condition.push(condition.to_owned());
    }

    pub(super) fn name(&mut self, placeholder: &str, name: String) {
        self.names.push((placeholder.to_owned(), name));
    }

    pub(super) fn value(&mut self, placeholder: &str, value: AttributeValue) {
        self.values.insert(placeholder.to_owned(), value);
    }

    pub(super) fn apply(self, mut update: UpdateItemFluentBuilder) -> UpdateItemFluentBuilder {
        let mut text = String::new();
        for (verb, parts) in [("SET", &self.set), ("REMOVE", &self.remove)] {
            if !parts.is_empty() {
                // Writing to a String never fails.
                let _ = write!(text, "{verb} {} ", parts.join(", "));
            }
        }
        if !self.condition.is_empty() {
            update = update.condition_expression(self.condition.join(" AND "));
        }
        for (placeholder, name) in self.names {
            update = update.expression_attribute_names(placeholder, name);
        }
        for (placeholder, value) in self.values {
            update = update.expression_attribute_values(placeholder, value);
        }
        update.update_expression(text)
    }

    fn path(&mut self, map: &str, entry: &str) -> String {
        let index = self.names.len();
        self.names.push((format!("#n{index}"), map.to_owned()));
        self.names.push((format!("#n{}", index + 1), entry.to_owned()));
        format!("#n{index}.#n{}", index + 1)
    }
}
