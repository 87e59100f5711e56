//! The recorded events: the files are what the code says they are, and each is answered as their README says.

use std::{collections::BTreeSet, path::Path};

use local::{output, seed, system::System};
use serde_json::Value;
use tests::{openapi::held, recorded};

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../events"))
}

#[tokio::test]
async fn every_event_is_answered_as_the_readme_says_however_often() {
    let system = System::start(tests::stack::template(), None, output::host(tracing::Level::ERROR)).await.unwrap();
    let events = recorded::all(&seed::seed(&system).await.unwrap());
    for _ in 0..2 {
        for event in &events {
            let file = std::fs::read_to_string(folder().join(format!("{}.json", event.name)));
            let file: Value = serde_json::from_str(&file.unwrap_or_default()).unwrap_or_default();
            assert_eq!(
                file, event.event,
                "events/{}.json: `cargo run -p tests --bin events -- write` writes it anew",
                event.name
            );
            let (method, route) = (file["httpMethod"].clone(), file["resource"].clone());
            let answer = Box::pin(system.invoke(event.function(), file)).await;
            event.check(&answer).unwrap();
            if let (Some(method), Some(route), Ok(answer)) = (method.as_str(), route.as_str(), &answer)
                && event.function() != "authorizer"
                && held::served().operation(method, route).is_some()
            {
                held::served().check(method, route, answer).unwrap_or_else(|error| panic!("{}: {error}", event.name));
            }
        }
    }
    let readme = std::fs::read_to_string(folder().join("README.md")).unwrap();
    assert!(readme.contains(&recorded::table(&events)), "`cargo run -p tests --bin events -- write` writes the table anew");
    let files: BTreeSet<_> =
        std::fs::read_dir(folder()).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(files.len(), events.len() + 1, "one file each, and the README: {files:?}");
    let functions: BTreeSet<_> = events.iter().map(recorded::Recorded::function).collect();
    assert!(system.template.functions.iter().all(|block| functions.contains(block.binary.as_str())), "every function has events");
}
