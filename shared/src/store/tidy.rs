//! What is done after responses: removing many ended windows at once, and folding closed days into history.

use std::fmt::Write as _;

use super::{Store, applied, number, text};
use crate::{decision::Sweep, error::Fault, id::KeyId, limit::Window, record::Record, time::Timestamp};

/// The most windows that one write removes: keeps the expression far below DynamoDB's 4 KB.
const MOST_REMOVED: usize = 100;

impl Store {
    /// Removes ended windows of `id`. If another instance has swept further meanwhile, it has done this work.
    ///
    /// # Errors
    /// A [`Fault`] if DynamoDB doesn't answer; the next use that sees the windows tries again.
    pub async fn sweep(&self, id: &KeyId, sweep: &Sweep) -> Result<(), Fault> {
        let mut expression = String::from("SET #swept = :swept");
        let mut update = self.hot(id);
        for (index, window) in sweep.windows.iter().take(MOST_REMOVED).enumerate() {
            // Writing to a String never fails.
            let _ = write!(expression, "{} #e{index}", if index == 0 { " REMOVE" } else { "," });
            update = update.expression_attribute_names(format!("#e{index}"), window.to_string());
        }
        let update = update.update_expression(expression).condition_expression("attribute_exists(pk) AND #swept <= :swept");
        let update = update.expression_attribute_names("#swept", "swept");
        applied(update.expression_attribute_values(":swept", number(sweep.up_to.secs())).send().await).map(|_| ())
    }

    /// Moves `count`, a closed day's, to the history table, kept until `ttl`. First the history item, if it is absent or
    /// smaller; then the attribute goes, if it still has that count. A crash in between leaves both, and readers take
    /// one of them. No late use can begin the day anew: `swept` is after the day's end, or is moved there, to `up_to`.
    ///
    /// # Errors
    /// A [`Fault`] if DynamoDB doesn't answer; the next use that sees the day tries again.
    pub async fn fold(&self, record: &Record, day: Window, count: u64, up_to: Timestamp, ttl: Timestamp) -> Result<(), Fault> {
        let Some(date) = day.day() else { return Ok(()) };
        let put = self.client.put_item().table_name(&self.tables.usage);
        let put = put.item("pk", text(record.id.as_str())).item("sk", text(date.to_string()));
        let put = put.item("count", number(count)).item("ttl", number(ttl.secs()));
        let put = put.condition_expression("attribute_not_exists(pk) OR #count < :count");
        let put = put.expression_attribute_names("#count", "count").expression_attribute_values(":count", number(count));
        applied(put.send().await)?;

        // On a busy key `swept` moves every second: setting it again would only lose a race that needs no winner.
        let (expression, condition, swept) = if record.swept >= day.end() {
            ("REMOVE #day", "#day = :count AND #swept >= :swept", day.end())
        } else {
            ("SET #swept = :swept REMOVE #day", "#day = :count AND #swept <= :swept", up_to)
        };
        let update = self.hot(&record.id).update_expression(expression).condition_expression(condition);
        let update = update.expression_attribute_names("#day", day.to_string()).expression_attribute_names("#swept", "swept");
        let update = update.expression_attribute_values(":count", number(count));
        applied(update.expression_attribute_values(":swept", number(swept.secs())).send().await).map(|_| ())
    }
}
