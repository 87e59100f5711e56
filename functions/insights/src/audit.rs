//! `GET /v1/keys/{id}/audit`, the attempts with a key, and `GET /v1/audit`, the changes of one day; both newest first.

use lambda_http::Request;
use serde_json::{Value, json};
use shared::{
    cursor,
    error::{Code, Rejection},
    http::{self as api, Answer, PageSize, Parameters},
    store::{
        attempts::{Copied, Wanted, Which},
        audit::Change,
        budget::Budget,
    },
    time::{self, DAY, Timestamp},
    usage::{Days, Granularity, Kept},
};
use uuid::Uuid;

use crate::{Insights, page};

/// Entries of a page.
pub const AUDITED: PageSize = PageSize { most: 100, default: 50 };

/// The most days that are looked through for one page: after them it ends, however empty, and its cursor goes on. So it does
/// after as much of a day as one request may read.
const MOST_DAYS: usize = 31;

impl Insights {
    pub(crate) async fn attempts(&self, request: &Request) -> Answer {
        let id = api::key_id(request)?;
        let query = Parameters::read(request, &["outcome", "from", "to", "limit", "cursor"])?;
        let (which, limit) = (which(query.get("outcome"))?, usize::from(query.limit(AUDITED)?));
        let (now, retention) = (self.host.clock.now(), self.config.copies.retention_seconds);
        // Of a key that has been removed, nobody knows when it began: its days must be named.
        let issued = match query.get("from") {
            Some(_) => None,
            None => Some(self.key(&id).await?.1.created_at.max(now.minus(retention)).iso_day()),
        };
        let from = query.get("from").or(issued.as_deref());
        let days = Days::read(from, query.get("to"), now, Kept::for_seconds(retention, now), Granularity::Day)?;
        let list = format!("attempts {id} {which:?}");
        let place = query.cursor(&list, place)?;
        let (last, mut before) = place.map_or((days.to, None), |(day, before)| (day.min(days.to), before));
        let (mut attempts, mut next, budget) = (Vec::new(), None, Budget::of_a_request());
        let reached = Days { from: days.from, to: last.max(days.from) };
        for (index, day) in reached.each().rev().enumerate() {
            if index == MOST_DAYS || budget.is_spent() {
                next = Some((day, None));
                break;
            }
            let wanted = Wanted { which: &which, before: before.take(), limit: limit - attempts.len() };
            let (found, rest) = self.store.attempts(&id, day, &wanted, &budget).await?;
            attempts.extend(found);
            if rest.is_some() {
                next = Some((day, rest));
                break;
            }
            if attempts.len() == limit {
                next = (day > days.from).then(|| (day.minus(DAY), None));
                break;
            }
        }
        page("attempts", attempts.iter().map(attempt).collect(), next.map(|next| cursor::seal(&list, &write(next))))
    }

    pub(crate) async fn changes(&self, request: &Request) -> Answer {
        let query = Parameters::read(request, &["day", "limit", "cursor"])?;
        let limit = query.limit(AUDITED)?;
        let (day, now) = (query.get("day"), self.host.clock.now());
        let kept = Kept::for_seconds(self.config.copies.retention_seconds, now);
        let named = Days::read(day, day, now, kept, Granularity::Day);
        let day = named.map_err(|rejection| Rejection { field: Some("day".to_owned()), ..rejection })?.to;
        let list = format!("changes {}", day.iso_day());
        let before = query.cursor(&list, |place| place.parse().ok())?;
        let (changes, all) = self.store.changes(day, before, limit.into()).await?;
        let next = changes.last().filter(|_| !all).map(|last| cursor::seal(&list, &last.id.to_string()));
        page("changes", changes.iter().map(change).collect(), next)
    }
}

/// The parameter `outcome`: `allowed`, `refused`, or a code.
fn which(outcome: Option<&str>) -> Result<Which, Rejection> {
    match outcome {
        None => Ok(Which::All),
        Some("allowed") => Ok(Which::Allowed),
        Some("refused") => Ok(Which::Refused),
        Some(code) if Code::ALL.iter().any(|known| known.as_str() == code) => Ok(Which::Outcome(code.to_owned())),
        Some(_) => Err(Rejection::field("outcome", "must be allowed, refused, or the code of a refusal such as rate_limited")),
    }
}

/// A place in a key's attempts: a day, and perhaps an attempt of it, right before which it is.
fn place(text: &str) -> Option<(Timestamp, Option<Uuid>)> {
    let (day, id) = text.split_once(' ').map_or((text, None), |(day, id)| (day, Some(id)));
    Some((time::parse_iso_day(day)?, id.map(str::parse).transpose().ok()?))
}

fn write((day, before): (Timestamp, Option<Uuid>)) -> String {
    before.map_or_else(|| day.iso_day(), |before| format!("{} {before}", day.iso_day()))
}

pub(crate) fn attempt(attempt: &Copied) -> Value {
    json!({
        "at": time::rfc3339_millis(attempt.at_millis),
        "outcome": attempt.outcome,
        "generation": attempt.generation,
        "hint": attempt.hint,
        "method": attempt.method,
        "path": attempt.path,
        "source_ip": attempt.source_ip,
        "user_agent": attempt.user_agent,
        "request_id": attempt.request_id,
        "duration_ms": attempt.duration_ms,
    })
}

fn change(change: &Change) -> Value {
    json!({
        "id": change.id.to_string(),
        "at": change.at,
        "action": change.action,
        "key": change.key,
        "plan": change.plan,
        "owner": change.owner,
        "actor": change.actor,
        "detail": change.detail,
        "outcome": change.outcome.as_deref().unwrap_or("unfinished"),
    })
}
