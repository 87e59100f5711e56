//! `mbk import`: secrets from elsewhere, a request for each line. A line that fails is told by its number, never by its secret, and
//! the rest goes on. To go on after an interruption, run it again: a secret that is a key's already is no failure.

use std::path::Path;

use futures_util::{StreamExt, stream};
use indicatif::{ProgressBar, ProgressStyle};

mod file;
mod report;

use file::Line;
use report::{Outcome, Report};

use crate::{
    args::Import,
    client::Call,
    exit::Exit,
    failure::{Failure, Kind},
    output::text,
    session::Session,
};

/// The most bytes of a file: about a hundred thousand lines.
const LONGEST_FILE: u64 = 64 << 20;

pub(super) async fn run(session: &Session, import: &Import) -> Result<Exit, Failure> {
    let text = super::order::read(&import.file, LONGEST_FILE)?;
    let lines = match format(import)? {
        "csv" => file::csv(&text)?,
        _ => file::json_lines(&text),
    };
    drop(text);
    let defaults = file::defaults(import);
    let progress = ProgressBar::new(lines.len() as u64).with_style(
        ProgressStyle::with_template("{bar:40} {pos}/{len} {msg} {eta}").unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    let mut report = Report::default();
    let ended = {
        let sent = lines.iter().map(|line| async { (line.number, send(session, line, &defaults).await) });
        let mut sent = stream::iter(sent).buffered(import.parallel.into());
        let all = async {
            while let Some((number, outcome)) = sent.next().await {
                report.take(number, outcome.map_err(|failure| failure.with_hint(go_on(import)))?);
                progress.inc(1);
                progress.set_message(report.told());
            }
            Ok(())
        };
        tokio::select! {
            ended = all => ended,
            _ = tokio::signal::ctrl_c() => {
                Err(Failure::from(Kind::Interrupted("Interrupted.".to_owned())).with_hint(go_on(import)))
            }
        }
    };
    progress.finish_and_clear();
    session.show(&report.document(), || report.tables())?;
    ended?;
    match report.failed() {
        0 => Ok(Exit::Done),
        failed => {
            let failure = Failure::from(Kind::Partly(format!("{failed} of {} lines could not be imported.", lines.len())));
            Err(failure.with_hint("Correct them, and run it again: what is imported already is left as it is."))
        }
    }
}

fn go_on(import: &Import) -> String {
    match import.file == Path::new("-") {
        true => "Run it again with the same input: what is imported already is left as it is.".to_owned(),
        false => format!("Run it again with {}: what is imported already is left as it is.", import.file.display()),
    }
}

fn format(import: &Import) -> Result<&str, Failure> {
    let ending = import.file.extension().and_then(|ending| ending.to_str());
    match (import.format.as_deref(), ending) {
        (Some(format), _) => Ok(format),
        (None, Some("csv")) => Ok("csv"),
        (None, Some("jsonl" | "ndjson")) => Ok("jsonl"),
        _ => Err(Failure::usage("nobody can tell what the file is in").with_hint("Add --format csv or --format jsonl.")),
    }
}

/// What became of a line.
///
/// # Errors
/// What the lines after it would meet too.
async fn send(session: &Session, line: &Line, defaults: &[(&'static str, serde_json::Value)]) -> Result<Outcome, Failure> {
    let (body, secret) = match &line.order {
        Ok((body, secret)) => (body, secret),
        Err(why) => return Ok(Outcome::Failed { code: None, detail: (*why).to_owned() }),
    };
    let mut body = body.clone();
    for (name, value) in defaults {
        body.entry(*name).or_insert_with(|| value.clone());
    }
    let call = Call::post(&["keys", "import"]).body(body.into()).secret(secret.clone()).once(None);
    let failure = match session.ask(&call).await {
        Ok(key) => return Ok(Outcome::Imported(text(&key["id"]))),
        Err(failure) => failure,
    };
    match failure.problem() {
        Some(problem) if problem.code.as_deref() == Some("secret_exists") => Ok(Outcome::Present(key_in(&problem.detail))),
        Some(problem) if matches!(problem.status, 400 | 404 | 409 | 413 | 422) => {
            let field = problem.field.as_ref().map(|field| format!("{field}: ")).unwrap_or_default();
            Ok(Outcome::Failed { code: problem.code.clone(), detail: format!("{field}{}", problem.detail) })
        }
        _ => Err(failure),
    }
}

/// The key that a sentence names.
fn key_in(detail: &str) -> Option<String> {
    let words = detail.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    words.into_iter().find(|word| word.parse::<crate::parse::KeyId>().is_ok()).map(ToOwned::to_owned)
}
