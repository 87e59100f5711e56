//! `mbk self`: what the key in use is, and a new secret for it.

use serde_json::Value;

use super::{issue::hand_out, order::Order, profile};
use crate::{
    args::{OwnCommand, OwnKey, OwnRotation},
    client::Call,
    exit::Exit,
    failure::Failure,
    output::{self, Table, complain, text},
    parse::Seconds,
    session::Session,
};

pub(super) async fn run(session: &Session, own: &OwnKey) -> Result<Exit, Failure> {
    match &own.command {
        None => {
            show(session, &session.ask(&Call::get(&["self"])).await?)?;
            Ok(Exit::Done)
        }
        Some(OwnCommand::Rotate(rotation)) => rotate(session, rotation).await,
    }
}

fn show(session: &Session, key: &Value) -> Result<(), Failure> {
    let clock = session.clock();
    session.show(key, || {
        let presented = &key["presented"];
        let mut secret = Table::bare();
        let newest = if presented["newest"] == true { ", the newest" } else { ", which was replaced" };
        secret.row(["secret", &format!("{}{newest}", text(&presented["generation"]))]);
        secret.row(["ends", &clock.show(&presented["ends_at"], "never")]);
        let tables = [Some(output::key(key, clock)), Some(secret), output::limits(&key["limits"])];
        tables.into_iter().flatten().chain(output::limits(&key["owner_limits"])).collect()
    })
}

async fn rotate(session: &Session, rotation: &OwnRotation) -> Result<Exit, Failure> {
    let profile = match (rotation.save, &session.profile) {
        (false, _) => None,
        (true, Some(profile)) => Some(profile),
        (true, None) => return Err(Failure::usage("--save needs a profile: the key in use is MBK_KEY's")),
    };
    if rotation.grace == Some(Seconds(0)) {
        session.asking.confirm("Rotate the key in use? Its secret ends now: whoever else has it is locked out, and so are you if the answer is lost.")?;
    }
    let mut order = Order::default();
    order.set("grace_seconds", rotation.grace.map(|grace| grace.0));
    order.set("until_first_use", rotation.until_first_use.then_some(true));
    let call = Call::post(&["self", "rotate"]).body(order.json()).once(rotation.idempotency_key.as_deref());
    let answer = session.send(&call).await?;
    let (Some(profile), Some(secret)) = (profile, &answer.secret) else {
        return hand_out(session, answer, rotation.secret_only, "rotated");
    };
    if let Err(failure) = profile::save(profile, secret) {
        // The secret must not be lost with the file.
        complain(&format!("The new secret can't be kept in the profile {profile}, so here it is: {failure}"));
        return hand_out(session, answer, rotation.secret_only, "rotated");
    }
    let mut document = answer.document;
    if let Some(members) = document.as_object_mut() {
        members.remove("secret");
    }
    session.show(&document, || {
        let mut table = Table::bare();
        table.row([format!("rotated {}; the profile {profile} has its new secret", text(&document["id"]))]);
        vec![table]
    })?;
    Ok(Exit::Done)
}
