//! `mbk list`: keys of an owner, or of an environment with a status.

use serde_json::{Value, json};

use super::pages;
use crate::{
    args::List,
    client::Call,
    exit::Exit,
    failure::Failure,
    output::{Clock, Table, text},
    parse::Owner,
    session::Session,
};

pub(super) async fn run(session: &Session, list: &List) -> Result<Exit, Failure> {
    let call = match &list.owner {
        Some(owner) => of_owner(owner),
        None => {
            let environment = list.environment.as_deref().unwrap_or("live");
            Call::get(&["keys"]).with("environment", Some(environment)).with("status", list.status.as_ref())
        }
    };
    let (keys, next) = pages::follow(session, call, "keys", list.limit, list.cursor.clone()).await?;
    let document = json!({ "keys": keys, "next_cursor": next });
    session.show(&document, || vec![table(&document["keys"], session.clock())])?;
    pages::tell_of_more(session, next.as_deref(), list.limit);
    Ok(Exit::Done)
}

/// The keys of an owner.
pub(super) fn of_owner(owner: &Owner) -> Call {
    Call::get(&["keys"]).with("owner_type", Some(owner.kind)).with("owner_id", Some(&owner.id))
}

fn table(keys: &Value, clock: Clock) -> Table {
    let mut table = Table::new(&["key", "name", "owner", "environment", "status", "hint", "created", "expires"]);
    for key in keys.as_array().into_iter().flatten() {
        let owner = format!("{}:{}", text(&key["owner"]["type"]), text(&key["owner"]["id"]));
        let (created, expires) = (clock.show(&key["created_at"], ""), clock.show(&key["expires_at"], "never"));
        let [id, name, environment, status, hint] = ["id", "name", "environment", "status", "hint"].map(|name| text(&key[name]));
        table.row([id, name, owner, environment, status, hint, created, expires]);
    }
    table
}
