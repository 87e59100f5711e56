//! `mbk update`: what is given changes, all else stays.

use serde_json::{Value, json};
use time::OffsetDateTime;

use super::{
    order::{Order, some},
    show,
};
use crate::{args::Update, client::Call, exit::Exit, failure::Failure, parse::Member, session::Session};

pub(super) async fn run(session: &Session, update: &Update) -> Result<Exit, Failure> {
    let mut order = Order::default();
    order.set("name", update.name.clone());
    order.policy(&update.policy);
    order.set("limits", update.no_limits.then(|| json!([])));
    order.set("ip_allowlist", some(&update.ip).or_else(|| update.no_ips.then(|| json!([]))));
    order.set("expires_at", update.expires.map(|expires| expires.json(OffsetDateTime::now_utc())));
    order.set("metadata", (!update.metadata.is_empty()).then(|| Member::object(&update.metadata)));
    order.set("shared_limits", update.shared_limits.map(Value::from));
    if order.is_empty() {
        return Err(Failure::usage("there is nothing to change").with_hint("`mbk update --help` shows what can be."));
    }
    let call = Call::patch_key(&update.id.id).body(order.json()).if_version(update.if_version);
    show::show(session, &session.ask(&call).await?)
}
