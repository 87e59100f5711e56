//! `mbk limits`: what an owner's keys share.

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    args::LimitsCommand,
    client::Call,
    exit::Exit,
    failure::Failure,
    output::{self, Table, text},
    parse::Limit,
    session::Session,
};

pub(super) async fn run(session: &Session, command: &LimitsCommand) -> Result<Exit, Failure> {
    let call = match command {
        LimitsCommand::Show { owner } => Call::owner(Method::GET, owner, "limits"),
        // `--none` is an empty list.
        LimitsCommand::Put(put) => {
            Call::owner(Method::PUT, &put.owner, "limits").body(json!({ "limits": Limit::list(&put.limit) }))
        }
    };
    let shared = session.ask(&call).await?;
    session.show(&shared, || [Some(about(&shared)), output::limits(&shared["limits"])].into_iter().flatten().collect())?;
    Ok(Exit::Done)
}

fn about(shared: &Value) -> Table {
    let mut table = Table::bare();
    table.row(["owner", &format!("{}:{}", text(&shared["owner"]["type"]), text(&shared["owner"]["id"]))]);
    table.row(["version", &text(&shared["version"])]);
    table.row(["put", &format!("{} by {}", text(&shared["put_at"]), text(&shared["put_by"]))]);
    table
}
