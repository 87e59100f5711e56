//! One warm authorizer: its caches, its clock and its wire are its own.

use authorizer::Authorizer;
use serde_json::Value;
use shared::lambda::{Failure, Function};

use crate::{event::Call, wire::Wire};

/// An authorizer as one sandbox has it.
pub struct Instance {
    authorizer: Authorizer,
    usage_key: String,
    /// What goes to the engine.
    pub wire: Wire,
}

/// What an authorizer's answer means to API Gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Allow, with the usage key of the plan.
    Allowed,
    /// Allow with a usage key that no plan has: API Gateway answers 429.
    Limited,
    /// Deny: 403, with this code.
    Denied(String),
    /// The error `Unauthorized`: 401.
    Unauthorized,
    /// Any other error: 500.
    Fault,
}

impl Instance {
    /// Wraps a warm authorizer.
    #[must_use]
    pub const fn new(authorizer: Authorizer, usage_key: String, wire: Wire) -> Self {
        Self { authorizer, usage_key, wire }
    }

    /// What `GET /example` with `key` comes to.
    pub async fn get(&self, key: &str) -> Answer {
        self.call(&Call::get(key)).await
    }

    /// What a request to a REST API comes to.
    pub async fn call(&self, call: &Call<'_>) -> Answer {
        self.read(&self.answer(call.rest()).await)
    }

    /// What the authorizer answers.
    ///
    /// # Errors
    /// Those of the authorizer.
    pub async fn answer(&self, event: Value) -> Result<Value, Failure> {
        // Boxed, because the compiler gives up on layouts as deep as a test's around an SDK call's.
        Box::pin(self.authorizer.call(event)).await
    }

    /// The context of an allowed `GET /example`.
    pub async fn context(&self, key: &str) -> Value {
        self.answer(Call::get(key).rest()).await.map(|answer| answer["context"].clone()).unwrap_or_default()
    }

    /// Waits for the work that answers have left behind.
    pub async fn settle(&self) {
        self.authorizer.authenticator().afterwards().idle().await;
    }

    /// Writes all copies of the audit, as at the end of the sandbox.
    pub async fn close(&self) {
        self.settle().await;
        self.end().await;
    }

    /// The same, whatever is still being done.
    pub async fn end(&self) {
        self.authorizer.authenticator().trail().close().await;
    }

    /// What an answer means to API Gateway.
    #[must_use]
    pub fn read(&self, answer: &Result<Value, Failure>) -> Answer {
        match answer {
            Err(failure) if *failure == Failure::UNAUTHORIZED => Answer::Unauthorized,
            Err(_) => Answer::Fault,
            Ok(answer) => {
                let statement = &answer["policyDocument"]["Statement"][0];
                match (statement["Effect"].as_str(), answer["usageIdentifierKey"].as_str()) {
                    (Some("Allow"), Some(key)) if key == self.usage_key => Answer::Allowed,
                    (Some("Allow"), Some(_)) => Answer::Limited,
                    (Some("Deny"), None) => Answer::Denied(answer["context"]["code"].as_str().unwrap_or_default().to_owned()),
                    _ => Answer::Fault,
                }
            }
        }
    }
}
