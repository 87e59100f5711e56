//! `PUT` and `GET /v1/owners/{type}/{id}/limits`: what those keys of an owner share that have `shared_limits`. Limits are put whole; with
//! none, such keys share nothing, but what they share can't be removed: they would all be refused.

use http::StatusCode;
use lambda_http::Request;
use serde_json::json;
use shared::{
    error::{Code, Rejection},
    http::{self as api, Answer, Reply},
    shared_limits::{self, SharedLimits},
    view,
};

use crate::Manage;

impl Manage {
    pub(crate) async fn put_shared_limits(&self, request: &Request, actor: &str) -> Answer {
        let owner = api::owner(request)?;
        let limits = shared_limits::read(api::fields(request)?)?;
        let now = self.changes.host.clock.now();
        let before = self.changes.store.shared_limits(&owner).await?;
        let after = SharedLimits::put(owner, before.as_ref(), limits, (now, actor.to_owned()));
        let detail = json!({
            "version": after.version,
            "before": { "limits": before.as_ref().map(|before| view::limits(&before.limits)) },
            "after": { "limits": view::limits(&after.limits) },
        });
        let event = self.changes.intend("put_limits", &after.owner, actor, detail).await?;
        if !self.changes.store.put_shared_limits(&after, event.id).await? {
            let detail =
                "Somebody else put this owner's limits at the same moment; nothing of this change is in force. Try again.";
            return Err(self.changes.refused(&event, Rejection::new(Code::ChangedMeanwhile, detail)).await);
        }
        self.changes.done(&event).await?;
        let status = if before.is_some() { StatusCode::OK } else { StatusCode::CREATED };
        Ok(Reply::with(status, view::shared_limits(&after, now)))
    }

    pub(crate) async fn show_shared_limits(&self, request: &Request) -> Answer {
        let owner = api::owner(request)?;
        let limits = self.changes.store.shared_limits(&owner).await?.ok_or_else(shared_limits::none)?;
        Ok(Reply::ok(view::shared_limits(&limits, self.changes.host.clock.now())))
    }
}
