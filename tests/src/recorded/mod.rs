//! The events of `events/`: what each is, and what its function must answer. The files are written from here, and every one
//! is invoked by the tests, in process and under `cargo lambda watch`.

use serde_json::Value;

mod api_gateway;
mod authorizer;
mod console;
mod insights;
mod management;

use local::seed::Seeded;

/// The value of the template's usage key, in the local account.
const USAGE_KEY: &str = "unthrottled-local-000000000000";

/// An event, and what is expected of it.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// The file's name without `.json`. It begins with the function's.
    pub name: &'static str,
    /// What it is.
    pub what: &'static str,
    /// What to expect, in words.
    pub answer: &'static str,
    /// What to expect, to compare.
    pub expected: Expected,
    /// The event.
    pub event: Value,
}

/// What a function must answer.
#[derive(Clone, Debug)]
pub enum Expected {
    /// An answer that has at least these members; a `body` is compared as JSON.
    Answer(Value),
    /// The same, and a secret is handed out with it.
    WithSecret(Value),
    /// The same, and a usage key that is not the template's: API Gateway refuses it.
    WithUnknownUsageKey(Value),
    /// An error with this message.
    Error(&'static str),
}

impl Recorded {
    /// The binary of the function that it is for.
    #[must_use]
    pub fn function(&self) -> &'static str {
        self.name.split_once('-').map_or(self.name, |(function, _)| function)
    }

    /// Compares an answer with what is expected.
    ///
    /// # Errors
    /// The answer, in words.
    pub fn check(&self, answer: &Result<Value, String>) -> Result<(), String> {
        let fits = match (&self.expected, answer) {
            (Expected::Answer(expected), Ok(answer)) => contains(answer, expected),
            (Expected::WithSecret(expected), Ok(answer)) => contains(answer, expected) && secret(answer),
            (Expected::WithUnknownUsageKey(expected), Ok(answer)) => {
                let key = answer["usageIdentifierKey"].as_str().unwrap_or_default();
                contains(answer, expected) && key.len() >= 20 && key != USAGE_KEY
            }
            (Expected::Error(expected), Err(message)) => expected == message,
            _ => false,
        };
        if fits { Ok(()) } else { Err(format!("{}: expected {:?}, found {answer:?}", self.name, self.expected)) }
    }
}

/// Every event, for the seeded keys.
#[must_use]
pub fn all(seeded: &Seeded) -> Vec<Recorded> {
    [authorizer::events(seeded), management::events(seeded), insights::events(seeded), console::events()].concat()
}

/// The rows of the table in `events/README.md`.
#[must_use]
pub fn table(events: &[Recorded]) -> String {
    let row = |event: &Recorded| format!("| `{}.json` | {} | {} |\n", event.name, event.what, event.answer);
    let head = "| Event | What it is | What to expect |\n|---|---|---|\n";
    head.to_owned() + &events.iter().map(row).collect::<String>()
}

/// Whether an answer, or its body, has a whole secret.
fn secret(answer: &Value) -> bool {
    let body = answer["body"].as_str().and_then(|body| serde_json::from_str::<Value>(body).ok());
    let secret = body.as_ref().unwrap_or(answer)["secret"].as_str();
    secret.is_some_and(|secret| secret.starts_with("mbk_test_") && secret.len() == 41)
}

/// Whether `value` has all that `part` has.
fn contains(value: &Value, part: &Value) -> bool {
    match (value, part) {
        (Value::Object(value), Value::Object(part)) => {
            part.iter().all(|(name, part)| value.get(name).is_some_and(|value| contains(value, part)))
        }
        (Value::String(text), Value::Object(_)) => serde_json::from_str(text).is_ok_and(|value: Value| contains(&value, part)),
        (Value::Array(value), Value::Array(part)) => {
            value.len() == part.len() && value.iter().zip(part).all(|(value, part)| contains(value, part))
        }
        _ => value == part,
    }
}
