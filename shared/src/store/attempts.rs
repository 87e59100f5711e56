//! Copied attempts, read: of one key, by day, newest first.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::{operation::query::builders::QueryFluentBuilder, types::ReturnConsumedCapacity};
use futures_util::{StreamExt, TryStreamExt, stream};
use uuid::Uuid;

use super::{
    Store,
    budget::Budget,
    copies::of_key,
    item::{Attributes, Reader},
    number, text,
};
use crate::{audit::attempt::ALLOWED, error::Fault, id::KeyId, time::Timestamp, usage::Days};

/// Which attempts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// All of them.
    All,
    /// Those that were allowed.
    Allowed,
    /// Those that were not.
    Refused,
    /// Those of one outcome, which is not [`ALLOWED`].
    Outcome(String),
}

impl Which {
    /// The classes that it takes of those that rows are stored in.
    const fn classes(&self) -> &'static [&'static str] {
        match self {
            Self::All => &["allowed", "refused"],
            Self::Allowed => &["allowed"],
            Self::Refused | Self::Outcome(_) => &["refused"],
        }
    }
}

/// What is wanted of a day.
#[derive(Clone, Debug)]
pub struct Wanted<'a> {
    /// Which attempts.
    pub which: &'a Which,
    /// Only what is older than this one.
    pub before: Option<Uuid>,
    /// At most so many.
    pub limit: usize,
}

/// An attempt as the table has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Copied {
    /// Its id, which orders attempts by time.
    pub id: Uuid,
    /// When, in milliseconds since the epoch.
    pub at_millis: u64,
    /// `allowed`, or the code of the refusal or fault.
    pub outcome: String,
    /// The generation whose secret was used.
    pub generation: Option<u32>,
    /// What may be shown of that secret.
    pub hint: Option<String>,
    /// The request's method.
    pub method: String,
    /// Its path, perhaps cut short.
    pub path: String,
    /// Where it came from.
    pub source_ip: Option<String>,
    /// What its caller said it was, perhaps cut short.
    pub user_agent: String,
    /// API Gateway's id of it.
    pub request_id: String,
    /// How long deciding it took, in milliseconds.
    pub duration_ms: Option<f64>,
}

/// Questions of several days are asked so many at a time.
const AT_ONCE: usize = 8;

impl Store {
    /// The attempts with `id` on the UTC day of `day` that are wanted, newest first. And the one right before which others of
    /// that day may be, if there may be any: the last one that was found, or that was looked at when `budget` was spent.
    ///
    /// # Errors
    /// A [`Fault`] if DynamoDB doesn't answer, or the table holds something else.
    pub async fn attempts(
        &self,
        id: &KeyId,
        day: Timestamp,
        wanted: &Wanted<'_>,
        budget: &Budget,
    ) -> Result<(Vec<Copied>, Option<Uuid>), Fault> {
        let (mut found, mut rest) = (Vec::new(), None);
        for class in wanted.which.classes() {
            let (of_class, left) = self.class(id, day, class, wanted, budget).await?;
            found.extend(of_class);
            rest = rest.max(left);
        }
        // What is older than where one class ended, another one may have more of.
        found.retain(|attempt| rest.is_none_or(|rest| attempt.id >= rest));
        found.sort_by_key(|attempt| std::cmp::Reverse(attempt.id));
        if found.len() > wanted.limit {
            found.truncate(wanted.limit);
            rest = found.last().map(|last| last.id);
        }
        Ok((found, rest))
    }

