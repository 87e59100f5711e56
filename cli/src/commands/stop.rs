//! `mbk disable`, `enable` and `revoke` of one key.

use serde_json::json;

use super::show::show;
use crate::{client::Call, exit::Exit, failure::Failure, output::text, parse::KeyId, session::Session};

pub(super) async fn disable(session: &Session, id: &KeyId) -> Result<Exit, Failure> {
    session.asking.confirm(&format!("Disable {}?", described(session, id).await?))?;
    show(session, &session.ask(&Call::act(id, "disable")).await?)
}

pub(super) async fn enable(session: &Session, id: &KeyId) -> Result<Exit, Failure> {
    show(session, &session.ask(&Call::act(id, "enable")).await?)
}

pub(super) async fn revoke(session: &Session, id: &KeyId, reason: &str) -> Result<Exit, Failure> {
    session.asking.confirm(&format!("Revoke {}, for good?", described(session, id).await?))?;
    show(session, &session.ask(&Call::act(id, "revoke").body(json!({ "reason": reason }))).await?)
}

/// A key for the question whether it is the right one.
///
/// # Errors
/// If there is none, or it can't be asked for.
pub(super) async fn described(session: &Session, id: &KeyId) -> Result<String, Failure> {
    let key = session.ask(&Call::key(id)).await?;
    let owner = format!("{}:{}", text(&key["owner"]["type"]), text(&key["owner"]["id"]));
    let used = match &key["last_used_at"] {
        never if never.is_null() => "never used".to_owned(),
        last => format!("last used {}", session.clock().show(last, "")),
    };
    let told = format!("{} ({id}, {owner}, {}, {used})", text(&key["name"]), text(&key["environment"]));
    Ok(crate::plain::plain(&told).into_owned())
}
