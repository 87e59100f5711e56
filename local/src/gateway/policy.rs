//! The IAM policy that an authorizer returns, evaluated as IAM does.

use serde::Deserialize;
use serde_json::Value;

/// API Gateway's limit for one `Resource` in an authorizer's policy, in characters.
const LONGEST_RESOURCE: usize = 512;

/// What a policy says about one action on one resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// A statement allows it and none denies it.
    Allow,
    /// A statement denies it, which beats every allowance.
    ExplicitDeny,
    /// No statement speaks of it.
    ImplicitDeny,
}

/// Why API Gateway can't use a policy: it answers AUTHORIZER_CONFIGURATION_ERROR.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// The document has another shape than a policy.
    #[error("the policy document is malformed: {0}; return Version and Statement with Effect, Action and Resource")]
    Malformed(String),
    /// A resource is longer than API Gateway accepts.
    #[error("a Resource of the policy has {0} characters, but API Gateway takes 512; shorten it with a trailing *")]
    TooLong(usize),
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Document {
    version: Option<String>,
    #[allow(dead_code, reason = "an Id is allowed and means nothing")]
    id: Option<String>,
    statement: OneOrMany<Statement>,
}

/// `NotAction`, `NotResource` and `Condition` would change the meaning, so they are refused rather than ignored.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Statement {
    #[allow(dead_code, reason = "a Sid is allowed and means nothing")]
    sid: Option<String>,
    effect: Effect,
    action: OneOrMany<String>,
    resource: OneOrMany<String>,
}

#[derive(Deserialize, PartialEq)]
enum Effect {
    Allow,
    Deny,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

impl<T> OneOrMany<T> {
    fn as_slice(&self) -> &[T] {
        match self {
            Self::One(item) => std::slice::from_ref(item),
            Self::Many(items) => items,
        }
    }
}

/// Evaluates a policy document: an explicit deny first, then any allowance, else denied.
///
/// # Errors
/// [`PolicyError`] if API Gateway wouldn't accept the document.
pub fn evaluate(document: &Value, action: &str, resource: &str) -> Result<Decision, PolicyError> {
    let malformed = |e: &dyn std::fmt::Display| PolicyError::Malformed(e.to_string());
    let document: Document = Document::deserialize(document).map_err(|e| malformed(&e))?;
    if !matches!(document.version.as_deref(), None | Some("2012-10-17" | "2008-10-17")) {
        return Err(malformed(&"its Version is unknown"));
    }
    let statements = document.statement.as_slice();
    if statements.is_empty() {
        return Err(malformed(&"it has no statement"));
    }
    let mut decision = Decision::ImplicitDeny;
    for statement in statements {
        let resources = statement.resource.as_slice();
        if statement.action.as_slice().is_empty() || resources.is_empty() {
            return Err(malformed(&"a statement has no Action or no Resource"));
        }
        if let Some(length) = resources.iter().map(|text| text.chars().count()).find(|n| *n > LONGEST_RESOURCE) {
            return Err(PolicyError::TooLong(length));
        }
        // IAM compares actions without regard to case, resources with it.
        let action = action.to_ascii_lowercase();
        let speaks = statement.action.as_slice().iter().any(|p| matches(&p.to_ascii_lowercase(), &action))
            && resources.iter().any(|pattern| matches(pattern, resource));
        match (&statement.effect, speaks) {
            (_, false) => {}
            (Effect::Deny, true) => decision = Decision::ExplicitDeny,
            (Effect::Allow, true) if decision == Decision::ImplicitDeny => {
                decision = Decision::Allow;
            }
            (Effect::Allow, true) => {}
        }
    }
    Ok(decision)
}

/// IAM's wildcards: `*` is any number of characters, slashes and colons included, `?` exactly one.
///
/// Linear in the common case and never exponential: only the last `*` is ever tried again.
#[must_use]
pub fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(c) if *c == '?' || *c == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((at, taken)) => {
                    star = Some((at, taken + 1));
                    p = at + 1;
                    t = taken + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    const ARN: &str = "arn:aws:execute-api:us-east-1:000000000000:local/live/GET/example/a";

    fn decide(statement: &Value) -> Result<Decision, PolicyError> {
        evaluate(&json!({"Version": "2012-10-17", "Statement": statement}), "execute-api:Invoke", ARN)
    }

    fn statement(effect: &str, resource: &str) -> Value {
        json!({"Effect": effect, "Action": "execute-api:Invoke", "Resource": resource})
    }

    #[test]
    fn allows_what_a_statement_names() {
        assert_eq!(decide(&statement("Allow", ARN)), Ok(Decision::Allow));
        assert_eq!(decide(&json!([statement("Allow", "arn:*/live/GET/*")])), Ok(Decision::Allow));
        let lists = json!({"Effect": "Allow", "Action": ["s3:*", "EXECUTE-API:*"], "Resource": ["x", ARN]});
        assert_eq!(decide(&lists), Ok(Decision::Allow));
    }

    #[test]
    fn what_no_statement_names_is_denied() {
        assert_eq!(decide(&statement("Allow", &ARN.to_uppercase())), Ok(Decision::ImplicitDeny));
        assert_eq!(decide(&statement("Allow", &ARN.replace("/GET/", "/POST/"))), Ok(Decision::ImplicitDeny));
        let other = json!({"Effect": "Allow", "Action": "execute-api:ManageConnections", "Resource": "*"});
        assert_eq!(decide(&other), Ok(Decision::ImplicitDeny));
    }

    #[test]
    fn an_explicit_deny_wins_in_any_order() {
        let (allow, deny) = (statement("Allow", "*"), statement("Deny", ARN));
        assert_eq!(decide(&json!([allow, deny])), Ok(Decision::ExplicitDeny));
        assert_eq!(decide(&json!([deny, allow])), Ok(Decision::ExplicitDeny));
    }

    #[test]
    fn what_api_gateway_would_not_accept_is_an_error() {
        let malformed = |value: Value| matches!(decide(&value), Err(PolicyError::Malformed(_)));
        assert!(malformed(json!([])));
        assert!(malformed(json!("Allow")));
        assert!(malformed(statement("allow", ARN)));
        assert!(malformed(json!({"Effect": "Allow", "Action": "*"})));
        assert!(malformed(json!({"Effect": "Allow", "Action": "*", "Resource": []})));
        assert!(malformed(json!({"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {}})));
        assert!(matches!(evaluate(&Value::Null, "a", "b"), Err(PolicyError::Malformed(_))));
        assert!(matches!(
            evaluate(&json!({"Version": "2020-01-01", "Statement": statement("Allow", "*")}), "a", "b"),
            Err(PolicyError::Malformed(_))
        ));
        assert_eq!(decide(&statement("Allow", &"a".repeat(513))), Err(PolicyError::TooLong(513)));
        assert_eq!(decide(&statement("Allow", &"a".repeat(512))), Ok(Decision::ImplicitDeny));
    }

    /// The definition, word for word.
    fn naive(pattern: &[char], text: &[char]) -> bool {
        match (pattern, text) {
            ([], []) => true,
            (['*', rest @ ..], _) => naive(rest, text) || (!text.is_empty() && naive(pattern, &text[1..])),
            (['?', rest @ ..], [_, text @ ..]) => naive(rest, text),
            ([c, rest @ ..], [d, text @ ..]) => c == d && naive(rest, text),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn wildcards_match_as_defined(pattern in "[ab/*?é]{0,10}", text in "[ab/é]{0,10}") {
            let (p, t): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
            prop_assert_eq!(matches(&pattern, &text), naive(&p, &t));
        }
    }
}
