//! Invoking a function as Lambda does: in time or not at all, and never with its panic.

use std::time::Duration;

use serde_json::Value;
use tokio::task::JoinError;

use crate::Invoke;

/// Why an invocation gave no answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum InvokeError {
    /// The function returned this error.
    Function(String),
    /// The function panicked.
    Panic,
    /// The function took longer than it may.
    TimedOut(Duration),
}

impl std::fmt::Display for InvokeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Function(message) => f.write_str(message),
            Self::Panic => f.write_str("the function panicked"),
            Self::TimedOut(after) => {
                write!(f, "the function took longer than {} s", after.as_secs_f32())
            }
        }
    }
}

/// Runs a function to its end or its timeout.
///
/// It runs in a task of its own: a caller that hangs up doesn't stop it halfway, and its panic stays in there.
pub(super) async fn invoke(function: &Invoke, event: Value, timeout: Duration) -> Result<Value, InvokeError> {
    let function = function.clone();
    let task = tokio::spawn(async move { function(event).await });
    let stop = task.abort_handle();
    match tokio::time::timeout(timeout, task).await {
        Ok(Ok(answer)) => answer.map_err(InvokeError::Function),
        Ok(Err(error)) => Err(ended(&error)),
        Err(_) => {
            stop.abort();
            Err(InvokeError::TimedOut(timeout))
        }
    }
}

fn ended(error: &JoinError) -> InvokeError {
    if error.is_panic() { InvokeError::Panic } else { InvokeError::Function("the runtime is stopping".to_owned()) }
}
