//! `mbk show`: a key, what is left of its limits, its secrets' hints, and who still uses the old one.

use serde_json::Value;

use crate::{
    client::Call,
    exit::Exit,
    failure::Failure,
    output::{self, Table, text},
    parse::KeyId,
    session::Session,
};

pub(super) async fn run(session: &Session, id: &KeyId) -> Result<Exit, Failure> {
    show(session, &session.ask(&Call::key(id)).await?)
}

/// Shows a key as it was answered.
pub(super) fn show(session: &Session, key: &Value) -> Result<Exit, Failure> {
    let clock = session.clock();
    session.show(key, || {
        let generations = output::generations(&key["generations"], clock);
        let tables = [Some(output::key(key, clock)), output::limits(&key["limits"]), generations, users(key)];
        tables.into_iter().flatten().collect()
    })?;
    Ok(Exit::Done)
}

/// Who still uses a secret that was replaced.
fn users(key: &Value) -> Option<Table> {
    let users = key["old_secret"]["used_by"].as_array().filter(|users| !users.is_empty())?;
    let mut table = Table::new(&["old secret used by", "with", "uses", "last"]);
    for user in users {
        table.row(["source_ip", "user_agent", "uses", "last_used_at"].map(|name| text(&user[name])));
    }
    Some(table)
}
