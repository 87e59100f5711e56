//! The chain from an API key over a usage plan to the stage: all of it must hold, or API Gateway refuses the key.

use serde_json::Value;

use super::{TemplateError, api::flag, names::API_ID, scope::Scope};

/// Values of the enabled API keys in usage plans that name the API's stage.
pub(super) fn keys(scope: &Scope, stage_name: &str) -> Result<Vec<String>, TemplateError> {
    let mut keys = Vec::new();
    for (id, link) in scope.of_type("AWS::ApiGateway::UsagePlanKey") {
        let key = target(id, link, "KeyId")?;
        let plan = target(id, link, "UsagePlanId")?;
        let (Some(key_resource), Some(plan_resource)) = (scope.resources.get(key), scope.resources.get(plan)) else {
            return Err(TemplateError::UnknownReference { name: format!("{id}.KeyId or {id}.UsagePlanId") });
        };
        let properties = &key_resource["Properties"];
        let enabled = scope.read::<Value>(key, properties, "Enabled")?.as_ref().and_then(flag);
        if enabled == Some(true) && covers(scope, plan, plan_resource, stage_name)? {
            let value = scope.text(key, properties, "Value")?;
            keys.push(value.ok_or_else(|| TemplateError::unsupported(key, "a generated API key (give it a Value)"))?);
        }
    }
    Ok(keys)
}

fn covers(scope: &Scope, id: &str, plan: &Value, stage_name: &str) -> Result<bool, TemplateError> {
    let properties = &plan["Properties"];
    for limit in ["Throttle", "Quota"] {
        if properties.get(limit).is_some() {
            return Err(TemplateError::unsupported(format!("{id}.{limit}"), "a usage plan's own limit"));
        }
    }
    let stages: Vec<Value> = scope.read(id, properties, "ApiStages")?.unwrap_or_default();
    Ok(stages.iter().any(|stage| stage["ApiId"] == API_ID && stage["Stage"] == stage_name))
}

/// The logical id behind `!Ref`: names of keys and plans are made by AWS, so nothing else can be followed.
fn target<'a>(id: &str, link: &'a Value, property: &str) -> Result<&'a str, TemplateError> {
    link["Properties"][property]["Ref"]
        .as_str()
        .ok_or_else(|| TemplateError::unsupported(format!("{id}.{property}"), "anything but `!Ref` here"))
}
