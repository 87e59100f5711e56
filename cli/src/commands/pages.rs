//! Lists that come in pages.

use serde_json::Value;

use crate::{
    client::Call,
    failure::{Failure, Kind},
    output::{Form, complain},
    session::Session,
};

/// The most entries of a page.
const MOST: u64 = 100;

/// The entries called `name` of all pages, `limit` at most, and the cursor of what is left.
///
/// # Errors
/// What went wrong with any of them.
pub(super) async fn follow(
    session: &Session,
    call: Call,
    name: &str,
    limit: u64,
    mut cursor: Option<String>,
) -> Result<(Vec<Value>, Option<String>), Failure> {
    let (mut entries, mut call) = (Vec::new(), call);
    let fixed = call.query.len();
    loop {
        let left = limit.saturating_sub(entries.len() as u64);
        call.query.truncate(fixed);
        call = call.with("limit", Some(left.min(MOST))).with("cursor", cursor.as_ref());
        let (page, next) = parts(session.ask(&call).await?, name)?;
        entries.extend(page);
        if next.is_none() || entries.len() as u64 >= limit {
            return Ok((entries, next));
        }
        if next == cursor {
            return Err(no_page(name));
        }
        cursor = next;
    }
}

/// The entries of a page, and the cursor of the next.
///
/// # Errors
/// If that isn't what the API has answered with.
pub(super) fn parts(mut page: Value, name: &str) -> Result<(Vec<Value>, Option<String>), Failure> {
    let next = page["next_cursor"].as_str().map(ToOwned::to_owned);
    match page.get_mut(name).map(Value::take) {
        Some(Value::Array(entries)) => Ok((entries, next)),
        _ => Err(no_page(name)),
    }
}

fn no_page(name: &str) -> Failure {
    let failure =
        Failure::from(Kind::Unintelligible(format!("the API answers with no list of {name}, or with one that has no end")));
    failure.with_hint("Is that the address of this API, whole, with its stage? `mbk profile list` shows it.")
}

/// Tells people that there is more; programs see the cursor.
pub(super) fn tell_of_more(session: &Session, next: Option<&str>, limit: u64) {
    if next.is_some() && session.output.form == Form::Table {
        complain(&format!("There are more than {limit}: see --limit."));
    }
}
