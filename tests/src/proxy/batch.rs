//! A batch of statements of which the table takes a part.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::{Value, json};

use super::Reply;

/// The operation.
pub(super) const OPERATION: &str = "BatchExecuteStatement";

/// The statements that are refused, by index, each with the code of its error.
pub type Refused = BTreeMap<usize, &'static str>;

/// What is left of the request for the engine to do; none if that is nothing.
pub(super) fn left(request: &Value, refused: &Refused) -> Option<Bytes> {
    let statements = request["Statements"].as_array().cloned().unwrap_or_default();
    let statements = statements.into_iter().enumerate().filter(|(index, _)| !refused.contains_key(index));
    let statements: Vec<Value> = statements.map(|(_, statement)| statement).collect();
    (!statements.is_empty()).then(|| json!({ "Statements": statements }).to_string().into())
}

/// The engine's answer to what was left, with the errors of the others in their places.
pub(super) fn with_errors(answer: &[u8], refused: &Refused) -> Reply {
    let mut answer: Value = serde_json::from_slice(answer).unwrap_or_default();
    let mut responses = answer["Responses"].as_array_mut().map(std::mem::take).unwrap_or_default();
    for (index, code) in refused {
        responses.insert((*index).min(responses.len()), json!({ "Error": { "Code": code, "Message": "refused" } }));
    }
    Reply { status: http::StatusCode::OK, body: json!({ "Responses": responses }).to_string().into() }
}
