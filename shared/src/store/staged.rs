//! Staged changes: what a change says of the about item alone, stored there before the change is in force.
//!
//! The commit of a change writes the hot item and no other. So what no record implies is put beside it beforehand, under the
//! change's nonce, and the commit that writes this nonce into the record puts it in force in the same moment. Nobody ever
//! sees the new version with the old metadata; whoever did would take that for the newest and write it back.
//!
//! Every change settles the one before it: at most the newest can be found staged.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;

use super::{
    Store,
    about::{AboutChange, read_metadata, read_rotate_every_days, write_metadata},
    applied,
    expression::Expression,
    item::{Attributes, Reader},
    number,
};
use crate::{error::Fault, id::KeyId};

const PREFIX: &str = "staged#";

impl Store {
    /// Stages `change` under `nonce`. Answers whether there is an about item.
    ///
    /// # Errors
    /// A [`Fault`] if DynamoDB doesn't take it.
    pub async fn stage(&self, id: &KeyId, nonce: &str, change: &AboutChange) -> Result<bool, Fault> {
        let mut expression = Expression::default();
        expression.set(&name(nonce), AttributeValue::M(fields(change).collect()));
        let update = expression.apply(self.about_update(id)).condition_expression("attribute_exists(pk)");
        applied(update.send().await)
    }

    /// Takes back what was staged for a change that never came to be.
    ///
    /// # Errors
    /// A [`Fault`] if DynamoDB doesn't answer.
    pub async fn unstage(&self, id: &KeyId, nonce: &str) -> Result<(), Fault> {
        let mut expression = Expression::default();
        remove(&mut expression, nonce);
        let update = expression.apply(self.about_update(id)).condition_expression("attribute_exists(pk)");
        applied(update.send().await).map(|_| ())
    }

    /// Moves what the change of `nonce`, which is in force, has staged to where it stays. Whoever comes second changes
    /// nothing: by then a later change may have put something else there.
    ///
    /// # Errors
    /// A [`Fault`] if DynamoDB doesn't answer.
    pub async fn settle(&self, id: &KeyId, nonce: &str, change: &AboutChange) -> Result<(), Fault> {
        let mut expression = Expression::default();
        settled(&mut expression, nonce, change);
        expression.name("#staged", name(nonce));
        let update = expression.apply(self.about_update(id)).condition_expression("attribute_exists(#staged)");
        applied(update.send().await).map(|_| ())
    }
}

/// Adds to `expression` what [`Store::settle`] does.
pub(super) fn settled(expression: &mut Expression, nonce: &str, change: &AboutChange) {
    fields(change).for_each(|(name, value)| expression.set(&name, value));
    remove(expression, nonce);
}

/// Adds to `expression` the removal of what was staged under `nonce`.
pub(super) fn remove(expression: &mut Expression, nonce: &str) {
    expression.remove(&name(nonce));
}

/// What is staged in an about item, by nonce.
pub(super) fn read(attributes: &Attributes) -> Result<BTreeMap<String, AboutChange>, Fault> {
    let item = Reader::new("about", attributes);
    let mut staged = BTreeMap::new();
    for (name, value) in attributes {
        let Some(nonce) = name.strip_prefix(PREFIX) else { continue };
        let map = Reader::new("staged", value.as_m().map_err(|_| item.corrupt("what is staged is not a map"))?);
        let metadata = map.optional_text("metadata")?.map(|_| read_metadata(map)).transpose()?;
        let rotate_every_days = map.optional_number("rotate_every_days")?.map(|_| read_rotate_every_days(map)).transpose()?;
        staged.insert(nonce.to_owned(), AboutChange { metadata, rotate_every_days });
    }
    Ok(staged)
}

fn name(nonce: &str) -> String {
    format!("{PREFIX}{nonce}")
}

fn fields(change: &AboutChange) -> impl Iterator<Item = (String, AttributeValue)> {
    let metadata = change.metadata.as_ref().map(|metadata| ("metadata".to_owned(), write_metadata(metadata)));
    // 0 days is how "never" is stored: absent means here that the change says nothing of it.
    let days = change.rotate_every_days.map(|days| ("rotate_every_days".to_owned(), number(days.unwrap_or(0).into())));
    metadata.into_iter().chain(days)
}
