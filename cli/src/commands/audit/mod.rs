//! `mbk audit`: who used a key, or who changed what.

use serde_json::{Value, json};

mod follow;

use super::pages;
use crate::{
    args::Audit,
    client::Call,
    exit::Exit,
    failure::Failure,
    output::{Clock, Table, text},
    session::Session,
};

pub(super) async fn run(session: &Session, audit: &Audit) -> Result<Exit, Failure> {
    if audit.follow {
        return follow::run(session, audit).await;
    }
    let (call, name) = question(audit);
    let call = call.with("from", audit.from).with("to", audit.to).with("day", audit.day);
    let (entries, next) = pages::follow(session, call, name, audit.limit, None).await?;
    let clock = session.clock();
    let document = json!({ name: entries, "next_cursor": next });
    session.show(&document, || {
        let mut table = if audit.id.is_some() { attempts() } else { changes() };
        for entry in document[name].as_array().into_iter().flatten() {
            table.row(row(audit, entry, clock));
        }
        vec![table]
    })?;
    pages::tell_of_more(session, next.as_deref(), audit.limit);
    Ok(Exit::Done)
}

/// What is asked, without days, and what the entries are called.
fn question(audit: &Audit) -> (Call, &'static str) {
    match &audit.id {
        Some(id) => (Call::get(&["keys", id.as_str(), "audit"]).with("outcome", audit.outcome.as_ref()), "attempts"),
        None => (Call::get(&["audit"]), "changes"),
    }
}

fn attempts() -> Table {
    Table::new(&["at", "outcome", "request", "from", "with", "hint"])
}

fn changes() -> Table {
    Table::new(&["at", "action", "of", "by", "outcome"])
}

/// An entry, for people.
fn row(audit: &Audit, entry: &Value, clock: Clock) -> Vec<String> {
    let at = clock.show(&entry["at"], "");
    if audit.id.is_some() {
        let request = format!("{} {}", text(&entry["method"]), text(&entry["path"]));
        let [outcome, source, agent, hint] = ["outcome", "source_ip", "user_agent", "hint"].map(|name| text(&entry[name]));
        return vec![at, outcome, request, source, agent, hint];
    }
    let of = ["key", "plan", "owner"].into_iter().map(|name| text(&entry[name])).find(|of| !of.is_empty());
    let [action, actor, outcome] = ["action", "actor", "outcome"].map(|name| text(&entry[name]));
    vec![at, action, of.unwrap_or_default(), actor, outcome]
}
