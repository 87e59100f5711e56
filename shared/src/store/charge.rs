//! The one write of an allowed request: proves that the key is unchanged, checks every limit and counts the use.

use aws_sdk_dynamodb::{
    operation::update_item::builders::UpdateItemFluentBuilder,
    types::{ReturnValue, ReturnValuesOnConditionCheckFailure},
};

use super::{Store, applied, counting, item::Attributes, number, once, record, text};
use crate::{base62, decision::Use, error::Fault, host::Entropy, id::KeyId, record::Record};

/// Characters of a nonce: 71 bits, enough to tell one request from the one before it.
pub const NONCE_LENGTH: usize = 12;

/// A fresh nonce for one decision. Never from the event: two events with one id must count twice.
///
/// # Errors
/// A [`Fault`] if there is no randomness.
pub fn nonce(entropy: &dyn Entropy) -> Result<String, Fault> {
    base62::random(entropy, NONCE_LENGTH).map(|nonce| nonce.to_string())
}

/// What became of the write.
#[derive(Debug)]
pub enum Charge {
    /// It went through; the record as it is now.
    Counted(Record),
    /// Something has changed: the record as it is, or none if the key is gone.
    Refused(Option<Record>),
}

impl Store {
    /// Counts one use of `id` in one conditional write, without the SDK's own retries: whoever repeats it must know that
    /// it may have been applied before.
    ///
    /// # Errors
    /// A [`Fault`]; `ambiguous` if the use may have been counted.
    pub async fn charge(&self, id: &KeyId, r#use: &Use, nonce: &str) -> Result<Charge, Fault> {
        let update = build(self.hot(id), r#use, nonce);
        match once(update).send().await {
            Ok(answer) => match record::read(answer.attributes().unwrap_or(&Attributes::new())) {
                Ok(record) => Ok(Charge::Counted(record)),
                Err(fault) => Err(Fault { ambiguous: true, ..fault }),
            },
            Err(error) => record::found(&error).map(Charge::Refused),
        }
    }

    /// Opens the connection with the real operation, on an item that never exists: the condition fails, nothing is
    /// written, and no permission is needed that uses don't need.
    ///
    /// # Errors
    /// A [`Fault`] if DynamoDB doesn't answer.
    pub async fn warm(&self) -> Result<(), Fault> {
        let update = self.client.update_item().table_name(&self.tables.keys);
        let update = update.key("pk", text("reserved#warm")).key("sk", text("key"));
        let update = update.update_expression("SET #v = :v").condition_expression("attribute_exists(pk)");
        let update = update.expression_attribute_names("#v", "version").expression_attribute_values(":v", number(0));
        applied(update.send().await).map(|_| ())
    }
}

fn build(update: UpdateItemFluentBuilder, r#use: &Use, nonce: &str) -> UpdateItemFluentBuilder {
    let mut expression = counting::begin(r#use.version, r#use.now, nonce, r#use.sweep.as_ref());
    let generation = record::generation_counter(r#use.generation);
    for (placeholder, name) in [("#day", r#use.day.to_string()), ("#total", "total".to_owned()), ("#g", generation)] {
        counting::count(&mut expression, placeholder, name);
    }
    expression.set("last_used_at", number(r#use.now.secs()));
    // The day is counted whether it is limited or not.
    counting::count_limited(&mut expression, &r#use.windows, Some(r#use.day));
    if let Some(generation) = r#use.unused {
        expression.require("attribute_not_exists(#unused)");
        expression.name("#unused", record::generation_counter(generation));
    }
    answering(expression.apply(update))
}

/// With the item as it is afterwards, or as it was if the condition doesn't hold.
pub(super) fn answering(update: UpdateItemFluentBuilder) -> UpdateItemFluentBuilder {
    update
        .return_values(ReturnValue::AllNew)
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
}
