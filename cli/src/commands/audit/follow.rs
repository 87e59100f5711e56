//! `mbk audit --follow`: what comes, each entry once, oldest first.
//!
//! Copies are written after the answers that they are of, and not always in their order. So each look reaches back over what was seen
//! last, and knows what it has printed.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};

use super::{super::pages, question, row};
use crate::{
    args::Audit,
    client::Call,
    exit::Exit,
    failure::Failure,
    output::{Form, Table},
    parse::Day,
    session::Session,
};

/// How late an entry may come.
const LATE: Duration = Duration::minutes(2);

/// How many looks an unfinished change is waited for: most are finished at once, and are then shown as that.
const PATIENCE: u32 = 5;

/// The most entries of one look.
const MOST: usize = 10_000;

pub(super) async fn run(session: &Session, audit: &Audit) -> Result<Exit, Failure> {
    let mut follower = Follower::default();
    let pause = std::time::Duration::from_secs(audit.interval.0.max(1));
    let follow = async {
        loop {
            for entry in follower.look(session, audit).await? {
                print(session, audit, &entry)?;
            }
            tokio::time::sleep(pause).await;
        }
    };
    tokio::select! {
        ended = follow => ended,
        _ = tokio::signal::ctrl_c() => Ok(Exit::Interrupted),
    }
}

fn print(session: &Session, audit: &Audit, entry: &Value) -> Result<(), Failure> {
    if session.output.form == Form::Json {
        return session.output.json_line(entry);
    }
    let mut table = Table::bare();
    table.row(row(audit, entry, crate::output::Clock::new(false)));
    session.output.table(table)
}

/// What has been printed, and how far.
#[derive(Debug, Default)]
struct Follower {
    /// When the newest entry was, as far as is known.
    newest: Option<OffsetDateTime>,
    /// What has been printed of what might come again: by its time, so that it can be forgotten.
    printed: BTreeSet<(OffsetDateTime, String)>,
    /// How often a change has been seen unfinished.
    unfinished: BTreeMap<String, u32>,
}

impl Follower {
    /// What has come since the last look, oldest first.
    async fn look(&mut self, session: &Session, audit: &Audit) -> Result<Vec<Value>, Failure> {
        if let Some(newest) = self.newest {
            return Ok(self.sort(since(session, audit, newest.saturating_sub(LATE)).await?));
        }
        // The first look shows the last few. What is as old as they are, and isn't shown, is not to come later as if it were new.
        let (call, name) = question(audit);
        let (mut found, _) = pages::follow(session, call, name, audit.limit, None).await?;
        if let Some(newest) = found.iter().filter_map(at).max() {
            found.extend(since(session, audit, newest.saturating_sub(LATE)).await?);
        }
        let mut new = self.sort(found);
        let most = usize::try_from(audit.limit).unwrap_or(usize::MAX);
        new.drain(..new.len().saturating_sub(most));
        Ok(new)
    }

    /// What of `found` has not been printed, oldest first; it counts as printed from now on.
    fn sort(&mut self, found: Vec<Value>) -> Vec<Value> {
        let mut new: BTreeMap<(OffsetDateTime, String), Value> = BTreeMap::new();
        for entry in found {
            let Some(at) = at(&entry) else { continue };
            let place = (at, identity(&entry));
            if self.printed.contains(&place) || self.is_awaited(&place.1, &entry) {
                continue;
            }
            new.insert(place, entry);
        }
        self.newest = new.keys().map(|(at, _)| *at).chain(self.newest).max();
        self.printed.extend(new.keys().cloned());
        // Twice as far back as entries are asked for.
        if let Some(newest) = self.newest {
            self.printed = self.printed.split_off(&(newest.saturating_sub(LATE * 2), String::new()));
        }
        new.into_values().collect()
    }

    /// Whether a change will soon be told as finished.
    fn is_awaited(&mut self, identity: &str, entry: &Value) -> bool {
        if entry["outcome"] != "unfinished" {
            self.unfinished.remove(identity);
            return false;
        }
        let looks = self.unfinished.entry(identity.to_owned()).or_default();
        *looks += 1;
        *looks <= PATIENCE
    }
}

/// Entries since a moment.
async fn since(session: &Session, audit: &Audit, since: OffsetDateTime) -> Result<Vec<Value>, Failure> {
    let (call, name) = question(audit);
    if audit.id.is_some() {
        return recent(session, call.with("from", Some(Day(since.date()))), name, since).await;
    }
    let mut found = recent(session, call, name, since).await?;
    // Changes are asked for by day: some of the day before may have come after its end.
    let today = found.first().and_then(at).unwrap_or_else(OffsetDateTime::now_utc).date();
    if since.date() < today {
        let call = question(audit).0.with("day", Some(Day(since.date())));
        found.extend(recent(session, call, name, since).await?);
    }
    Ok(found)
}

/// What a question is answered with, newest first, back to a moment.
async fn recent(session: &Session, mut call: Call, name: &str, since: OffsetDateTime) -> Result<Vec<Value>, Failure> {
    let (mut entries, mut cursor, fixed) = (Vec::new(), None, call.query.len());
    loop {
        call.query.truncate(fixed);
        call = call.with("limit", Some(100)).with("cursor", cursor.as_ref());
        let (page, next) = pages::parts(session.ask(&call).await?, name)?;
        let is_reached = page.last().and_then(at).is_some_and(|at| at < since);
        entries.extend(page.into_iter().filter(|entry| at(entry).is_some_and(|at| at >= since)));
        if next.is_none() || next == cursor || is_reached || entries.len() >= MOST {
            return Ok(entries);
        }
        cursor = next;
    }
}

fn at(entry: &Value) -> Option<OffsetDateTime> {
    entry["at"].as_str().and_then(|at| OffsetDateTime::parse(at, &Rfc3339).ok())
}

/// What an entry is recognised by. A change has an id, and its outcome comes later; an attempt is all that is known of it.
fn identity(entry: &Value) -> String {
    entry["id"].as_str().map_or_else(|| entry.to_string(), ToOwned::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn change(id: &str, second: u8, outcome: &str) -> Value {
        json!({ "id": id, "at": format!("2026-11-25T12:00:{second:02}Z"), "outcome": outcome })
    }

    fn ids(entries: &[Value]) -> Vec<&str> {
        entries.iter().filter_map(|entry| entry["id"].as_str()).collect()
    }

    #[test]
    fn each_entry_is_told_once_and_oldest_first() {
        let mut follower = Follower::default();
        let first = follower.sort(vec![change("b", 2, "done"), change("a", 1, "done")]);
        assert_eq!(ids(&first), ["a", "b"]);
        // One that came late, and one that is new.
        let second = follower.sort(vec![change("d", 4, "done"), change("b", 2, "done"), change("c", 2, "done")]);
        assert_eq!(ids(&second), ["c", "d"]);
        assert!(follower.sort(vec![change("d", 4, "done"), change("c", 2, "done")]).is_empty());
    }

    #[test]
    fn an_unfinished_change_is_told_when_it_is_finished_or_seems_never_to_be() {
        let mut follower = Follower::default();
        assert!(follower.sort(vec![change("a", 1, "unfinished")]).is_empty());
        assert_eq!(follower.sort(vec![change("a", 1, "done")])[0]["outcome"], "done");
        let looks = (0..=PATIENCE).map(|_| follower.sort(vec![change("b", 2, "unfinished")]).len());
        assert_eq!(looks.collect::<Vec<_>>(), [0, 0, 0, 0, 0, 1]);
        assert!(follower.sort(vec![change("b", 2, "done")]).is_empty(), "it was told already");
    }
}
