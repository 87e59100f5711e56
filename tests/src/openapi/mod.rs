//! The description of the API (OpenAPI 3.1), made of the constants and closed lists that the code itself uses.
//!
//! Requests are read by a reader of our own and answers are written by hand (`shared/src/input.rs`, `shared/src/view.rs`), so there
//! are no types to derive it from. It is said here once more, by group of routes. Every answer that a test's `Stack` gets is held
//! against it (`held.rs`), and `tests/suite/openapi` does the same with what functions take.

use serde_json::{Map, Value, json};

mod audit;
mod check;
pub mod held;
mod keys;
mod operation;
mod own;
mod owners;
mod parameters;
mod plans;
mod problems;
mod published;
mod rotation;
mod schema;
mod usage;
mod values;

use operation::{Operation, headers};

/// Where the description is committed, and what the function `insights` serves.
pub const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../functions/insights/openapi.json");

/// What routes are about, in the order in which readers meet them.
const TAGS: [(&str, &str); 7] = [
    ("Keys", "Issue keys, look at them, change them, and end them. For administrators."),
    ("Owners", "What belongs to all keys of one user or service. For administrators."),
    ("Plans", "Named sets of scopes and limits that keys are issued with. For administrators."),
    ("Usage", "How often keys were used, for bills and quotas. For administrators."),
    ("Audit", "Each attempt with a key, each change, and what would come of a request. For administrators."),
    ("Self", "What a key may ask and do about itself. For whoever holds one."),
    ("Description", "This document. For everybody."),
];

const ABOUT: &str = "Issue, limit, rotate, watch and revoke API keys.

Send a key in the header `X-API-Key`. Routes need one with the scope `admin`, but for `/v1/self`, which answers to every key about \
itself. Bodies are JSON; a field that doesn't exist is refused, not ignored. Answers may get further members. Times are \
UTC. Lists come in pages: send `next_cursor` back as `cursor` until it is `null`. Every error is a problem document (RFC 9457); decide by \
its `code`. After a 5xx to a change, send the same again: nothing is done twice, if new keys are issued with an \
`Idempotency-Key`.";

/// A method, a path, and what there is to know of it.
type Described = (&'static str, &'static str, Operation);

/// A name, and the schema of that name.
type Named = (&'static str, Value);

/// The description.
#[must_use]
pub fn document() -> Value {
    let gateway = &crate::stack::template().gateway_responses;
    let (mut paths, mut responses) = (Map::new(), Map::new());
    let groups = [keys::routes(), rotation::routes(), owners::routes(), plans::routes(), usage::routes(), audit::routes()];
    let rest = [check::routes(), own::routes(), published::routes()];
    for (method, path, operation) in groups.into_iter().chain(rest).flatten() {
        let problems = problems::of(&operation, path, gateway);
        let item = paths.entry(path).or_insert_with(|| json!({}));
        item[method] = operation.show(&problems);
        responses.extend(problems.into_iter().map(|problem| (problem.name(), problem.show())));
    }
    responses.sort_keys();
    let schemas =
        [values::schemas(), keys::schemas(), rotation::schemas(), owners::schemas(), plans::schemas(), usage::schemas()];
    let rest = [audit::schemas(), check::schemas(), own::schemas(), problems::schemas()];
    let schemas = schemas.into_iter().chain(rest).flatten().map(|(name, schema)| (name.to_owned(), schema));
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "API keys",
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        // Relative to where this document was read, so that it holds behind every stage and domain.
        "servers": [{ "url": "..", "description": "the API that this document comes from" }],
        "security": [{ "apiKey": [] }],
        "tags": TAGS.map(|(name, description)| json!({ "name": name, "description": description })),
        "paths": paths,
        "components": {
            "securitySchemes": {
                "apiKey": { "type": "apiKey", "in": "header", "name": "X-API-Key", "description": "A key's secret." },
            },
            "parameters": parameters::all(),
            "headers": headers(),
            "responses": responses,
            "schemas": schemas.collect::<Map<_, _>>(),
        },
    })
}

/// The description as it is committed.
#[must_use]
pub fn text() -> String {
    format!("{:#}\n", document())
}
