//! The commit point of a change: one conditional write on the hot item, which no transaction ever holds.

use aws_sdk_dynamodb::{
    error::ProvideErrorMetadata,
    operation::update_item::builders::UpdateItemFluentBuilder,
    types::{ReturnValue, ReturnValuesOnConditionCheckFailure},
};

use super::{
    Store,
    expression::Expression,
    item::Attributes,
    number, own,
    own::Settled,
    record::{SHARED, found, generation_counter, policy, read, revoked, write},
    text,
};
use crate::{
    error::Fault,
    id::KeyId,
    record::{Record, Revocation, Status},
    time::Timestamp,
};

/// A change of a record, planned on the version before it.
#[derive(Clone, Debug)]
pub struct Commit {
    /// The record as it is to be; its version is one more than the version that the change was planned on.
    pub record: Record,
    /// Generations that the key no longer has, whose counters go.
    pub dropped: Vec<u32>,
    /// A generation that must never have been used.
    pub unused: Option<u32>,
}

impl Commit {
    /// Sets the tag of the newest generation, which this commit adds.
    pub fn tag_newest(&mut self, tag: &str) {
        if let Some(newest) = self.record.generations.iter_mut().max_by_key(|generation| generation.number) {
            tag.clone_into(&mut newest.tag);
        }
    }
}

/// What became of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Committed {
    /// The change is in force.
    Done,
    /// The key has changed meanwhile, and stays as it is; the version that it has now, if that is known.
    Conflict(Option<u64>),
    /// The key is gone.
    NoSuchKey,
}

/// What became of a change of status.
#[derive(Clone, Debug, PartialEq)]
pub enum StatusChange {
    /// The change is in force; the record after it.
    Done(Record),
    /// The key was revoked before, or has another version than the one that was named; its record.
    Refused(Record),
    /// There is no such key.
    NoSuchKey,
}

fn unless_revoked(mut update: UpdateItemFluentBuilder, known: Option<u64>) -> UpdateItemFluentBuilder {
    let mut condition = String::from("attribute_exists(pk) AND (attribute_not_exists(#status) OR #status <> :revoked)");
    if let Some(version) = known {
        condition.push_str(" AND #version = :known");
        update = update.expression_attribute_values(":known", number(version));
    }
    let update = update.condition_expression(condition).expression_attribute_values(":revoked", text("revoked"));
    update.return_values(ReturnValue::AllNew)
}

/// The version of an item, which may be anything else as well.
fn version(item: &Attributes) -> Option<u64> {
    item.get("version")?.as_n().ok()?.parse().ok()
}

impl Store {
    /// Puts `commit` in force if the key is still as it was when the change was planned. `nonce` is this change's own: a
    /// write whose answer was lost is repeated here, and recognised by it. `retention_seconds` after the end of the key's
    /// life, DynamoDB may remove the item.
    ///
    /// # Errors
    /// A [`Fault`]; `ambiguous` if the change may be in force.
    pub async fn commit(&self, commit: &Commit, nonce: &str, retention_seconds: u64) -> Result<Committed, Fault> {
        // What could never be read again must not be written, whatever it was made of.
        read(&write(&commit.record))?;
        Ok(match own::settle(|| self.build(commit, nonce, retention_seconds), nonce).await? {
            Settled::Done => Committed::Done,
            Settled::Conflict(None) => Committed::NoSuchKey,
            Settled::Conflict(Some(item)) => Committed::Conflict(version(&item)),
        })
    }

    fn build(&self, commit: &Commit, nonce: &str, retention_seconds: u64) -> UpdateItemFluentBuilder {
        let record = &commit.record;
        let mut expression = Expression::default();
        policy(record).into_iter().for_each(|(name, value)| expression.set(&name, value));
        if !record.shared_limits {
            expression.remove(SHARED);
        }
        expression.set("change", text(nonce));
        match record.end_of_life() {
            Some(end) => expression.set("ttl", number(end.plus(retention_seconds).secs())),
            None => expression.remove("ttl"),
        }
        commit.dropped.iter().for_each(|dropped| expression.remove(&generation_counter(*dropped)));
        let mut condition = String::from("#version = :before");
        if let Some(generation) = commit.unused {
            condition.push_str(" AND attribute_not_exists(#unused)");
            expression.name("#unused", generation_counter(generation));
        }
        expression.name("#version", "version".to_owned());
        let update = expression.apply(self.hot_update(&record.id)).condition_expression(condition);
        update.expression_attribute_values(":before", number(record.version - 1))
    }

    /// Disables a key if it has that version; without one, whatever version it has.
    ///
    /// # Errors
    /// A [`Fault`] if DynamoDB doesn't answer.
    pub async fn disable(&self, id: &KeyId, version: Option<u64>) -> Result<StatusChange, Fault> {
        let mut expression = Expression::default();
        expression.set("status", text(Status::Disabled.as_str()));
        self.change_status(id, expression, version).await
    }

    /// Revokes a key, whatever version it has. The reason is part of the commit, so that whoever repeats a revocation
    /// that broke off finishes it with the reason that it was begun with.
    ///
    /// # Errors
    /// A [`Fault`] if DynamoDB doesn't answer.
    pub async fn revoke(&self, id: &KeyId, revocation: &Revocation, ttl: Timestamp) -> Result<StatusChange, Fault> {
        let mut expression = Expression::default();
        expression.set("status", text("revoked"));
        expression.set("ttl", number(ttl.secs()));
        revoked(revocation).into_iter().for_each(|(name, value)| expression.set(&name, value));
        self.change_status(id, expression, None).await
    }

    /// The new status is in force also if the item can't be read afterwards, which is a fault.
    async fn change_status(&self, id: &KeyId, mut expression: Expression, known: Option<u64>) -> Result<StatusChange, Fault> {
        expression.name("#status", "status".to_owned());
        let mut stepping = expression.clone();
        stepping.name("#version", "version".to_owned());
        stepping.set_raw("#version = #version + :step");
        let update = stepping.apply(self.hot_update(id)).expression_attribute_values(":step", number(1));
        let mut answer = unless_revoked(update, known).send().await;
        // DynamoDB refuses to add to a version that is none. No instance can know that one, so it needs no other.
        if answer.as_ref().err().and_then(ProvideErrorMetadata::code) == Some("ValidationException") {
            answer = unless_revoked(expression.apply(self.hot_update(id)), None).send().await;
        }
        match answer {
            Ok(answer) => read(answer.attributes().unwrap_or(&Attributes::new())).map(StatusChange::Done),
            Err(error) => Ok(found(&error)?.map_or(StatusChange::NoSuchKey, StatusChange::Refused)),
        }
    }

    fn hot_update(&self, id: &KeyId) -> UpdateItemFluentBuilder {
        self.hot(id).return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
    }
}
