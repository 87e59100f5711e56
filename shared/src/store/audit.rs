//! The audit table: append-only, by management day.

use aws_sdk_dynamodb::operation::execute_statement::ExecuteStatementError;

use super::{Store, copies, item::Attributes, number, text};
use crate::{audit::change::Event, error::Fault};

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

/// The item of one record. Both records of a change are in the partition of the day on which it began.
#[must_use]
pub fn write(event: &Event, phase: Phase, retention_seconds: u64) -> Attributes {
    let (suffix, outcome) = match phase {
        Phase::Intent => ("intent", None),
        Phase::Done => ("outcome", Some("done")),
        Phase::Refused(code) => ("outcome", Some(code)),
    };
    let mut attributes = Attributes::from([
        ("pk".to_owned(), text(format!("management#{}", event.at.iso_day()))),
        ("sk".to_owned(), text(format!("{}#{suffix}", event.id))),
        ("at".to_owned(), number(event.at.secs())),
        ("action".to_owned(), text(event.action)),
        ("key".to_owned(), text(event.key.as_str())),
        ("actor".to_owned(), text(&event.actor)),
        ("detail".to_owned(), text(event.detail.to_string())),
        ("ttl".to_owned(), number(event.at.plus(retention_seconds).secs())),
    ]);
    attributes.extend(outcome.map(|outcome| ("outcome".to_owned(), text(outcome))));
    attributes
}
