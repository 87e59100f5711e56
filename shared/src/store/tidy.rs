//! What is done after responses: removing many ended windows at once, and folding closed days into history.

use std::fmt::Write as _;

use aws_sdk_dynamodb::operation::{put_item::PutItemError, update_item::UpdateItemError};

use super::{Store, hot_key, number, text};
use crate::{decision::Sweep, error::Fault, id::KeyId, limit::Window, time::Timestamp};

/// The most windows that one write removes: keeps the expression far below DynamoDB's 4 KB.
const MOST_REMOVED: usize = 100;

impl Store {
    /// Removes ended windows of `id`. If another instance has swept further meanwhile, it has done this work.
    ///
    /// # Errors
    /// A [`Fault`] if DynamoDB doesn't answer; the next use that sees the windows tries again.
    pub async fn sweep(&self, id: &KeyId, sweep: &Sweep) -> Result<(), Fault> {
        self.remove(id, &sweep.windows, sweep.up_to, None).await
    }

    /// Moves the count of a closed day to the history table, kept until `ttl`. First the history item, if it is absent
    /// or smaller; then the attribute goes, if it still has that count. A crash in between leaves both, and readers
    /// take one of them. Sweeping to `up_to` keeps late uses from beginning the day anew.
    ///
    /// # Errors
    /// A [`Fault`] if DynamoDB doesn't answer; the next use that sees the day tries again.
    pub async fn fold(&self, id: &KeyId, day: Window, count: u64, up_to: Timestamp, ttl: Timestamp) -> Result<(), Fault> {
        let Some(date) = day.day() else { return Ok(()) };
        let put = self.client.put_item().table_name(&self.tables.usage);
        let put = put
            .item("pk", text(id.as_str()))
            .item("sk", text(date.to_string()))
            .item("count", number(count))
            .item("ttl", number(ttl.secs()));
        let put = put.condition_expression("attribute_not_exists(pk) OR #count < :count");
        let put = put.expression_attribute_names("#count", "count").expression_attribute_values(":count", number(count));
        match put.send().await {
            Err(error) if !error.as_service_error().is_some_and(PutItemError::is_conditional_check_failed_exception) => {
                return Err(Fault::from_sdk(&error));
            }
            _ => {}
        }
        self.remove(id, &[day], up_to, Some(count)).await
    }

    async fn remove(&self, id: &KeyId, windows: &[Window], up_to: Timestamp, count: Option<u64>) -> Result<(), Fault> {
        let [pk, sk] = hot_key(id);
        let mut expression = String::from("SET #swept = :swept");
        let mut condition = String::from("attribute_exists(pk) AND #swept <= :swept");
        let mut update = self.client.update_item().table_name(&self.tables.keys).key(pk.0, pk.1).key(sk.0, sk.1);
        for (index, window) in windows.iter().take(MOST_REMOVED).enumerate() {
            let _ = write!(expression, "{} #e{index}", if index == 0 { " REMOVE" } else { "," });
            update = update.expression_attribute_names(format!("#e{index}"), window.to_string());
        }
        if let Some(count) = count {
            condition.push_str(" AND #e0 = :count");
            update = update.expression_attribute_values(":count", number(count));
        }
        let update =
            update.expression_attribute_names("#swept", "swept").expression_attribute_values(":swept", number(up_to.secs()));
        match update.update_expression(expression).condition_expression(condition).send().await {
            Err(error) if !error.as_service_error().is_some_and(UpdateItemError::is_conditional_check_failed_exception) => {
                Err(Fault::from_sdk(&error))
            }
            _ => Ok(()),
        }
    }
}
