//! `POST /v1/owners/{type}/{id}/revoke`: revokes all keys of an owner, page by page, and says of each what became of it.
//!
//! Keys come from an index, newest first, which follows changes within moments and not at once: a key that is issued meanwhile comes
//! before the pages that are asked for. Whoever wants all of them revoked goes through the pages again, until in none of them `revoked`
//! has anything.

use lambda_http::Request;
use serde_json::json;
use shared::{
    change::Refusing,
    cursor,
    error::{Code, Error},
    http::{self as api, Answer, PageSize, Parameters, Reply},
    id::KeyId,
    input,
    store::list::{Filter, Listed, Position},
};

use crate::Manage;

/// Keys of one request.
pub const REVOKED: PageSize = PageSize { most: 100, default: 25 };

/// After how many milliseconds no further key is begun with: each takes about six calls of DynamoDB and one of SNS, one after the
/// other, and the function has 15 seconds.
const BUDGET_MILLIS: u64 = 8000;

/// What became of the keys of a page.
#[derive(Default)]
struct Page {
    revoked: Vec<String>,
    already: Vec<String>,
    failed: Vec<String>,
}

impl Page {
    const fn is_empty(&self) -> bool {
        self.revoked.is_empty() && self.already.is_empty() && self.failed.is_empty()
    }
}

impl Manage {
    /// The first fault that isn't one of its key alone ends the page: what follows would meet it too. So does the time. The cursor goes
    /// on from there.
    pub(crate) async fn revoke_all(&self, request: &Request, actor: &str) -> Answer {
        let began = self.changes.host.clock.millis();
        let filter = Filter::Owner(api::owner(request)?);
        let query = Parameters::read(request, &["limit", "cursor"])?;
        let (limit, partition) = (query.limit(REVOKED)?, filter.partition());
        let from = query.get("cursor").map(|cursor| cursor::decode(&partition, cursor)).transpose()?;
        let mut fields = api::fields(request)?;
        let reason = fields.required("reason", input::reason)?;
        fields.finish()?;

        let (keys, mut next) = self.changes.store.list_damaged(&filter, limit, from.as_ref()).await?;
        let mut page = Page::default();
        let mut done: Option<Position> = from.clone();
        for key in keys {
            let elapsed = self.changes.host.clock.millis().saturating_sub(began);
            if elapsed >= BUDGET_MILLIS && done != from {
                next = done;
                break;
            }
            match self.revoke_listed(&key, actor, &reason, &mut page).await {
                Ok(()) => {}
                // There is nothing to be told, or no place to go on from.
                Err(error) if page.is_empty() || done.is_none() => return Err(error),
                Err(_) => {
                    page.failed.push(key.partition);
                    next = done;
                    break;
                }
            }
            done = key.position.or(done);
        }
        let next = next.map(|position| cursor::encode(&partition, &position));
        let Page { revoked, already, failed } = page;
        Ok(Reply::ok(json!({ "revoked": revoked, "already_revoked": already, "failed": failed, "next_cursor": next })))
    }

    /// Fails with what isn't the fault of this key alone.
    async fn revoke_listed(&self, key: &Listed, actor: &str, reason: &str, page: &mut Page) -> Result<(), Error> {
        let name = key.partition.clone();
        let Some(id) = KeyId::parse(&name) else {
            page.failed.push(name);
            return Ok(());
        };
        // The index is written after everything else: what it says of a revocation is true, however late.
        if key.is_revoked {
            page.already.push(name);
            return Ok(());
        }
        match self.refuse(&id, actor, Refusing::Revoke(reason.to_owned())).await {
            Ok(_) => page.revoked.push(name),
            // Removed after its end, and the index is late.
            Err(Error::Rejected(rejection)) if rejection.code == Code::NoSuchKey => page.already.push(name),
            Err(Error::Fault(fault)) if fault.is_corrupt() => page.failed.push(name),
            Err(error) => return Err(error),
        }
        Ok(())
    }
}
