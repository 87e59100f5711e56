//! `POST /v1/owners/{type}/{id}/revoke`: revokes all keys of an owner, page by page, and says of each what became of it.

use lambda_http::Request;
use serde_json::json;
use shared::{
    change::Refusing,
    cursor,
    error::{Code, Error},
    http::{self as api, Answer, Parameters, Reply},
    input,
    store::list::{Filter, Position},
};

use crate::Manage;

/// The most keys of one request: each takes about six calls of DynamoDB, one after the other, within the function's 15 seconds.
const MOST: u8 = 100;

/// How many, unless the caller says so.
const DEFAULT: u8 = 25;

impl Manage {
    /// The first fault that isn't one of its key alone ends the page: what follows would meet it too. The cursor goes on from there.
    pub(crate) async fn revoke_all(&self, request: &Request, actor: &str) -> Answer {
        let filter = Filter::Owner(api::owner(request)?);
        let query = Parameters::read(request, &["limit", "cursor"])?;
        let (limit, partition) = (query.limit(MOST, DEFAULT)?, filter.partition());
        let from = query.get("cursor").map(|cursor| cursor::decode(&partition, cursor)).transpose()?;
        let mut fields = api::fields(request)?;
        let reason = fields.required("reason", input::reason)?;
        fields.finish()?;

        let (keys, mut next) = self.changes.store.list(&filter, limit, from.as_ref()).await?;
        let (mut revoked, mut already, mut failed) = (Vec::new(), Vec::new(), Vec::new());
        let mut done: Option<Position> = from;
        for key in keys {
            let id = key.position.id.clone();
            // The index is written after the key: what it says of a revocation is true, however late.
            if key.env_status.ends_with("#revoked") {
                already.push(id);
            } else {
                match self.changes.refuse(&id, actor, Refusing::Revoke(reason.clone())).await {
                    Ok(_) => revoked.push(id),
                    // Removed after its end, and the index is late.
                    Err(Error::Rejected(rejection)) if rejection.code == Code::NoSuchKey => already.push(id),
                    Err(Error::Fault(fault)) if fault.is_corrupt() => failed.push(id),
                    Err(error) if revoked.is_empty() => return Err(error),
                    Err(_) => {
                        failed.push(id);
                        next = done.clone();
                        break;
                    }
                }
            }
            done = Some(key.position);
        }
        let next = next.map(|position| cursor::encode(&partition, &position));
        Ok(Reply::ok(json!({ "revoked": revoked, "already_revoked": already, "failed": failed, "next_cursor": next })))
    }
}
