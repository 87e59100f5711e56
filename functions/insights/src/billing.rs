//! `GET /v1/owners/{type}/{id}/usage`: how often each of an owner's keys was used, by day or month, page by page.

use std::collections::BTreeMap;

use futures_util::{StreamExt, TryStreamExt, stream};
use lambda_http::Request;
use serde_json::{Value, json};
use shared::{
    cursor,
    error::{Error, Fault, Rejection},
    http::{self as api, Answer, Parameters, Reply},
    store::list::{Filter, Summary},
    usage,
};

use crate::{
    Insights,
    table::table,
    usage::{AT_ONCE, Asked},
};

/// The most keys that one answer counts.
const MOST_KEYS: u8 = 100;

/// How many of them, unless the caller says so.
const DEFAULT_KEYS: u8 = 50;

/// A key and its uses by period; none if what is stored of it can't be read.
type Counted = (Summary, Option<BTreeMap<String, u64>>);

impl Insights {
    pub(crate) async fn owner_usage(&self, request: &Request) -> Answer {
        let filter = Filter::Owner(api::owner(request)?);
        let query = Parameters::read(request, &["from", "to", "granularity", "limit", "cursor"])?;
        let asked = self.asked(&query)?;
        let limit = query.limit(MOST_KEYS, DEFAULT_KEYS)?;
        let partition = filter.partition();
        let from = query.get("cursor").map(|text| cursor::decode(&partition, text)).transpose()?;
        let (keys, next) = self.store.list(&filter, limit, from.as_ref()).await?;
        let counted = keys.into_iter().map(|key| self.counted(key, &asked));
        let keys: Vec<Counted> = stream::iter(counted).buffered(AT_ONCE).try_collect().await?;
        let next = next.map(|position| cursor::encode(&partition, &position));
        if api::wants_csv(request) { bill(&keys, next.is_some(), &asked) } else { Ok(document(&keys, next, &asked)) }
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

fn document(keys: &[Counted], next: Option<String>, asked: &Asked) -> Reply {
    let period = asked.granularity.as_str();
    let mut sums: BTreeMap<&str, u64> = BTreeMap::new();
    for (period, count) in keys.iter().filter_map(|(_, counts)| counts.as_ref()).flatten() {
        *sums.entry(period).or_default() += count;
    }
    let entry = |(key, counts): &Counted| {
        // Of many keys, most have no use in most periods.
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
    Reply::ok(json!({
        "from": asked.days.from.iso_day(),
        "to": asked.days.to.iso_day(),
        "granularity": period,
        "keys": keys.iter().map(entry).collect::<Vec<_>>(),
        // Of the keys on this page.
        "usage": usage,
        "total": { "allowed": sums.values().sum::<u64>() },
        "left_out": left_out.collect::<Vec<_>>(),
        "next_cursor": next,
    }))
}

/// A table has no place for a cursor or for what is missing: a part of a bill would look like all of it.
fn bill(keys: &[Counted], more: bool, asked: &Asked) -> Answer {
    if more {
        let detail = format!("must be larger, because a table comes whole; for more than {MOST_KEYS} keys, ask for JSON");
        return Err(Rejection::field("limit", detail).into());
    }
    let mut rows = Vec::new();
    for (key, counts) in keys {
        let counts = counts.as_ref().ok_or_else(|| Fault::corrupt("bill", "the usage of a key can't be told"))?;
        let row =
            |(period, count): (&String, &u64)| [key.position.id.to_string(), key.name.clone(), period.clone(), count.to_string()];
        rows.extend(counts.iter().map(row));
    }
    table(&["key", "name", asked.granularity.as_str(), "allowed"], rows.into_iter())
}