    /// Those of one class, up to one more than are wanted, and the one right before which others may be.
    async fn class(
        &self,
        id: &KeyId,
        day: Timestamp,
        class: &str,
        &Wanted { which, before, limit }: &Wanted<'_>,
        budget: &Budget,
    ) -> Result<(Vec<Copied>, Option<Uuid>), Fault> {
        let mut query = self.of_day(id, day, class, before);
        query = match which {
            // Those that a filter takes may be few among many: pages are as large as they can be.
            Which::Outcome(outcome) => {
                query.filter_expression("outcome = :outcome").expression_attribute_values(":outcome", text(outcome))
            }
            // What comes right before `before` is `before` itself.
            _ => query.limit(i32::try_from(limit + 2).unwrap_or(i32::MAX)),
        };
        let mut pages = query.into_paginator().send();
        let mut found: Vec<Copied> = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| Fault::from_sdk(&error))?;
            budget.spend(page.consumed_capacity());
            for item in page.items() {
                let copied = read(class, item)?;
                if Some(copied.id) == before {
                    continue;
                }
                found.push(copied);
                if found.len() > limit {
                    let last = found.last().map(|last| last.id);
                    return Ok((found, last));
                }
            }
            if let Some(last) = page.last_evaluated_key().filter(|_| budget.is_spent()) {
                let last = Reader::new("attempt", last).parsed("sk", |sk| id_of(class, sk))?;
                return Ok((found, Some(last)));
            }
        }
        Ok((found, None))
    }

    /// The rows of one day and class, newest first, up to the one of `before`.
    fn of_day(&self, id: &KeyId, day: Timestamp, class: &str, before: Option<Uuid>) -> QueryFluentBuilder {
        // Ids are of one length, and no id is all zeros or all ones.
        let (first, last) = (format!("{class}#{}", Uuid::nil()), format!("{class}#{}", before.unwrap_or(Uuid::max())));
        let query = self.client.query().table_name(&self.tables.audit).scan_index_forward(false);
        let query = query.key_condition_expression("pk = :pk AND sk BETWEEN :first AND :last");
        let query = query.expression_attribute_values(":pk", text(of_key(id.as_str(), day)));
        let query = query.expression_attribute_values(":first", text(first)).expression_attribute_values(":last", text(last));
        query.return_consumed_capacity(ReturnConsumedCapacity::Total)
    }

    /// The allowed attempts with `id` since `since`, newest first, of all generations or of one. And whether those are all that
    /// have a copy: not if `budget` was spent on the way.
    ///
    /// # Errors
    /// A [`Fault`] if DynamoDB doesn't answer, or the table holds something else.
    pub async fn uses(
        &self,
        id: &KeyId,
        generation: Option<u32>,
        since: Timestamp,
        now: Timestamp,
        budget: &Budget,
    ) -> Result<(Vec<Copied>, bool), Fault> {
        let of_day = |day| self.uses_of_day(id, day, generation, since, budget);
        let mut days = stream::iter(Days::since(since, now).each().rev().map(of_day)).buffered(AT_ONCE);
        let (mut uses, mut complete) = (Vec::new(), true);
        while let Some((of_day, all)) = days.try_next().await? {
            uses.extend(of_day);
            complete &= all;
        }
        Ok((uses, complete))
    }

    async fn uses_of_day(
        &self,
        id: &KeyId,
        day: Timestamp,
        generation: Option<u32>,
        since: Timestamp,
        budget: &Budget,
    ) -> Result<(Vec<Copied>, bool), Fault> {
        let mut uses = Vec::new();
        if budget.is_spent() {
            return Ok((uses, false));
        }
        let filter = if generation.is_some() { "at_ms >= :since AND generation = :generation" } else { "at_ms >= :since" };
        let query = self.of_day(id, day, ALLOWED, None).filter_expression(filter);
        let query = query.expression_attribute_values(":since", number(since.secs() * 1000));
        let query = match generation {
            Some(generation) => query.expression_attribute_values(":generation", number(generation.into())),
            None => query,
        };
        let mut pages = query.into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| Fault::from_sdk(&error))?;
            budget.spend(page.consumed_capacity());
            for item in page.items() {
                uses.push(read(ALLOWED, item)?);
            }
            if budget.is_spent() && page.last_evaluated_key().is_some() {
                return Ok((uses, false));
            }
        }
        Ok((uses, true))
    }

    /// How many attempts with `id` were refused on the UTC day of `day`, by code; and whether that is all of them that have a
    /// copy: not if `budget` was spent on the way.
    ///
    /// # Errors
    /// A [`Fault`] if DynamoDB doesn't answer, or the table holds something else.
    pub async fn refusals(&self, id: &KeyId, day: Timestamp, budget: &Budget) -> Result<(BTreeMap<String, u64>, bool), Fault> {
        let mut counts = BTreeMap::new();
        if budget.is_spent() {
            return Ok((counts, false));
        }
        let mut pages = self.of_day(id, day, "refused", None).projection_expression("outcome").into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| Fault::from_sdk(&error))?;
            budget.spend(page.consumed_capacity());
            for item in page.items() {
                *counts.entry(Reader::new("attempt", item).text("outcome")?.to_owned()).or_default() += 1;
            }
            if budget.is_spent() && page.last_evaluated_key().is_some() {
                return Ok((counts, false));
            }
        }
        Ok((counts, true))
    }
}

/// The id in the sort key of a row of that class.
fn id_of(class: &str, sk: &str) -> Option<Uuid> {
    sk.strip_prefix(class)?.strip_prefix('#')?.parse().ok()
}

fn read(class: &str, attributes: &Attributes) -> Result<Copied, Fault> {
    let item = Reader::new("attempt", attributes);
    let given = |name: &str| item.optional_text(name).map(|text| text.unwrap_or_default().to_owned());
    let copied = Copied {
        id: item.parsed("sk", |sk| id_of(class, sk))?,
        at_millis: item.number("at_ms")?,
        outcome: item.text("outcome")?.to_owned(),
        generation: item.optional_number("generation")?.map(|_| item.generation("generation")).transpose()?,
        hint: item.optional_text("hint")?.map(ToOwned::to_owned),
        method: given("method")?,
        path: given("path")?,
        source_ip: item.optional_text("source_ip")?.map(ToOwned::to_owned),
        user_agent: given("user_agent")?,
        request_id: given("request_id")?,
        duration_ms: attributes.get("duration_ms").and_then(|value| value.as_n().ok()?.parse().ok()),
    };
    if (class == ALLOWED) != (copied.outcome == ALLOWED) {
        return Err(item.corrupt("the outcome is of another class"));
    }
    Ok(copied)
}
