//! Copied attempts, read: of one key, by day, newest first.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::{
    Store,
    copies::of_key,
    item::{Attributes, Reader},
    text,
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

impl Store {
    /// At most `limit` attempts with `id` on the UTC day of `day`, newest first, older than `before`; and whether those are all
    /// that there are.
    ///
    /// # Errors
    /// A [`Fault`] if DynamoDB doesn't answer, or the table holds something else.
    pub async fn attempts(
        &self,
        id: &KeyId,
        day: Timestamp,
        which: &Which,
        before: Option<Uuid>,
        limit: usize,
    ) -> Result<(Vec<Copied>, bool), Fault> {
        let mut found = Vec::new();
        for class in which.classes() {
            found.extend(self.class(id, day, class, which, before, limit).await?);
        }
        found.sort_by_key(|attempt| std::cmp::Reverse(attempt.id));
        let all = found.len() <= limit;
        found.truncate(limit);
        Ok((found, all))
    }

    /// Up to one more than `limit` of one class.
    async fn class(
        &self,
        id: &KeyId,
        day: Timestamp,
        class: &str,
        which: &Which,
        before: Option<Uuid>,
        limit: usize,
    ) -> Result<Vec<Copied>, Fault> {
        // Ids are of one length, and no id is all zeros or all ones.
        let (first, last) = (format!("{class}#{}", Uuid::nil()), format!("{class}#{}", before.unwrap_or(Uuid::max())));
        let query = self.client.query().table_name(&self.tables.audit).scan_index_forward(false);
        let query = query.key_condition_expression("pk = :pk AND sk BETWEEN :first AND :last");
        let query = query.expression_attribute_values(":pk", text(of_key(id.as_str(), day)));
        let mut query = query.expression_attribute_values(":first", text(first)).expression_attribute_values(":last", text(last));
        if let Which::Outcome(outcome) = which {
            query = query.filter_expression("outcome = :outcome").expression_attribute_values(":outcome", text(outcome));
        }
        // What comes right before `before` is `before` itself.
        let wanted = limit + 2;
        let mut pages = query.limit(i32::try_from(wanted).unwrap_or(i32::MAX)).into_paginator().items().send();
        let mut found = Vec::new();
        while let Some(item) = pages.next().await {
            let copied = read(class, &item.map_err(|error| Fault::from_sdk(&error))?)?;
            if Some(copied.id) == before {
                continue;
            }
            found.push(copied);
            if found.len() > limit {
                break;
            }
        }
        Ok(found)
    }

    /// The newest allowed attempts with `id`, newest first: since `since`, but at most `most` of them and of so many UTC days up to
    /// today, as a question of bounded cost. And whether those are all since then.
    ///
    /// # Errors
    /// A [`Fault`] if DynamoDB doesn't answer, or the table holds something else.
    pub async fn newest_uses(
        &self,
        id: &KeyId,
        since: Timestamp,
        now: Timestamp,
        (most, most_days): (usize, usize),
    ) -> Result<(Vec<Copied>, bool), Fault> {
        let mut uses: Vec<Copied> = Vec::new();
        let mut days = Days::since(since, now).each().rev();
        for day in days.by_ref().take(most_days) {
            let (found, all) = self.attempts(id, day, &Which::Allowed, None, most - uses.len()).await?;
            uses.extend(found);
            if !all {
                return Ok((uses, false));
            }
        }
        uses.retain(|attempt| attempt.at_millis >= since.secs() * 1000);
        Ok((uses, days.next().is_none()))
    }

    /// How many attempts with `id` were refused on the UTC day of `day`, by code; and whether that is all of them: of very many,
    /// only the first `most` are counted.
    ///
    /// # Errors
    /// A [`Fault`] if DynamoDB doesn't answer, or the table holds something else.
    pub async fn refusals(&self, id: &KeyId, day: Timestamp, most: usize) -> Result<(BTreeMap<String, u64>, bool), Fault> {
        let query = self.client.query().table_name(&self.tables.audit);
        let query = query.key_condition_expression("pk = :pk AND begins_with(sk, :class)").projection_expression("outcome");
        let query = query.expression_attribute_values(":pk", text(of_key(id.as_str(), day)));
        let mut items = query.expression_attribute_values(":class", text("refused#")).into_paginator().items().send();
        let (mut counts, mut counted) = (BTreeMap::new(), 0);
        while let Some(item) = items.next().await {
            if counted == most {
                return Ok((counts, false));
            }
            let item = item.map_err(|error| Fault::from_sdk(&error))?;
            *counts.entry(Reader::new("attempt", &item).text("outcome")?.to_owned()).or_default() += 1;
            counted += 1;
        }
        Ok((counts, true))
    }
}

fn read(class: &str, attributes: &Attributes) -> Result<Copied, Fault> {
    let item = Reader::new("attempt", attributes);
    let id = |sk: &str| sk.strip_prefix(class)?.strip_prefix('#')?.parse().ok();
    let given = |name: &str| item.optional_text(name).map(|text| text.unwrap_or_default().to_owned());
    let copied = Copied {
        id: item.parsed("sk", id)?,
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
