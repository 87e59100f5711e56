//! Parameters, in paths, queries and headers.

use serde_json::{Value, json};
use shared::{http::PageSize, idempotency, key::Environment, owner::OwnerType, plan};

use super::{
    schema::{between, named, one_of, text},
    values::owner_id,
};

/// A reference to the parameter of that name.
pub(super) fn shared(name: &str) -> Value {
    json!({ "$ref": format!("#/components/parameters/{name}") })
}

/// A parameter of the query, which may be missing.
pub(super) fn query(name: &str, description: &str, schema: Value) -> Value {
    json!({ "name": name, "in": "query", "description": description, "schema": schema })
}

/// `limit`.
pub(super) fn limit(size: PageSize) -> Value {
    let mut schema = between(1, size.most.into());
    schema["default"] = json!(size.default);
    query("limit", "The most entries of a page.", schema)
}

/// A plan's name.
pub(super) fn plan_name() -> Value {
    // One may be followed by all but the longest rest.
    json!({ "type": "string", "pattern": format!("^[a-z0-9][a-z0-9-]{{0,{}}}$", plan::LONGEST_NAME - 1), "examples": ["basic"] })
}

fn path(name: &str, description: &str, schema: Value) -> Value {
    json!({ "name": name, "in": "path", "required": true, "description": description, "schema": schema })
}

fn header(name: &str, description: &str, schema: Value) -> Value {
    json!({ "name": name, "in": "header", "description": description, "schema": schema })
}

/// Those that several routes have.
pub(super) fn all() -> Value {
    let tags = r#"^(\*|(W/)?"[!#-~]*"([ \t]*,[ \t]*(W/)?"[!#-~]*")*)$"#;
    let (kinds, environments) = (OwnerType::ALL.map(OwnerType::as_str), Environment::ALL.map(Environment::as_str));
    let longest = idempotency::LONGEST;
    json!({
        "KeyId": path("id", "The key's id.", named("KeyId")),
        "OwnerType": path("type", "What the owner is.", one_of(kinds)),
        "OwnerId": path("id", "The owner's id.", owner_id()),
        "PlanName": path("name", "The plan's name.", plan_name()),
        "OwnerTypeSought": query("owner_type", "The owner's type, together with `owner_id`.", one_of(kinds)),
        "OwnerIdSought": query("owner_id", "The owner's id, together with `owner_type`.", owner_id()),
        "EnvironmentSought": query("environment", "An environment, instead of an owner.", one_of(environments)),
        "Cursor": query("cursor", "The `next_cursor` of the page before, of the same list.", text()),
        "IfMatch": header(
            "If-Match",
            "The change is made only if the key has one of these versions: ETags of former answers, or `*`.",
            json!({ "type": "string", "pattern": tags, "examples": ["\"7\""] }),
        ),
        "IdempotencyKey": header(
            "Idempotency-Key",
            "A text of your own for this request. Within a day, the same request with the same text is made once; a repetition gets a \
             new secret in the place of the one that was lost.",
            json!({
                "type": "string",
                "pattern": format!("^(\"[!#-~]{{1,{longest}}}\"|[!#-~]{{1,{longest}}})$"),
                "examples": ["8e03978e-40d5-43e8-bc93-6894a57f9324"],
            }),
        ),
    })
}
