//! The description of the API is what the code says, what the template routes, and what functions answer.
//!
//! Each answer that any test of this suite gets from a management function is held against it by `Stack`. What is here sees to it that
//! nothing is left out.

use std::collections::{BTreeMap, BTreeSet};

use local::template::Route;
use serde_json::Value;
use shared::error::Code;
use tests::{
    openapi::{self, held},
    stack,
};

mod bodies;
mod gateway;
mod journey;
mod published;

fn described() -> BTreeSet<(String, String)> {
    held::served().operations().map(|(method, path, _)| (method, path.to_owned())).collect()
}

#[test]
fn the_committed_description_is_what_the_code_says() {
    let committed = std::fs::read_to_string(openapi::FILE).unwrap();
    // Without a difference of thousands of lines.
    assert!(
        committed == openapi::text(),
        "`cargo run -p tests --bin openapi -- write` writes functions/insights/openapi.json anew"
    );
    assert!(insights::DESCRIPTION == committed, "what is committed is what is served");
}

/// The API's routes: not those of pages for people, and of the example.
fn routes() -> impl Iterator<Item = Route> {
    stack::template().routes.into_iter().filter(|route| route.path.starts_with("/v1/"))
}

#[test]
fn every_route_of_the_template_is_described_and_no_other() {
    let routes: BTreeSet<_> = routes().map(|route| (route.method, route.path)).collect();
    assert_eq!(described(), routes, "tests/src/openapi describes them, by group");
}

#[test]
fn only_what_the_template_lets_in_without_a_key_is_described_so() {
    for route in routes() {
        let operation = held::served().operation(&route.method, &route.path).unwrap();
        let keyless = operation["security"].as_array().is_some_and(Vec::is_empty);
        assert_eq!(keyless, !route.authorized, "{} {}", route.method, route.path);
    }
}

#[test]
fn references_lead_somewhere_and_operations_have_names_of_their_own() {
    assert_eq!(held::served().dangling(), Vec::<String>::new());
    let ids: BTreeSet<_> = held::served().operations().map(|(_, _, operation)| operation["operationId"].to_string()).collect();
    assert_eq!(ids.len(), described().len());
    for (method, path, operation) in held::served().operations() {
        for (name, parameter) in
            path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).zip(parameters(operation))
        {
            assert_eq!((&parameter["in"], &parameter["name"]), (&"path".into(), &name.into()), "{method} {path}");
        }
    }
}

/// The parameters of an operation, references followed; those of its path come first.
fn parameters(operation: &Value) -> Vec<Value> {
    let all = held::served().part("/components/parameters");
    let follow = |parameter: &Value| {
        let name = parameter["$ref"].as_str().and_then(|reference| reference.rsplit('/').next());
        name.map_or_else(|| parameter.clone(), |name| all[name].clone())
    };
    operation["parameters"].as_array().into_iter().flatten().map(follow).collect()
}

/// What API Gateway says by itself, as the template has it.
fn gateway_codes() -> BTreeMap<String, BTreeSet<u16>> {
    let mut codes = BTreeMap::<String, BTreeSet<u16>>::new();
    for response in stack::template().gateway_responses.values() {
        for body in response.bodies.values() {
            let (_, rest) = body.split_once("\"code\": \"").expect("a code");
            let code = rest.split('"').next().unwrap_or_default().to_owned();
            codes.entry(code).or_default().extend(response.status);
        }
    }
    codes
}

#[test]
fn every_code_that_is_described_is_one_of_ours_with_its_status() {
    let gateway = gateway_codes();
    let mut seen = BTreeSet::new();
    for (method, path, operation) in held::served().operations() {
        for (status, codes) in held::served().codes(operation) {
            for code in codes {
                let ours = Code::ALL.iter().find(|known| known.as_str() == code);
                let ours = ours.is_some_and(|known| known.status().as_str() == status);
                let theirs = gateway.get(&code).is_some_and(|of| of.is_empty() || of.iter().any(|of| of.to_string() == status));
                // The two that API Gateway answers with a status of its own.
                let kept = [("bad_request", "400"), ("internal", "502")].contains(&(code.as_str(), status.as_str()));
                assert!(ours || theirs || kept, "{method} {path}: {status} {code}");
                seen.insert(code);
            }
        }
    }
    // What the authorizer has to say of keys is `unauthorized` here.
    for code in Code::ALL.iter().filter(|code| code.status() != 401 && **code != Code::NoSuchRoute) {
        assert!(seen.contains(code.as_str()), "no route is described as refusing with {}", code.as_str());
    }
}
