//! Writes `events/` anew, or invokes each event at a running `cargo lambda watch` and compares the answers.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for a terminal")]

use std::{path::Path, process::ExitCode};

use local::{output, remote::Remote, seed, system::System};
use tests::recorded::{self, Recorded};

const USAGE: &str = "usage: cargo run -p tests --bin events -- write | check http://127.0.0.1:9000";
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../events");

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments[..] {
        ["write"] => write(&events().await).map_err(|error| error.to_string()),
        ["check", url] => check(url, &events().await).await,
        _ => Err(USAGE.to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

/// The seeded keys are the same at every start, so a system of our own tells what they are.
async fn events() -> Vec<Recorded> {
    let system = System::start(tests::stack::template(), None, output::host(tracing::Level::ERROR)).await.expect("a system");
    recorded::all(&seed::seed(&system).await.expect("seeded keys"))
}

fn write(events: &[Recorded]) -> std::io::Result<()> {
    let folder = Path::new(FOLDER);
    for file in std::fs::read_dir(folder)? {
        let path = file?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            std::fs::remove_file(path)?;
        }
    }
    for event in events {
        std::fs::write(folder.join(format!("{}.json", event.name)), format!("{:#}\n", event.event))?;
    }
    let readme = folder.join("README.md");
    let text = std::fs::read_to_string(&readme)?;
    let (before, rest) = text.split_once("| Event |").unwrap_or((&text, ""));
    let after = rest.split_once("\n\n").map_or("", |(_, after)| after);
    std::fs::write(&readme, format!("{before}{}\n{after}", recorded::table(events)))?;
    println!("{} events in {}", events.len(), folder.display());
    Ok(())
}

async fn check(url: &str, events: &[Recorded]) -> Result<(), String> {
    let remote = Remote::new(url).map_err(|error| error.to_string())?;
    let mut wrong = 0;
    for event in events {
        let done = event.check(&remote.invoke(event.function(), &event.event).await);
        println!("{} {}", if done.is_ok() { "ok    " } else { "WRONG " }, event.name);
        if let Err(message) = done {
            wrong += 1;
            eprintln!("{message}");
        }
    }
    if wrong == 0 { Ok(()) } else { Err(format!("{wrong} of {} events were answered otherwise", events.len())) }
}
