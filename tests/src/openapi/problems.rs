//! How each route refuses: with the codes of its function, and with those that API Gateway and the authorizer have before it.

use std::collections::{BTreeMap, BTreeSet};

use local::template::GatewayResponse;
use serde_json::{Value, json};
use shared::error::Code;

use super::{
    Named,
    operation::{self, Access, Operation},
    schema::{Object, about, named, text},
};

/// The gateway responses of every method.
const ALWAYS: [&str; 6] =
    ["THROTTLED", "QUOTA_EXCEEDED", "API_CONFIGURATION_ERROR", "INTEGRATION_FAILURE", "INTEGRATION_TIMEOUT", "REQUEST_TOO_LARGE"];

/// Those of a method that needs a key.
const KEYED: [&str; 4] = ["UNAUTHORIZED", "INVALID_API_KEY", "AUTHORIZER_FAILURE", "AUTHORIZER_CONFIGURATION_ERROR"];

/// The status of a response whose template keeps that of the error: a request that API Gateway can't read, and a function that ends
/// without an answer.
const KEPT: [(&str, u16); 2] = [("DEFAULT_4XX", 400), ("DEFAULT_5XX", 502)];

/// One status of an operation, with every code that may come with it.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    pub(super) status: u16,
    codes: BTreeSet<String>,
}

/// How `operation` of `path` refuses, by status.
pub(super) fn of(operation: &Operation, path: &str, gateway: &BTreeMap<String, GatewayResponse>) -> Vec<Problem> {
    let mut codes = BTreeMap::<u16, BTreeSet<String>>::new();
    let mut add = |status: u16, code: &str| codes.entry(status).or_default().insert(code.to_owned());
    for code in operation.codes.iter().chain(denials(operation.access)) {
        add(code.status().as_u16(), code.as_str());
    }
    let keyed = KEYED.iter().filter(|_| operation.access != Access::Anybody);
    // What should be a parameter may be the name of another route, which hasn't this method.
    let other = ["MISSING_AUTHENTICATION_TOKEN"].iter().filter(|_| path.contains('{'));
    for kind in ALWAYS.iter().chain(keyed).chain(other) {
        let response = &gateway[*kind];
        add(response.status.expect("a status of its own"), &code(response));
    }
    for (kind, status) in KEPT {
        add(status, &code(&gateway[kind]));
    }
    codes.into_iter().map(|(status, codes)| Problem { status, codes }).collect()
}

/// What the authorizer denies a key that it knows.
fn denials(access: Access) -> &'static [Code] {
    match access {
        Access::Administrator | Access::Rotator => &[Code::ScopeNotAllowed, Code::AddressNotAllowed],
        Access::Holder => &[Code::AddressNotAllowed],
        Access::Anybody => &[],
    }
}

/// The code in a response's body, as the template writes it.
fn code(response: &GatewayResponse) -> String {
    let body = response.bodies.values().next().expect("a body");
    let (_, rest) = body.split_once("\"code\": \"").expect("a code");
    rest.split('"').next().unwrap_or_default().to_owned()
}

impl Problem {
    /// Its name among the responses: the same for every operation that refuses so.
    pub(super) fn name(&self) -> String {
        format!("{}.{}", self.status, self.codes.iter().map(String::as_str).collect::<Vec<_>>().join("."))
    }

    /// As the description has it.
    pub(super) fn show(&self) -> Value {
        let this = json!({ "properties": { "status": { "const": self.status }, "code": { "enum": self.codes } } });
        let schema = json!({ "allOf": [named("Problem"), this] });
        let mut headers = vec!["Access-Control-Allow-Origin"];
        headers.extend(match self.status {
            401 => &["WWW-Authenticate"][..],
            429 => &["Retry-After", "RateLimit", "RateLimit-Policy", "Limit-Access-Control-Expose-Headers"],
            500 | 502 | 504 => &[],
            _ => &["Refusal-Cache-Control"],
        });
        json!({
            "description": self.meaning(),
            "headers": operation::of(&headers),
            "content": { "application/problem+json": { "schema": schema } },
        })
    }

    /// What its status means here.
    const fn meaning(&self) -> &'static str {
        match self.status {
            400 => "The request is wrong; `field` and `detail` say where.",
            401 => "The key is missing, malformed, unknown, expired, disabled, revoked or replaced.",
            403 => "The key may not do this, or not from this address.",
            404 => "There is no such thing.",
            409 => "What is asked for doesn't fit the state of things.",
            412 => "The key hasn't a version that `If-Match` names. Nothing was changed.",
            413 => "The body is too large.",
            422 => "The `Idempotency-Key` came with another request before.",
            429 => "A limit is reached, or the API gets too many requests.",
            504 => "The function behind the route didn't answer in time. A change may be in force or not.",
            _ => "A fault on our side. A change may be in force or not.",
        }
    }
}

pub(super) fn schemas() -> Vec<Named> {
    let problem = Object::new()
        .about("A problem document (RFC 9457).")
        .with("title", about(text(), "The status in words."))
        .may("status", json!({ "type": "integer", "description": "The status, unless API Gateway can't tell it." }))
        .with("detail", about(text(), "What is wrong and what to do, for people."))
        .with("code", about(text(), "What is wrong, for programs. Codes never change their meaning."))
        .may("field", about(text(), "The field, parameter or header at fault, such as `limits[0].per`."));
    vec![("Problem", problem.open())]
}
