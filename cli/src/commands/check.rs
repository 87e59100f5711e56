//! `mbk check`: would a request pass, and which rule decides?

use serde_json::{Value, json};

use crate::{
    args::Check,
    client::Call,
    exit::Exit,
    failure::Failure,
    output::{Table, text},
    session::Session,
};

pub(super) async fn run(session: &Session, check: &Check) -> Result<Exit, Failure> {
    let mut question = json!({ "method": check.method, "path": check.path });
    if let Some(address) = check.ip {
        question["source_ip"] = address.to_string().into();
    }
    if let Some(number) = check.generation {
        question["generation"] = number.into();
    }
    if check.management {
        question["management"] = true.into();
    }
    let verdict = session.ask(&Call::act(&check.id.id, "check").body(question)).await?;
    session.show(&verdict, || vec![decision(&verdict), rules(&verdict)])?;
    Ok(if verdict["allowed"] == true { Exit::Done } else { Exit::Refused })
}

fn decision(verdict: &Value) -> Table {
    let mut table = Table::bare();
    let allowed = verdict["allowed"] == true;
    table.row(["verdict", if allowed { "allowed" } else { "refused" }]);
    if !allowed {
        table.row(["because", &format!("{} ({})", text(&verdict["detail"]), text(&verdict["code"]))]);
    }
    table.row(["secret", &text(&verdict["generation"])]);
    table
}

fn rules(verdict: &Value) -> Table {
    let mut table = Table::new(&["rule", "passes", "because"]);
    for rule in verdict["rules"].as_array().into_iter().flatten() {
        let passes = if rule["passes"] == true { "yes" } else { "no" };
        table.row([text(&rule["rule"]).as_str(), passes, &text(&rule["because"])]);
    }
    table
}
