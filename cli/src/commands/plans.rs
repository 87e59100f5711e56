//! `mbk plans`.

use serde_json::{Value, json};

use super::{order::Order, pages};
use crate::{
    args::{PlansCommand, PutPlan},
    client::Call,
    exit::Exit,
    failure::Failure,
    output::{Table, text, words},
    session::Session,
};

pub(super) async fn run(session: &Session, command: &PlansCommand) -> Result<Exit, Failure> {
    match command {
        PlansCommand::List => {
            let (plans, next) = pages::follow(session, Call::get(&["plans"]), "plans", u64::MAX, None).await?;
            let document = json!({ "plans": plans, "next_cursor": next });
            session.show(&document, || vec![table(document["plans"].as_array().map(Vec::as_slice).unwrap_or_default())])?;
        }
        PlansCommand::Show { name } => show(session, &session.ask(&Call::get(&["plans", name])).await?)?,
        PlansCommand::Put(put) => show(session, &self::put(session, put).await?)?,
    }
    Ok(Exit::Done)
}

async fn put(session: &Session, put: &PutPlan) -> Result<Value, Failure> {
    let mut order = Order::of_file(put.file.as_deref())?;
    order.policy(&put.policy);
    match session.ask(&Call::get(&["plans", &put.name])).await {
        Ok(plan) => {
            let has = format!("{}; {}", words(&plan["scopes"], "no scopes"), limits(&plan["limits"]));
            let question = format!("There is a plan {} already ({has}). Put this one in its place?", put.name);
            session.asking.confirm(&crate::plain::plain(&question))?;
        }
        Err(failure) if failure.is("no_such_plan") => {}
        Err(failure) => return Err(failure),
    }
    session.ask(&Call::put(&["plans", &put.name]).body(order.json())).await
}

fn show(session: &Session, plan: &Value) -> Result<(), Failure> {
    session.show(plan, || vec![table(std::slice::from_ref(plan))])
}

fn table(plans: &[Value]) -> Table {
    let mut table = Table::new(&["plan", "scopes", "limits", "rotate every", "put"]);
    for plan in plans {
        let days = plan["rotate_every_days"].as_u64().map_or_else(|| "never".to_owned(), |days| format!("{days} d"));
        let (name, put) = (text(&plan["name"]), text(&plan["put_at"]));
        table.row([name, words(&plan["scopes"], "none"), limits(&plan["limits"]), days, put]);
    }
    table
}

/// Limits in one cell.
fn limits(limits: &Value) -> String {
    let limits = limits.as_array().into_iter().flatten();
    let limits: Vec<_> = limits.map(|limit| format!("{}/{}", text(&limit["requests"]), text(&limit["per"]))).collect();
    if limits.is_empty() { "no limits".to_owned() } else { limits.join(", ") }
}
