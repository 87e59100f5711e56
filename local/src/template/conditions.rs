//! `Conditions`: which resources there are, and which branch `Fn::If` takes.

use serde_json::Value;

use super::TemplateError;
use super::scope::{Scope, single};

/// Deeper nesting than any real template has; a circle is found instead of overflowing the stack.
const DEEPEST: usize = 32;

impl Scope {
    /// Whether the condition with this name holds; `depth` counts the conditions that led here.
    pub(super) fn condition(&self, name: &str, depth: usize) -> Result<bool, TemplateError> {
        match self.conditions.get(name) {
            Some(rule) if depth < DEEPEST => self.holds(rule, name, depth + 1),
            _ => Err(TemplateError::Condition { name: name.to_owned() }),
        }
    }

    fn holds(&self, rule: &Value, name: &str, depth: usize) -> Result<bool, TemplateError> {
        let broken = || TemplateError::Condition { name: name.to_owned() };
        if depth >= DEEPEST {
            return Err(broken());
        }
        let (function, argument) = rule.as_object().and_then(single).ok_or_else(broken)?;
        if function == "Condition" {
            return self.condition(argument.as_str().ok_or_else(broken)?, depth);
        }
        let items = argument.as_array().ok_or_else(broken)?;
        let each = || items.iter().map(|item| self.holds(item, name, depth + 1));
        match function.as_str() {
            "Fn::Equals" if items.len() == 2 => Ok(self.must_be_text(&items[0], name)? == self.must_be_text(&items[1], name)?),
            "Fn::Not" if items.len() == 1 => self.holds(&items[0], name, depth + 1).map(|holds| !holds),
            "Fn::And" => Ok(each().collect::<Result<Vec<_>, _>>()?.into_iter().all(|holds| holds)),
            "Fn::Or" => Ok(each().collect::<Result<Vec<_>, _>>()?.into_iter().any(|holds| holds)),
            _ => Err(broken()),
        }
    }
}
