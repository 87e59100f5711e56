//! A template's document: its parameters chosen, its globals merged, and what its conditions leave out gone.

use std::cell::Cell;
use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::scope::Scope;
use super::{TemplateError, parameters, yaml};

pub(super) struct Document {
    pub(super) scope: Scope,
    outputs: Map<String, Value>,
}

impl Document {
    /// Reads a text; `choose` makes the choices among its parameters, and `imports` is what other stacks export.
    pub(super) fn read(
        text: &str,
        choose: impl FnOnce(&Map<String, Value>) -> BTreeMap<String, String>,
        imports: BTreeMap<String, String>,
    ) -> Result<Self, TemplateError> {
        let mut document = yaml::to_json(text)?;
        let mut section = |name: &str| match document.get_mut(name).map(Value::take) {
            None | Some(Value::Null) => Ok(Map::new()),
            Some(Value::Object(map)) => Ok(map),
            Some(_) => Err(TemplateError::shape(name, "it must be a map")),
        };
        let globals = Value::Object(section("Globals")?);
        let declared = section("Parameters")?;
        let mut scope = Scope {
            parameters: parameters::values(&declared, &choose(&declared))?,
            conditions: section("Conditions")?,
            mappings: Value::Object(section("Mappings")?),
            imports,
            resources: section("Resources")?,
            depth: Cell::default(),
        };
        scope.drop_conditional()?;
        apply_globals(&mut scope, &globals);
        Ok(Self { scope, outputs: section("Outputs")? })
    }

    /// What other stacks may import, by name.
    pub(super) fn exports(&self) -> Result<BTreeMap<String, String>, TemplateError> {
        let mut exports = BTreeMap::new();
        for (name, output) in &self.outputs {
            let left_out = match output["Condition"].as_str() {
                Some(condition) => !self.scope.condition(condition, 0)?,
                None => false,
            };
            // What isn't exported is for people, and may name what isn't known here.
            let export = if left_out { None } else { output.get("Export") };
            if let Some(export) = export {
                let export = self.scope.text(name, export, "Name")?;
                let value = self.scope.text(name, output, "Value")?;
                exports.extend(export.zip(value));
            }
        }
        Ok(exports)
    }
}

/// Merges SAM's `Globals` into the resources, as SAM does: maps deeply, lists one after the other, the rest overridden.
fn apply_globals(scope: &mut Scope, globals: &Value) {
    for (section, kind) in [("Function", "AWS::Serverless::Function"), ("Api", "AWS::Serverless::Api")] {
        let Some(shared) = globals.get(section) else {
            continue;
        };
        for resource in scope.resources.values_mut().filter(|resource| resource["Type"] == kind) {
            let own = resource["Properties"].take();
            resource["Properties"] = merged(shared.clone(), own);
        }
    }
}

fn merged(shared: Value, own: Value) -> Value {
    match (shared, own) {
        (shared, Value::Null) => shared,
        (Value::Object(mut shared), Value::Object(own)) => {
            for (key, value) in own {
                let value = merged(shared.remove(&key).unwrap_or_default(), value);
                shared.insert(key, value);
            }
            Value::Object(shared)
        }
        (Value::Array(shared), Value::Array(own)) => shared.into_iter().chain(own).collect(),
        (_, own) => own,
    }
}
