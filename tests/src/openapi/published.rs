//! This document itself.

use serde_json::{Value, json};
use shared::error::Code;

use super::{
    Described,
    operation::{Access, Operation},
};

pub(super) fn routes() -> Vec<Described> {
    let headers = ["Document-ETag", "Document-Cache-Control", "Access-Control-Allow-Origin", "Access-Control-Expose-Headers"];
    let operation = Operation::new(Access::Anybody, "Description", "getDescription", "Read this document")
        .takes([json!({
            "name": "If-None-Match",
            "in": "header",
            "description": "ETags of former answers: with that of this document, it isn't sent again.",
            "schema": { "type": "string" },
        })])
        .answers_with(200, "This document.", &headers, json!({ "application/json": { "schema": { "type": "object" } } }))
        .answers_with(304, "It is the one that the caller has.", &headers, Value::Null)
        .refuses([Code::UnknownField]);
    vec![("get", "/v1/openapi.json", operation)]
}
