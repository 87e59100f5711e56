//! `mbk issue`: a new key, and the one look at its secret.

use serde_json::Value;
use time::OffsetDateTime;

use super::order::{Order, some};
use crate::{
    args::Issue,
    client::{Answer, Call},
    exit::Exit,
    failure::{Failure, Kind},
    output::{Form, complain, text},
    parse::{Member, Owner},
    session::Session,
};

pub(super) async fn run(session: &Session, issue: &Issue) -> Result<Exit, Failure> {
    let mut order = Order::of_file(issue.file.as_deref())?;
    order.set("name", issue.name.clone());
    order.set("owner", issue.owner.as_ref().map(Owner::json));
    order.set("environment", issue.environment.clone());
    order.set("plan", issue.plan.clone());
    order.policy(&issue.policy);
    order.set("ip_allowlist", some(&issue.ip));
    order.set("expires_at", issue.expires.map(|expires| expires.json(OffsetDateTime::now_utc())));
    order.set("metadata", (!issue.metadata.is_empty()).then(|| Member::object(&issue.metadata)));
    order.set("shared_limits", issue.shared_limits.then_some(true));
    let call = Call::post(&["keys"]).body(order.json()).once(issue.idempotency_key.as_deref());
    let answer = session.send(&call).await?;
    hand_out(session, answer, issue.secret_only, "issued")
}

/// Prints a secret, once: with the document that it came in, alone, or where nobody overlooks it.
pub(super) fn hand_out(session: &Session, answer: Answer, only: bool, done: &str) -> Result<Exit, Failure> {
    let Answer { document, secret } = answer;
    let Some(secret) = secret else {
        return Err(Kind::Unintelligible("the API has answered without a secret".to_owned()).into());
    };
    let (id, output) = (text(&document["id"]), session.output);
    let printed = match (only, output.form) {
        (true, _) => output.secret_only(&secret),
        (false, Form::Json) => output.json_with_secret(document, &secret),
        (false, Form::Table) => print(session, &document, done).and_then(|()| output.secret(&secret)),
    };
    printed.inspect_err(|_| {
        complain(&format!(
            "The secret of {id} was {done}, and could not be printed. It can't be shown again: `mbk rotate {id}`."
        ));
    })?;
    if output.form == Form::Table && !only {
        complain("That is the secret. It is shown only now: put it where it is needed.");
    }
    Ok(Exit::Done)
}

fn print(session: &Session, document: &Value, done: &str) -> Result<(), Failure> {
    let name = document.get("name").map(|name| format!(" ({})", text(name))).unwrap_or_default();
    session.output.line(&format!("{done} {}{name}", text(&document["id"])))
}
