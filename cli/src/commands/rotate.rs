//! `mbk rotate`: a new secret for a key. Without grace, whoever has the old one is locked out, so that is asked first.

use time::OffsetDateTime;

use super::{issue::hand_out, order::Order, stop::described};
use crate::{args::Rotate, client::Call, exit::Exit, failure::Failure, parse::Seconds, session::Session};

pub(super) async fn run(session: &Session, rotate: &Rotate) -> Result<Exit, Failure> {
    let id = &rotate.id.id;
    let at_once = rotate.grace == Some(Seconds(0));
    if at_once || rotate.force {
        let what = if at_once { "its secrets end now" } else { "the older of its secrets ends now" };
        let question = format!("Rotate {}: {what}?", described(session, id).await?);
        session.asking.confirm(&question)?;
    }
    let mut order = Order::default();
    order.set("grace_seconds", rotate.grace.map(|grace| grace.0));
    order.set("until_first_use", rotate.until_first_use.then_some(true));
    order.set("expires_at", rotate.expires.map(|expires| expires.json(OffsetDateTime::now_utc())));
    order.set("force", rotate.force.then_some(true));
    let call = Call::act(id, "rotate").body(order.json()).once(rotate.idempotency_key.as_deref());
    let answer = session.send(&call.if_version(rotate.if_version)).await?;
    hand_out(session, answer, rotate.secret_only, "rotated")
}
