//! `GET /v1/keys/{id}/usage` and `GET /v1/owners/{type}/{id}/usage`: how often keys were used, by day or month.

use std::collections::BTreeMap;

use futures_util::{StreamExt, TryStreamExt, stream};
use lambda_http::Request;
use serde_json::{Map, Value, json};
use shared::{
    change::no_such_key,
    cursor,
    error::{Error, Fault, Rejection},
    http::{self as api, Answer, Parameters, Reply},
    id::KeyId,
    store::list::{Filter, Summary},
    time::Timestamp,
    usage::{self, Days, Granularity},
};

use crate::Insights;

/// The most keys of an owner that one answer counts.
const MOST_KEYS: u8 = 100;

/// How many of them, unless the caller says so.
const DEFAULT_KEYS: u8 = 50;

/// How many questions are asked at a time.
const AT_ONCE: usize = 8;

/// The most refusals of one day that are counted: as many as a few pages of the table have.
const MOST_REFUSALS: usize = 10_000;

/// What is asked for: which days, and how finely.
struct Asked {
    days: Days,
    granularity: Granularity,
}

impl Insights {
    fn asked(&self, query: &Parameters<'_>) -> Result<Asked, Rejection> {
        let granularity = Granularity::read(query.get("granularity"))?;
        let retention = self.config.usage_retention_seconds;
        let days = Days::read(query.get("from"), query.get("to"), self.host.clock.now(), retention)?;
        Ok(Asked { days, granularity })
    }

    pub(crate) async fn key_usage(&self, request: &Request) -> Answer {
        let id = api::key_id(request)?;
        let query = Parameters::read(request, &["from", "to", "granularity"])?;
        let Asked { days, granularity } = self.asked(&query)?;
        let allowed = usage::by_period(&self.allowed(&id, days).await?.ok_or_else(no_such_key)?, granularity);
        if api::wants_csv(request) {
            let rows = allowed.iter().map(|(period, count)| [id.to_string(), period.clone(), count.to_string()]);
            return table(&["key", granularity.as_str(), "allowed"], rows);
        }
        let (refused, complete) = self.refused(&id, days, granularity).await?;
        let none = BTreeMap::new();
        let periods = allowed.iter().map(|(period, count)| {
            json!({ granularity.as_str(): period, "allowed": count, "refused": refused.get(period).unwrap_or(&none) })
        });
        let mut codes: BTreeMap<&str, u64> = BTreeMap::new();
        for (code, count) in refused.values().flatten() {
            *codes.entry(code).or_default() += count;
        }
        Ok(Reply::ok(json!({
            "key": id,
            "from": days.from.iso_day(),
            "to": days.to.iso_day(),
            "granularity": granularity.as_str(),
            "usage": periods.collect::<Vec<_>>(),
            "total": { "allowed": allowed.values().sum::<u64>(), "refused": codes },
            // What was allowed is counted with each use. Refusals are counted from copies, which may lag, or be lost.
            "exact": { "allowed": true, "refused": false },
            "refusals_cut_off": !complete,
        })))
    }

    /// The uses of each day; none if there is neither such a key nor any history of it.
    async fn allowed(&self, id: &KeyId, days: Days) -> Result<Option<BTreeMap<Timestamp, u64>>, Fault> {
        // In this order: what is folded in between is then in both.
        let record = self.store.record(id).await?;
        let history = self.store.history(id, days.from.day(), days.to.day()).await?;
        let known = record.is_some() || !history.is_empty();
        Ok(known.then(|| usage::by_day(record.as_ref(), &history, days)))
    }

    /// Refusals by period and code, and whether those are all that have a copy.
    async fn refused(
        &self,
        id: &KeyId,
        days: Days,
        granularity: Granularity,
    ) -> Result<(BTreeMap<String, BTreeMap<String, u64>>, bool), Fault> {
        let (mut periods, mut complete) = (BTreeMap::<String, BTreeMap<String, u64>>::new(), true);
        let of_day = |day| async move { self.store.refusals(id, day, MOST_REFUSALS).await.map(|counted| (day, counted)) };
        let mut counted = stream::iter(days.each().map(of_day)).buffered(AT_ONCE);
        while let Some((day, (codes, all))) = counted.try_next().await? {
            complete &= all;
            for (code, count) in codes {
                *periods.entry(granularity.period(day)).or_default().entry(code).or_default() += count;
            }
        }
        Ok((periods, complete))
    }

