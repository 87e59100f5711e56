//! What an authorizer's simple answer means to an HTTP API.

use serde_json::{Map, Value};

use super::super::invoke::InvokeError;

/// Whether a request may go on. What is known of the caller keeps its types: numbers stay numbers.
#[derive(Debug, PartialEq)]
pub(super) enum Verdict {
    /// `isAuthorized` is true.
    Allowed(Map<String, Value>),
    /// It is false. The caller learns nothing of the context.
    Refused(Map<String, Value>),
    /// There is no usable answer, for this reason.
    Failed(String),
}

/// Interprets an authorizer's answer. Every error is a fault, `Unauthorized` too: there is no 401 for an authorizer to give.
pub(super) fn of(answer: Result<Value, InvokeError>) -> Verdict {
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => return Verdict::Failed(error.to_string()),
    };
    let context = match &answer["context"] {
        Value::Null => Map::new(),
        Value::Object(context) => context.clone(),
        _ => return Verdict::Failed("context must be a map".to_owned()),
    };
    match answer["isAuthorized"].as_bool() {
        Some(true) => Verdict::Allowed(context),
        Some(false) => Verdict::Refused(context),
        None => Verdict::Failed("isAuthorized is missing or isn't a boolean".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_a_true_boolean_lets_in_and_only_a_false_one_refuses() {
        let context = json!({ "n": 3 });
        let map = context.as_object().unwrap().clone();
        assert_eq!(of(Ok(json!({ "isAuthorized": true, "context": context }))), Verdict::Allowed(map.clone()));
        assert_eq!(of(Ok(json!({ "isAuthorized": false, "context": context }))), Verdict::Refused(map));
        assert_eq!(of(Ok(json!({ "isAuthorized": true }))), Verdict::Allowed(Map::new()));
        for bad in [
            json!(null),
            json!(true),
            json!({}),
            json!({ "isAuthorized": "true" }),
            json!({ "isAuthorized": 1 }),
            json!({ "isAuthorized": true, "context": "x" }),
            json!({ "principalId": "k", "policyDocument": { "Statement": [{ "Effect": "Allow" }] } }),
        ] {
            assert!(matches!(of(Ok(bad.clone())), Verdict::Failed(_)), "{bad}");
        }
        for error in [InvokeError::Function("Unauthorized".to_owned()), InvokeError::Panic] {
            assert!(matches!(of(Err(error)), Verdict::Failed(_)));
        }
    }
}
