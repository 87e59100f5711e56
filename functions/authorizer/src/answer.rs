//! Verdicts in API Gateway's words.
//!
//! A REST API knows three: the error `Unauthorized` (401), a Deny with a context (403), and an Allow. A fourth is made of
//! an Allow with a usage key that no plan has: API Gateway refuses it as an invalid API key, which the template maps to 429.
//! That fails closed only where the method requires a usage key, so an API must ask for it by a stage variable.

use serde_json::{Map, Value, json};
use shared::{
    authenticator::Decided,
    context,
    decision::Refusal,
    error::Code,
    lambda::Failure,
    verify::{Outcome, Verdict},
};

use crate::event::{Event, Kind};

/// The longest policy resource that API Gateway takes, in characters.
const LONGEST_RESOURCE: usize = 512;

/// The two usage keys: the one that the unthrottled plan has, and one that none has.
pub(crate) struct Answers {
    pub(crate) usage_key: String,
    pub(crate) unknown_usage_key: String,
}

impl Answers {
    pub(crate) fn of(&self, event: &Event, decided: &Decided) -> Result<Value, Failure> {
        match decided {
            Decided::Verdict(verdict) => self.verdict(event, verdict),
            Decided::NoKey(why) => unauthorized(event, why.code()),
            Decided::Undecided(_) => Err(Failure::INTERNAL),
        }
    }

    fn verdict(&self, event: &Event, verdict: &Verdict) -> Result<Value, Failure> {
        let context = context::of(verdict);
        let principal = verdict.record().map_or("unknown", |record| record.id.as_str());
        let refusal = match &verdict.outcome {
            Outcome::Allowed { .. } => return Ok(self.allow(event, principal, context, &self.usage_key)),
            Outcome::Refused { refusal, .. } => refusal,
        };
        match refusal {
            Refusal::Limited { .. } if event.answers_429() => Ok(self.allow(event, principal, context, &self.unknown_usage_key)),
            Refusal::Limited { .. } | Refusal::Address | Refusal::Scope => Ok(deny(event, principal, context)),
            Refusal::Unknown | Refusal::Revoked | Refusal::Disabled | Refusal::Expired | Refusal::Replaced => {
                unauthorized(event, refusal.code())
            }
        }
    }

    fn allow(&self, event: &Event, principal: &str, context: Map<String, Value>, usage_key: &str) -> Value {
        let mut answer = answer(event, "Allow", principal, context);
        if let (Kind::Rest, Some(fields)) = (event.kind, answer.as_object_mut()) {
            fields.insert("usageIdentifierKey".to_owned(), json!(usage_key));
        }
        answer
    }
}

/// A key that is none. A REST API answers 401 for the error alone; an HTTP API has no way to say more than no.
fn unauthorized(event: &Event, code: Code) -> Result<Value, Failure> {
    match event.kind {
        Kind::Rest | Kind::HttpPolicy => Err(Failure::UNAUTHORIZED),
        Kind::HttpSimple => Ok(json!({ "isAuthorized": false, "context": { "code": code.as_str() } })),
    }
}

fn deny(event: &Event, principal: &str, context: Map<String, Value>) -> Value {
    answer(event, "Deny", principal, context)
}

fn answer(event: &Event, effect: &str, principal: &str, context: Map<String, Value>) -> Value {
    if event.kind == Kind::HttpSimple {
        return json!({ "isAuthorized": effect == "Allow", "context": context });
    }
    json!({
        "principalId": principal,
        "policyDocument": {
            "Version": "2012-10-17",
            // This method and no other: a cached answer must not open or close anything else.
            "Statement": [{ "Action": "execute-api:Invoke", "Effect": effect, "Resource": resource(&event.arn) }],
        },
        "context": context,
    })
}

/// The method's ARN, which may be three times as long as a policy resource: then its beginning, and a wildcard.
fn resource(arn: &str) -> String {
    if arn.chars().count() <= LONGEST_RESOURCE {
        return arn.to_owned();
    }
    arn.chars().take(LONGEST_RESOURCE - 1).chain(['*']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_arns_are_shortened_between_characters() {
        let arn = |length: usize| "é".repeat(length);
        assert_eq!(resource(&arn(512)), arn(512));
        assert_eq!(resource(&arn(513)), format!("{}*", arn(511)));
    }
}