    pub(crate) async fn owner_usage(&self, request: &Request) -> Answer {
        let filter = Filter::Owner(crate::owner(request)?);
        let query = Parameters::read(request, &["from", "to", "granularity", "limit", "cursor"])?;
        let Asked { days, granularity } = self.asked(&query)?;
        let limit = query.limit(MOST_KEYS, DEFAULT_KEYS)?;
        let partition = filter.partition();
        let from = query.get("cursor").map(|text| cursor::decode(&partition, text)).transpose()?;
        let (keys, next) = self.store.list(&filter, limit, from.as_ref()).await?;
        let of_key = |key: Summary| async move {
            let allowed = self.allowed(&key.position.id, days).await?.unwrap_or_default();
            Ok::<_, Error>((key, usage::by_period(&allowed, granularity)))
        };
        let keys: Vec<_> = stream::iter(keys.into_iter().map(of_key)).buffered(AT_ONCE).try_collect().await?;
        let next = next.map(|position| cursor::encode(&partition, &position));
        if api::wants_csv(request) {
            // A table has no place for a cursor: half of a bill would look like all of it.
            if next.is_some() {
                let detail = format!("must be larger, because a table comes whole; above {MOST_KEYS} keys, ask for JSON");
                return Err(Rejection::field("limit", detail).into());
            }
            let rows = keys.iter().flat_map(|(key, periods)| {
                let row = |(period, count): (&String, &u64)| {
                    [key.position.id.to_string(), key.name.clone(), period.clone(), count.to_string()]
                };
                periods.iter().map(row)
            });
            return table(&["key", "name", granularity.as_str(), "allowed"], rows);
        }
        let mut total: BTreeMap<&str, u64> = BTreeMap::new();
        for (period, count) in keys.iter().flat_map(|(_, periods)| periods) {
            *total.entry(period).or_default() += count;
        }
        let periods = |counts: &mut dyn Iterator<Item = (&str, u64)>| -> Vec<Value> {
            counts.map(|(period, count)| json!({ granularity.as_str(): period, "allowed": count })).collect()
        };
        let entry = |(key, counts): &(Summary, BTreeMap<String, u64>)| {
            let mut entry = Map::new();
            entry.insert("key".to_owned(), json!(key.position.id));
            entry.insert("name".to_owned(), json!(key.name));
            entry.insert("allowed".to_owned(), json!(counts.values().sum::<u64>()));
            let used = &mut counts.iter().filter(|(_, count)| **count > 0).map(|(period, count)| (period.as_str(), *count));
            entry.insert("usage".to_owned(), json!(periods(used)));
            Value::Object(entry)
        };
        Ok(Reply::ok(json!({
            "from": days.from.iso_day(),
            "to": days.to.iso_day(),
            "granularity": granularity.as_str(),
            "keys": keys.iter().map(entry).collect::<Vec<_>>(),
            // Of the keys on this page.
            "usage": periods(&mut total.iter().map(|(period, count)| (*period, *count))),
            "total": { "allowed": total.values().sum::<u64>() },
            "next_cursor": next,
        })))
    }
}

/// A table with a heading.
fn table<const N: usize>(heading: &[&str; N], rows: impl Iterator<Item = [String; N]>) -> Answer {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let failed = |error: csv::Error| Fault::new("csv.failed", error);
    writer.write_record(heading).map_err(failed)?;
    for row in rows {
        writer.write_record(row.map(|cell| inert(cell))).map_err(failed)?;
    }
    let bytes = writer.into_inner().map_err(|error| Fault::new("csv.failed", error))?;
    Ok(Reply::csv(String::from_utf8(bytes).map_err(|error| Fault::new("csv.failed", error))?))
}

/// A cell that no spreadsheet takes for a formula: the name of a key is whatever somebody wrote.
fn inert(cell: String) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{cell}") } else { cell }
}
