//! What an authorizer's answer means to API Gateway.

use std::collections::BTreeMap;

use serde_json::Value;

use super::invoke::InvokeError;
use super::policy::{self, Decision};
use super::response_type::ResponseType;

/// Who the authorizer says the caller is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Caller {
    pub(super) principal_id: String,
    /// The context, every value as text, as functions get it.
    pub(super) context: BTreeMap<String, String>,
    /// `usageIdentifierKey`
    pub(super) usage_key: Option<String>,
}

/// Whether a request may go on.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The policy allows this method.
    Allowed(Caller),
    /// The policy denies it; the context can be shown to the caller.
    Denied { caller: Caller, explicit: bool },
    /// There is no usable answer, and so no context.
    Failed { response: ResponseType, reason: String },
}

/// Interprets an authorizer's answer for the method with this ARN.
pub(super) fn of(answer: Result<Value, InvokeError>, method_arn: &str) -> Verdict {
    let answer = match answer {
        Ok(answer) => answer,
        // Only this exact text is a 401; anything else is the authorizer's own fault.
        Err(InvokeError::Function(message)) if message == "Unauthorized" => {
            return Verdict::Failed { response: ResponseType::Unauthorized, reason: message };
        }
        Err(error) => {
            return Verdict::Failed { response: ResponseType::AuthorizerFailure, reason: error.to_string() };
        }
    };
    let misconfigured = |reason: String| Verdict::Failed { response: ResponseType::AuthorizerConfigurationError, reason };
    let caller = match caller(&answer) {
        Ok(caller) => caller,
        Err(reason) => return misconfigured(reason),
    };
    match policy::evaluate(&answer["policyDocument"], "execute-api:Invoke", method_arn) {
        Ok(Decision::Allow) => Verdict::Allowed(caller),
        Ok(decision) => Verdict::Denied { caller, explicit: decision == Decision::ExplicitDeny },
        Err(error) => misconfigured(error.to_string()),
    }
}

fn caller(answer: &Value) -> Result<Caller, String> {
    let principal_id = answer["principalId"].as_str().filter(|id| !id.is_empty());
    let context = match &answer["context"] {
        Value::Null => BTreeMap::new(),
        Value::Object(map) => {
            map.iter().map(|(name, value)| Ok((name.clone(), stringified(name, value)?))).collect::<Result<_, String>>()?
        }
        _ => return Err("context must be a map".to_owned()),
    };
    let usage_key = match &answer["usageIdentifierKey"] {
        Value::Null => None,
        Value::String(key) => Some(key.clone()),
        _ => return Err("usageIdentifierKey must be text".to_owned()),
    };
    let principal_id = principal_id.ok_or("principalId is missing or isn't text")?.to_owned();
    Ok(Caller { principal_id, context, usage_key })
}

/// API Gateway takes texts, numbers and booleans. A null is refused as well: leave the name out instead.
fn stringified(name: &str, value: &Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(flag) => Ok(flag.to_string()),
        _ => Err(format!("context.{name} must be text, a number or a boolean")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn failed(answer: Result<Value, InvokeError>) -> ResponseType {
        match of(answer, "arn") {
            Verdict::Failed { response, .. } => response,
            other => panic!("{other:?}"),
        }
    }

    fn answer(change: impl FnOnce(&mut Value)) -> Value {
        let statement = json!({"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "arn"});
        let mut answer = json!({
            "principalId": "key_1",
            "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
            "context": {"text": "a", "number": 3, "flag": true},
            "usageIdentifierKey": "k",
        });
        change(&mut answer);
        answer
    }

    #[test]
    fn an_allowed_caller_has_a_stringified_context() {
        let Verdict::Allowed(caller) = of(Ok(answer(|_| {})), "arn") else { panic!("allowed") };
        assert_eq!((caller.principal_id.as_str(), caller.usage_key.as_deref()), ("key_1", Some("k")));
        assert_eq!((caller.context["number"].as_str(), caller.context["flag"].as_str()), ("3", "true"));
    }

    #[test]
    fn a_denied_caller_keeps_its_context() {
        let denied = of(
            Ok(answer(|a| {
                a["policyDocument"]["Statement"][0]["Effect"] = "Deny".into();
            })),
            "arn",
        );
        assert!(matches!(denied, Verdict::Denied { explicit: true, ref caller } if caller.context["text"] == "a"));
        assert!(matches!(of(Ok(answer(|_| {})), "other"), Verdict::Denied { explicit: false, .. }));
    }

    #[test]
    fn only_the_exact_word_is_a_401() {
        let error = |text: &str| failed(Err(InvokeError::Function(text.to_owned())));
        assert_eq!(error("Unauthorized"), ResponseType::Unauthorized);
        assert_eq!(error("unauthorized"), ResponseType::AuthorizerFailure);
        assert_eq!(error("Unauthorized."), ResponseType::AuthorizerFailure);
        assert_eq!(failed(Err(InvokeError::Panic)), ResponseType::AuthorizerFailure);
    }

    #[test]
    fn a_malformed_answer_is_a_configuration_error() {
        let malformed = |change: fn(&mut Value)| failed(Ok(answer(change)));
        for change in [
            (|a| a["principalId"] = Value::Null) as fn(&mut Value),
            |a| a["context"]["nested"] = json!({}),
            |a| a["context"]["list"] = json!([]),
            |a| a["context"] = json!("text"),
            |a| a["policyDocument"] = Value::Null,
            |a| a["usageIdentifierKey"] = json!(1),
            |a| *a = json!("Allow"),
        ] {
            assert_eq!(malformed(change), ResponseType::AuthorizerConfigurationError);
        }
    }
}
