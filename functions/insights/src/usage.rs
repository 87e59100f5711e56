//! `GET /v1/keys/{id}/usage`: how often a key was used, and how often it was refused, by day or month.

use std::collections::BTreeMap;

use futures_util::{StreamExt, TryStreamExt, stream};
use lambda_http::Request;
use serde_json::json;
use shared::{
    change::no_such_key,
    error::{Fault, Rejection},
    http::{self as api, Answer, Parameters, Reply},
    id::KeyId,
    store::budget::Budget,
    time::{DAY, Timestamp},
    usage::{self, Days, Granularity, Kept},
};

use crate::{Insights, table::table};

/// How many questions are asked at a time.
pub(crate) const AT_ONCE: usize = 8;

/// What is asked for: which days, and how finely.
pub(crate) struct Asked {
    pub(crate) days: Days,
    pub(crate) granularity: Granularity,
}

impl Insights {
    /// What is asked for of `kept` days.
    pub(crate) fn asked(&self, query: &Parameters<'_>, kept: Kept) -> Result<Asked, Rejection> {
        let granularity = Granularity::read(query.get("granularity"))?;
        let days = Days::read(query.get("from"), query.get("to"), self.host.clock.now(), kept, granularity)?;
        Ok(Asked { days, granularity })
    }

    /// The days of which usage is kept.
    pub(crate) fn kept(&self) -> Kept {
        Kept::for_seconds(self.config.usage_retention_seconds, self.host.clock.now())
    }

    pub(crate) async fn key_usage(&self, request: &Request) -> Answer {
        let id = api::key_id(request)?;
        let query = Parameters::read(request, &["from", "to", "granularity"])?;
        let Asked { days, granularity } = self.asked(&query, self.kept())?;
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
    pub(crate) async fn allowed(&self, id: &KeyId, days: Days) -> Result<Option<BTreeMap<Timestamp, u64>>, Fault> {
        // In this order: what is folded in between is then in both.
        let record = self.store.record(id).await?;
        let history = self.store.history(id, days.from.day(), days.to.day()).await?;
        let known = record.is_some() || !history.is_empty();
        Ok(known.then(|| usage::by_day(record.as_ref(), &history, days)))
    }

    /// Refusals by period and code, and whether those are all. What one request may read goes to the newest days, a
    /// few at a time.
    async fn refused(
        &self,
        id: &KeyId,
        days: Days,
        granularity: Granularity,
    ) -> Result<(BTreeMap<String, BTreeMap<String, u64>>, bool), Fault> {
        let (mut periods, budget) = (BTreeMap::<String, BTreeMap<String, u64>>::new(), Budget::of_a_request());
        let kept_since = self.config.copies.kept_since(self.host.clock.now());
        let mut complete = days.from >= kept_since;
        let kept = days.each().rev().take_while(|day| day.plus(DAY) > kept_since);
        let budget = &budget;
        let of_day = |day| async move { self.store.refusals(id, day, budget).await.map(|counted| (day, counted)) };
        let mut counted = stream::iter(kept.map(of_day)).buffered(AT_ONCE);
        while let Some((day, (codes, all))) = counted.try_next().await? {
            complete &= all;
            for (code, count) in codes {
                *periods.entry(granularity.period(day)).or_default().entry(code).or_default() += count;
            }
        }
        Ok((periods, complete))
    }
}
