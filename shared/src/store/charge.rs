//! The one write of an allowed request: proves that the key is unchanged, checks every limit and counts the use.

use std::fmt::Write as _;

use aws_sdk_dynamodb::{
    operation::update_item::builders::UpdateItemFluentBuilder,
    types::{ReturnValue, ReturnValuesOnConditionCheckFailure},
};

use super::{Store, applied, item::Attributes, number, once, record, text};
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
    /// it may have been applied before. It refuses to follow itself: not even one that arrives late counts twice.
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
    let mut condition = String::from(
        "#version = :version AND #swept <= :swept AND (attribute_not_exists(#last_request) OR #last_request <> :nonce)",
    );
    let mut set = String::from("SET #day = if_not_exists(#day, :zero) + :one, #total = if_not_exists(#total, :zero) + :one");
    set.push_str(", #g = if_not_exists(#g, :zero) + :one, #last_used_at = :now, #last_request = :nonce");
    let mut remove = String::new();

    let mut update = update
        .expression_attribute_names("#version", "version")
        .expression_attribute_names("#swept", "swept")
        .expression_attribute_names("#day", r#use.day.to_string())
        .expression_attribute_names("#total", "total")
        .expression_attribute_names("#g", record::generation_counter(r#use.generation))
        .expression_attribute_names("#last_used_at", "last_used_at")
        .expression_attribute_names("#last_request", "last_request")
        .expression_attribute_values(":version", number(r#use.version))
        .expression_attribute_values(":zero", number(0))
        .expression_attribute_values(":one", number(1))
        .expression_attribute_values(":now", number(r#use.now.secs()))
        .expression_attribute_values(":nonce", text(nonce));

    for (index, (window, limit)) in r#use.windows.iter().enumerate() {
        // The day is counted whether it is limited or not; DynamoDB refuses to set one attribute twice.
        let name = if *window == r#use.day { "#day".to_owned() } else { format!("#w{index}") };
        // Writing to a String never fails.
        let _ = write!(condition, " AND (attribute_not_exists({name}) OR {name} < :l{index})");
        if *window != r#use.day {
            let _ = write!(set, ", {name} = if_not_exists({name}, :zero) + :one");
            update = update.expression_attribute_names(name, window.to_string());
        }
        update = update.expression_attribute_values(format!(":l{index}"), number(*limit));
    }
    if let Some(generation) = r#use.unused {
        condition.push_str(" AND attribute_not_exists(#unused)");
        update = update.expression_attribute_names("#unused", record::generation_counter(generation));
    }
    let mut swept = r#use.now;
    if let Some(sweep) = &r#use.sweep {
        // `swept` must never fall, so it may be no later than what it is set to.
        swept = sweep.up_to;
        set.push_str(", #swept = :swept");
        for (index, window) in sweep.windows.iter().enumerate() {
            let _ = write!(remove, "{} #e{index}", if index == 0 { " REMOVE" } else { "," });
            update = update.expression_attribute_names(format!("#e{index}"), window.to_string());
        }
    }
    update
        .expression_attribute_values(":swept", number(swept.secs()))
        .condition_expression(condition)
        .update_expression(set + &remove)
        .return_values(ReturnValue::AllNew)
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
}
