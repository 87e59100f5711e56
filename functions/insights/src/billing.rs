//! `GET /v1/owners/{type}/{id}/usage`: how often each of an owner's keys was used, by day or month, page by page.

use std::collections::BTreeMap;

use futures_util::{StreamExt, TryStreamExt, stream};
use lambda_http::Request;
use serde_json::{Value, json};
use shared::{
    cursor,
    error::{Error, Fault, Rejection},
    http::{self as api, Answer, PageSize, Parameters, Reply},
    store::list::{Filter, Summary},
    usage::{self, Kept},
};

use crate::{
    Insights,
    size::fits,
    table::table,
    usage::{AT_ONCE, Asked},
};

/// Keys that one answer counts.
pub const BILLED: PageSize = PageSize { most: 100, default: 50 };

/// A key and its uses by period; none if what is stored of it can't be read.
type Counted = (Summary, Option<BTreeMap<String, u64>>);

impl Insights {
    pub(crate) async fn owner_usage(&self, request: &Request) -> Answer {
        let filter = Filter::Owner(api::owner(request)?);
        let query = Parameters::read(request, &["from", "to", "granularity", "limit", "cursor"])?;
        let kept = self.kept().of_keys(self.config.retention_seconds, self.host.clock.now());
        let asked = self.asked(&query, kept)?;
        let table = api::wants_csv(request);
        if table && asked.days.from < kept.complete_from {
            // A table has no place to say that.
            let since = kept.complete_from.iso_day();
            let detail = format!("must not be before {since}: keys that had ended by then are no longer listed; JSON says so");
            return Err(Rejection::field("from", detail).into());
        }
        let limit = query.limit(BILLED)?;
        let partition = filter.partition();
        let from = query.get("cursor").map(|text| cursor::decode(&partition, text)).transpose()?;
        let (keys, next) = self.store.list(&filter, limit, from.as_ref()).await?;
        let counted = keys.into_iter().map(|key| self.counted(key, &asked));
        let keys: Vec<Counted> = stream::iter(counted).buffered(AT_ONCE).try_collect().await?;
        let next = next.map(|position| cursor::encode(&partition, &position));
        if table { bill(&keys, next.is_some(), &asked) } else { document(&keys, next, &asked, kept) }
    }

    /// One damaged key is no reason to bill for none.
    async fn counted(&self, key: Summary, asked: &Asked) -> Result<Counted, Error> {
        match self.allowed(&key.position.id, asked.days).await {
            Ok(allowed) => Ok((key, Some(usage::by_period(&allowed.unwrap_or_default(), asked.granularity)))),
            Err(fault) if fault.is_corrupt() => {
                tracing::error!(fault = fault.code, detail = fault.detail, "the usage of a key can't be told");
                Ok((key, None))
            }
            Err(fault) => Err(fault.into()),
        }
    }
}

fn document(keys: &[Counted], next: Option<String>, asked: &Asked, kept: Kept) -> Answer {
    let period = asked.granularity.as_str();
    let mut sums: BTreeMap<&str, u64> = BTreeMap::new();
    for (period, count) in keys.iter().filter_map(|(_, counts)| counts.as_ref()).flatten() {
        *sums.entry(period).or_default() += count;
    }
    let entry = |(key, counts): &Counted| {
        // As in a table.
        let used = counts.iter().flatten().filter(|(_, count)| **count > 0);
        json!({
            "key": key.position.id,
            "name": key.name,
            "allowed": counts.as_ref().map(|counts| counts.values().sum::<u64>()),
            "usage": used.map(|(name, count)| json!({ period: name, "allowed": count })).collect::<Vec<_>>(),
        })
    };
    let left_out = keys.iter().filter(|(_, counts)| counts.is_none()).map(|(key, _)| &key.position.id);
    let usage: Vec<Value> = sums.iter().map(|(name, count)| json!({ period: name, "allowed": count })).collect();
    let document = json!({
        "from": asked.days.from.iso_day(),
        "to": asked.days.to.iso_day(),
        // Before it, keys are missing that have ended since and been removed.
        "complete_from": kept.complete_from.iso_day(),
        "granularity": period,
        "keys": keys.iter().map(entry).collect::<Vec<_>>(),
        // Of the keys on this page.
        "usage": usage,
        "total": { "allowed": sums.values().sum::<u64>() },
        "left_out": left_out.collect::<Vec<_>>(),
        "next_cursor": next,
    });
    fits(&document.to_string())?;
    Ok(Reply::ok(document))
}

/// A table has no place for a cursor or for what is missing: a part of a bill would look like all of it.
fn bill(keys: &[Counted], more: bool, asked: &Asked) -> Answer {
    if more {
        let most = BILLED.most;
        let detail = format!("must be larger, because a table comes whole; for more than {most} keys, ask for JSON");
        return Err(Rejection::field("limit", detail).into());
    }
    let mut rows = Vec::new();
    for (key, counts) in keys {
        let counts = counts.as_ref().ok_or_else(|| Fault::corrupt("bill", "the usage of a key can't be told"))?;
        let row =
            |(period, count): (&String, &u64)| [key.position.id.to_string(), key.name.clone(), period.clone(), count.to_string()];
        // Of many keys, most have no use in most periods.
        rows.extend(counts.iter().filter(|(_, count)| **count > 0).map(row));
    }
    table(&["key", "name", asked.granularity.as_str(), "allowed"], rows.into_iter())
}

#[cfg(test)]
mod tests {
    use shared::{id::KeyId, store::list::Position, time::Timestamp, usage::Days};

    use super::*;

    #[test]
    fn what_an_answer_has_no_room_for_is_refused_as_json_and_as_a_table() {
        let (now, granularity) = (Timestamp::from_secs(1_800_000_000), usage::Granularity::Day);
        let kept = Kept::for_seconds(3650 * shared::time::DAY, now);
        let keys = |days: u64| -> Vec<Counted> {
            let used =
                (0..days).map(|day| (now.minus(day * shared::time::DAY).iso_day(), 123_456_789)).collect::<BTreeMap<_, _>>();
            let key = Summary {
                position: Position { id: KeyId::parse("key_0123456789abcdefghijkl").unwrap(), created_at: now },
                name: "\"".repeat(64),
                owner: "user:42".to_owned(),
                env_status: "live#active".to_owned(),
                hint: None,
                expires_at: None,
            };
            (0..100).map(|_| (key.clone(), Some(used.clone()))).collect()
        };
        let asked = Asked { days: Days::since(now, now), granularity };
        for (days, fits_as_json, fits_as_table) in [(150, true, true), (400, true, false), (1400, false, false)] {
            assert_eq!(document(&keys(days), None, &asked, kept).is_ok(), fits_as_json, "{days} days");
            assert_eq!(bill(&keys(days), false, &asked).is_ok(), fits_as_table, "{days} days");
        }
    }
}
