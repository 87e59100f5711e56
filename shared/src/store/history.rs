//! History: closed days, as they were folded out of the hot item.

use std::collections::BTreeMap;

use super::{Store, item::Reader, text};
use crate::{error::Fault, id::KeyId, time};

impl Store {
    /// The uses of `id` on each closed day from `from` to `to`, both included and as `20261123`; days without any are left out.
    /// Read the record first: what is folded meanwhile is then in one of them, or in both and the same.
    ///
    /// # Errors
    /// A [`Fault`] if DynamoDB doesn't answer, or the table holds something else.
    pub async fn history(&self, id: &KeyId, from: u32, to: u32) -> Result<BTreeMap<u32, u64>, Fault> {
        let query = self.client.query().table_name(&self.tables.usage).consistent_read(true);
        let query = query.key_condition_expression("pk = :id AND sk BETWEEN :from AND :to");
        let query = query.expression_attribute_values(":id", text(id.as_str()));
        let query = query.expression_attribute_values(":from", text(from.to_string()));
        let query = query.expression_attribute_values(":to", text(to.to_string()));
        let mut items = query.into_paginator().items().send();
        let mut days = BTreeMap::new();
        while let Some(item) = items.next().await {
            let item = item.map_err(|error| Fault::from_sdk(&error))?;
            let item = Reader::new("closed day", &item);
            let is_day = |text: &str| text.parse().ok().filter(|day| time::start_of_day(*day).is_some());
            days.insert(item.parsed("sk", is_day)?, item.number("count")?);
        }
        Ok(days)
    }
}
