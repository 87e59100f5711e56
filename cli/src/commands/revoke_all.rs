//! `mbk revoke --owner`: all keys of an owner, round after round until a round finds nothing left to revoke, because new keys may come
//! meanwhile and the list follows changes within moments.

use std::{collections::BTreeSet, time::Duration};

use indicatif::ProgressBar;
use reqwest::Method;
use serde_json::{Value, json};

use super::{list::of_owner, pages};
use crate::{
    client::Call,
    exit::Exit,
    failure::{Failure, Kind},
    output::{Form, Table, text},
    parse::Owner,
    session::Session,
};

/// How many keys are looked at before asking.
const COUNTED: u64 = 1000;

/// How many rounds, at most: somebody may be issuing keys to that owner faster than they are revoked.
const ROUNDS: usize = 20;

/// How long the list may lag behind.
const LAG: Duration = Duration::from_secs(1);

/// What became of the keys.
#[derive(Debug, Default)]
struct Done {
    revoked: BTreeSet<String>,
    already: BTreeSet<String>,
    failed: BTreeSet<String>,
}

impl Done {
    fn document(&self) -> Value {
        json!({ "revoked": self.revoked, "already_revoked": self.already, "failed": self.failed, "next_cursor": null })
    }

    /// Takes in a page, and says whether anything was revoked by it.
    fn take(&mut self, page: &Value) -> bool {
        let ids = |name: &str| page[name].as_array().into_iter().flatten().map(text).collect::<Vec<_>>();
        let revoked = ids("revoked");
        for id in revoked.iter().chain(&ids("already_revoked")) {
            self.failed.remove(id);
        }
        self.already.extend(ids("already_revoked").into_iter().filter(|id| !self.revoked.contains(id)));
        self.failed.extend(ids("failed"));
        let some = !revoked.is_empty();
        self.revoked.extend(revoked);
        some
    }
}

pub(super) async fn run(session: &Session, owner: &Owner, reason: &str) -> Result<Exit, Failure> {
    let (keys, more) = pages::follow(session, of_owner(owner), "keys", COUNTED, None).await?;
    let open = keys.iter().filter(|key| key["status"] != "revoked").count();
    let at_least = if more.is_some() { "at least " } else { "" };
    let question = format!("Revoke all keys of {owner}, for good: {at_least}{open} of {} are not revoked yet.", keys.len());
    session.asking.confirm_by(&question, &owner.to_string())?;

    let progress = ProgressBar::new_spinner();
    progress.enable_steady_tick(Duration::from_millis(120));
    let mut done = Done::default();
    let ended = tokio::select! {
        ended = rounds(session, owner, reason, &mut done, &progress) => ended,
        _ = tokio::signal::ctrl_c() => {
            let failure = Failure::from(Kind::Interrupted("Interrupted: there may be keys left.".to_owned()));
            Err(failure.with_hint("Run the same command again: it goes on."))
        }
    };
    progress.finish_and_clear();
    let document = done.document();
    if ended.is_ok() || session.output.form == Form::Json {
        session.show(&document, || vec![table(&done)])?;
    } else {
        session.output.table(table(&done))?;
    }
    ended?;
    if done.failed.is_empty() {
        return Ok(Exit::Done);
    }
    let failure = Failure::from(Kind::Partly(format!("{} keys could not be revoked.", done.failed.len())));
    Err(failure.with_hint("Look at each with `mbk show`, and run the same command again."))
}

async fn rounds(session: &Session, owner: &Owner, reason: &str, done: &mut Done, progress: &ProgressBar) -> Result<(), Failure> {
    for _ in 0..ROUNDS {
        let (mut cursor, mut some): (Option<String>, bool) = (None, false);
        loop {
            let call = Call::owner(Method::POST, owner, "revoke").body(json!({ "reason": reason }));
            let page = session.ask(&call.with("cursor", cursor.as_ref())).await?;
            some |= done.take(&page);
            progress.set_message(format!("{} revoked", done.revoked.len()));
            let next = page["next_cursor"].as_str().map(ToOwned::to_owned);
            if next.is_none() {
                break;
            }
            if next == cursor {
                return Err(Kind::Unintelligible("the API's list of keys has no end".to_owned()).into());
            }
            cursor = next;
        }
        if !some {
            return Ok(());
        }
        tokio::time::sleep(LAG).await;
    }
    Err(Kind::Partly(format!("After {ROUNDS} rounds there were still new keys of {owner}.")).into())
}

fn table(done: &Done) -> Table {
    let mut table = Table::bare();
    for (name, keys) in [("revoked", &done.revoked), ("already revoked", &done.already), ("failed", &done.failed)] {
        table.row([name, &keys.len().to_string()]);
    }
    for id in &done.failed {
        table.row(["", id]);
    }
    table
}
