//! Changes in the audit table: append-only, by day.

use aws_sdk_dynamodb::operation::execute_statement::ExecuteStatementError;

use serde_json::Value;
use uuid::Uuid;

use super::{
    Store, copies,
    item::{Attributes, Reader},
    number, text,
};
use crate::{audit::change::Event, error::Fault, time::Timestamp};

/// Which of a change's records this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Before the first step. An intent without an outcome is a change that broke off.
    Intent,
    /// After the last step.
    Done,
    /// Nothing was changed, for the reason of that code.
    Refused(&'static str),
}

impl Store {
    /// Appends a record. One that is there already stays as it is.
    ///
    /// # Errors
    /// A [`Fault`] if DynamoDB doesn't take it; the change must then not go on.
    pub async fn append(&self, event: &Event, phase: Phase, retention_seconds: u64) -> Result<(), Fault> {
        let (statement, parameters) = copies::insert(&self.tables.audit, write(event, phase, retention_seconds));
        let inserted = self.client.execute_statement().statement(statement).set_parameters(Some(parameters)).send().await;
        match inserted {
            Ok(_) => Ok(()),
            Err(error) if error.as_service_error().is_some_and(ExecuteStatementError::is_duplicate_item_exception) => Ok(()),
            Err(error) => Err(Fault::from_sdk(&error)),
        }
    }
}

/// A change as the table has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Its id, which orders changes by time.
    pub id: Uuid,
    /// When it began.
    pub at: Timestamp,
    /// What was done.
    pub action: String,
    /// To which key, if it was one.
    pub key: Option<String>,
    /// To which plan, if it was one.
    pub plan: Option<String>,
    /// To what the keys of which owner share, if it was that.
    pub owner: Option<String>,
    /// By which principal.
    pub actor: String,
    /// What was asked for, and what it changed.
    pub detail: Value,
    /// `done`, or the code that it was refused with; none: it broke off, or is being made.
    pub outcome: Option<String>,
}

impl Store {
    /// At most `limit` changes that began on the UTC day of `day`, newest first, older than `before`; and whether those are all
    /// that there are.
    ///
    /// # Errors
    /// A [`Fault`] if DynamoDB doesn't answer, or the table holds something else.
    pub async fn changes(&self, day: Timestamp, before: Option<Uuid>, limit: usize) -> Result<(Vec<Change>, bool), Fault> {
        let query = self.client.query().table_name(&self.tables.audit).scan_index_forward(false);
        let query = query.expression_attribute_values(":pk", text(partition(day)));
        let query = match before {
            // Before either record of that change.
            Some(before) => query
                .key_condition_expression("pk = :pk AND sk < :before")
                .expression_attribute_values(":before", text(before.to_string())),
            None => query.key_condition_expression("pk = :pk"),
        };
        // Two records a change, and one that shows that there are more.
        let wanted = i32::try_from(2 * limit + 1).unwrap_or(i32::MAX);
        let mut items = query.limit(wanted).into_paginator().items().send();
        let mut changes: Vec<Change> = Vec::new();
        while let Some(item) = items.next().await {
            let change = read(&item.map_err(|error| Fault::from_sdk(&error))?)?;
            // A change's outcome sorts after its intent, and has come first.
            if changes.last().is_some_and(|last| last.id == change.id) {
                continue;
            }
            if changes.len() == limit {
                return Ok((changes, false));
            }
            changes.push(change);
        }
        Ok((changes, true))
    }
}

fn partition(day: Timestamp) -> String {
    format!("management#{}", day.iso_day())
}

fn read(attributes: &Attributes) -> Result<Change, Fault> {
    let item = Reader::new("change", attributes);
    let id = |sk: &str| sk.split_once('#')?.0.parse().ok();
    Ok(Change {
        id: item.parsed("sk", id)?,
        at: Timestamp::from_secs(item.number("at")?),
        action: item.text("action")?.to_owned(),
        key: item.optional_text("key")?.map(ToOwned::to_owned),
        plan: item.optional_text("plan")?.map(ToOwned::to_owned),
        owner: item.optional_text("owner")?.map(ToOwned::to_owned),
        actor: item.text("actor")?.to_owned(),
        detail: item.parsed("detail", |text| serde_json::from_str(text).ok())?,
        outcome: item.optional_text("outcome")?.map(ToOwned::to_owned),
    })
}

/// The item of one record. Both records of a change are in the partition of the day on which it began.
#[must_use]
pub fn write(event: &Event, phase: Phase, retention_seconds: u64) -> Attributes {
    let (suffix, outcome) = match phase {
        Phase::Intent => ("intent", None),
        Phase::Done => ("outcome", Some("done")),
        Phase::Refused(code) => ("outcome", Some(code)),
    };
    let mut attributes = Attributes::from([
        ("pk".to_owned(), text(partition(event.at))),
        ("sk".to_owned(), text(format!("{}#{suffix}", event.id))),
        ("at".to_owned(), number(event.at.secs())),
        ("action".to_owned(), text(event.action)),
        (event.subject.kind().to_owned(), text(event.subject.as_str())),
        ("actor".to_owned(), text(&event.actor)),
        ("detail".to_owned(), text(event.detail.to_string())),
        ("ttl".to_owned(), number(event.at.plus(retention_seconds).secs())),
    ]);
    attributes.extend(outcome.map(|outcome| ("outcome".to_owned(), text(outcome))));
    attributes
}
