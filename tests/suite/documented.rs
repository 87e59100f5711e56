//! What the documentation lists is what there is.

use std::collections::{BTreeMap, BTreeSet};

use shared::error::Code;
use tests::stack;

type Statuses = BTreeMap<String, BTreeSet<String>>;

fn add(statuses: &mut Statuses, code: &str, status: &str) {
    statuses.entry(code.to_owned()).or_default().insert(status.to_owned());
}

/// The rows `| `code` | status | …` of a page, each code once.
fn rows(page: &str) -> Statuses {
    let mut rows = Statuses::new();
    for line in page.lines().filter(|line| line.starts_with("| `") && !line.starts_with("| `code`")) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [_, code, status, meaning, advice, _] = cells[..] else { panic!("five columns in {line}") };
        assert!(!meaning.is_empty() && !advice.is_empty(), "{line}");
        let code = code.trim_matches('`');
        assert!(!rows.contains_key(code), "{code} is listed twice");
        status.split(", ").for_each(|status| add(&mut rows, code, status));
    }
    rows
}

#[test]
fn every_code_is_listed_with_its_statuses_and_nothing_else_is() {
    let mut expected = Statuses::new();
    for code in Code::ALL {
        add(&mut expected, code.as_str(), code.status().as_str());
    }
    for (kind, response) in &stack::template().gateway_responses {
        let status = match response.status {
            Some(status) => status.to_string(),
            None => kind.trim_start_matches("DEFAULT_").to_lowercase(),
        };
        for body in response.bodies.values() {
            let (_, rest) = body.split_once("\"code\": \"").expect("a code");
            let (code, _) = rest.split_once('"').expect("a code");
            // One that the authorizer has put there.
            if !code.starts_with('$') {
                add(&mut expected, code, &status);
            }
        }
    }
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/errors.md")).unwrap();
    assert_eq!(rows(&page), expected);
}
