//! The console's files: each is linked in and used, none has what its own policy forbids, and none names another host.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use regex::Regex;

fn assets() -> BTreeMap<&'static str, &'static str> {
    console::ASSETS.iter().copied().collect()
}

fn found(folder: &Path, below: &str, names: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{below}{}", entry.file_name().to_str().unwrap());
        match entry.file_type().unwrap().is_dir() {
            true => found(&entry.path(), &format!("{name}/"), names),
            false => assert!(names.insert(name)),
        }
    }
}

/// What a file refers to, by the names of the files.
fn references(name: &str, content: &str) -> BTreeSet<String> {
    let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
    let pattern = if name == "index.html" { r#"(?:src|href)="console/\{version\}/([^"]+)""# } else { r#"from "(\.[^"]+)";"# };
    let resolve = |path: &str| {
        let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty() && name != "index.html").collect();
        for part in path.split('/') {
            match part {
                "." => {}
                ".." => assert!(parts.pop().is_some(), "{name} refers out of the console: {path}"),
                part => parts.push(part),
            }
        }
        parts.join("/")
    };
    Regex::new(pattern).unwrap().captures_iter(content).map(|found| resolve(&found[1])).collect()
}

#[test]
fn every_file_of_the_folder_is_linked_in_and_leads_from_the_page() {
    let mut names = BTreeSet::new();
    found(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../functions/console/assets")), "", &mut names);
    let assets = assets();
    assert_eq!(names, assets.keys().map(|name| (*name).to_owned()).collect(), "functions/console/src/assets.rs lists them");
    let (mut reached, mut waiting) = (BTreeSet::new(), vec!["index.html".to_owned()]);
    while let Some(name) = waiting.pop() {
        let content = assets.get(name.as_str()).unwrap_or_else(|| panic!("there is no {name}"));
        if reached.insert(name.clone()) {
            waiting.extend(references(&name, content));
        }
    }
    assert_eq!(reached, names, "what nothing refers to is no part of the console");
}

#[test]
fn every_module_takes_from_another_only_what_it_offers() {
    let (assets, offered) = (assets(), Regex::new(r"(?m)^export (?:async )?(?:function|class|const) (\w+)").unwrap());
    let taken = Regex::new(r#"import \{([^}]+)\} from "([^"]+)";"#).unwrap();
    let mut checked = 0;
    for (name, content) in assets.iter().filter(|(name, _)| name.ends_with(".js")) {
        for import in taken.captures_iter(content) {
            let from = references(name, &format!("from \"{}\";", &import[2])).pop_first().unwrap();
            let offers: BTreeSet<&str> =
                offered.captures_iter(assets[from.as_str()]).filter_map(|found| found.get(1)).map(|name| name.as_str()).collect();
            for wanted in import[1].split(',').map(str::trim) {
                assert!(offers.contains(wanted), "{name} takes {wanted} from {from}, which has {offers:?}");
                checked += 1;
            }
        }
    }
    assert!(checked > 50, "{checked}");
}

#[test]
fn nothing_is_inline_and_nothing_makes_code_of_text() {
    let assets = assets();
    let page = assets["index.html"];
    for (what, pattern) in [
        ("a script of its own", r"<script(?:[^>]*)>[^<]"),
        ("a style element", "(?i)<style"),
        ("a style attribute", r"(?i)\sstyle\s*="),
        ("an event handler", r"(?i)\son[a-z]+\s*="),
        ("a javascript: address", "(?i)javascript:"),
        ("a base", "(?i)<base"),
    ] {
        let found = Regex::new(pattern).unwrap().find(page).map(|found| found.as_str());
        assert_eq!(found, None, "the page has {what}");
    }
    let scripts = Regex::new(r#"<script type="module" src="console/\{version\}/app\.js"></script>"#).unwrap();
    assert_eq!((scripts.find_iter(page).count(), page.matches("<script").count()), (1, 1), "one script, and it is a file");
    // Each would be refused by the policy, at the moment when somebody uses it.
    let sinks = Regex::new(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|setHTML|createContextualFragment|DOMParser|srcdoc|\beval\b|new Function|\.style\b|style:|cssText|setTimeout\(\s*[`'\x22]|\bimport\(",
    )
    .unwrap();
    let storage = Regex::new(r"localStorage|sessionStorage|indexedDB|document\.cookie|caches\.|serviceWorker|window\.name|postMessage|sendBeacon|WebSocket|XMLHttpRequest").unwrap();
    for (name, content) in assets.iter().filter(|(name, _)| name.ends_with(".js")) {
        for (what, pattern) in [("makes code or style of text", &sinks), ("keeps or sends something", &storage)] {
            assert_eq!(pattern.find(content).map(|found| found.as_str()), None, "{name} {what}");
        }
    }
    assert!(sinks.is_match("element.innerHTML = name") && storage.is_match("localStorage.key = key"), "they would be found");
}

#[test]
fn no_file_names_another_host() {
    // The namespace of SVG is a name, and nothing is there.
    let (svg, address) =
        ("http://www.w3.org/2000/svg", Regex::new(r#"(?i)(?:[a-z]+:)?//[a-z0-9][a-z0-9.-]*\.[a-z]{2,}[^\s"'`)]*"#).unwrap());
    for (name, content) in assets() {
        let named: Vec<&str> = address.find_iter(content).map(|found| found.as_str()).filter(|found| *found != svg).collect();
        assert_eq!(named, [""; 0], "{name}");
    }
    assert!(address.is_match("https://cdn.example.com/x.js") && address.is_match("\"//cdn.example.com\""), "it would be found");
}
