//! Requests that may be sent again, for a day: what they asked for, and which secrets they made.

use aws_sdk_dynamodb::types::{AttributeValue, Put};

use super::{
    Store, applied,
    item::{Attributes, Reader},
    number, text,
};
use crate::{
    error::Fault,
    id::KeyId,
    idempotency::{Claim, REMEMBERED_SECONDS, Remembered},
    record::MOST_GENERATIONS,
    time::Timestamp,
};

/// The number of the form that these items are stored in.
const SCHEMA: u64 = 1;

/// What is remembered of a request whose item is in the way only if it is over.
const FREE: &str = "attribute_not_exists(pk) OR created_at <= :over";

impl Store {
    /// What is remembered of a request at `now`, consistently read.
    ///
    /// # Errors
    /// A [`Fault`] if DynamoDB doesn't answer, or the item isn't what it should be.
    pub async fn remembered(&self, claim: &Claim, now: Timestamp) -> Result<Option<Remembered>, Fault> {
        let get = self.client.get_item().table_name(&self.tables.keys).consistent_read(true);
        let answer = get.key("pk", text(partition(claim))).key("sk", text("request")).send().await;
        let answer = answer.map_err(|error| Fault::from_sdk(&error))?;
        let remembered = answer.item().map(read).transpose()?;
        Ok(remembered.filter(|remembered| !remembered.is_over(now)))
    }

    /// Remembers a request before its secret is made: of that tag, and of generation `generation` of `id`. Answers whether it is
    /// the first of that name.
    ///
    /// # Errors
    /// A [`Fault`] if DynamoDB doesn't answer.
    pub async fn remember(
        &self,
        claim: &Claim,
        id: &KeyId,
        (generation, tag): (u32, &str),
        now: Timestamp,
    ) -> Result<bool, Fault> {
        let put = self.client.put_item().table_name(&self.tables.keys);
        let put = put.set_item(Some(write(claim, id, (generation, tag), now))).condition_expression(FREE);
        applied(put.expression_attribute_values(":over", over(now)).send().await)
    }

    /// Adds the tag of another secret that the request is about to make. Answers whether it is still the same request.
    ///
    /// # Errors
    /// A [`Fault`] if DynamoDB doesn't answer.
    pub async fn remember_also(&self, claim: &Claim, (generation, tag): (u32, &str)) -> Result<bool, Fault> {
        let update = self.client.update_item().table_name(&self.tables.keys);
        let update = update.key("pk", text(partition(claim))).key("sk", text("request"));
        let update = update.update_expression("SET tags = list_append(tags, :tag), generation = :generation");
        let update = update.condition_expression("fingerprint = :fingerprint");
        let update = update.expression_attribute_values(":tag", AttributeValue::L(vec![text(tag)]));
        let update = update.expression_attribute_values(":generation", number(generation.into()));
        applied(update.expression_attribute_values(":fingerprint", text(&claim.fingerprint)).send().await)
    }

    /// Notes that nothing has come of a request, so that it may be sent again: as if its generation were still to come.
    ///
    /// # Errors
    /// A [`Fault`] if DynamoDB doesn't answer.
    pub async fn reopen(&self, claim: &Claim) -> Result<(), Fault> {
        let update = self.client.update_item().table_name(&self.tables.keys);
        let update = update.key("pk", text(partition(claim))).key("sk", text("request"));
        let update = update.update_expression("SET generation = :later").condition_expression("fingerprint = :fingerprint");
        let update = update.expression_attribute_values(":later", number(MOST_GENERATIONS.into()));
        applied(update.expression_attribute_values(":fingerprint", text(&claim.fingerprint)).send().await).map(|_| ())
    }

    /// The same as [`Store::remember`], as a part of the transaction that makes a key.
    pub(super) fn remembering(
        &self,
        claim: &Claim,
        id: &KeyId,
        tag: &str,
        now: Timestamp,
    ) -> aws_sdk_dynamodb::types::builders::PutBuilder {
        let put = Put::builder().table_name(&self.tables.keys).set_item(Some(write(claim, id, (1, tag), now)));
        put.condition_expression(FREE).expression_attribute_values(":over", over(now))
    }
}

fn partition(claim: &Claim) -> String {
    format!("idempotency#{}", claim.place)
}

fn over(now: Timestamp) -> AttributeValue {
    number(now.minus(REMEMBERED_SECONDS).secs())
}

fn write(claim: &Claim, id: &KeyId, (generation, tag): (u32, &str), now: Timestamp) -> Attributes {
    Attributes::from([
        ("pk".to_owned(), text(partition(claim))),
        ("sk".to_owned(), text("request")),
        ("schema".to_owned(), number(SCHEMA)),
        ("fingerprint".to_owned(), text(&claim.fingerprint)),
        ("key".to_owned(), text(id.as_str())),
        ("tags".to_owned(), AttributeValue::L(vec![text(tag)])),
        ("generation".to_owned(), number(generation.into())),
        ("created_at".to_owned(), number(now.secs())),
        ("ttl".to_owned(), number(now.plus(REMEMBERED_SECONDS).secs())),
    ])
}

fn read(attributes: &Attributes) -> Result<Remembered, Fault> {
    let item = Reader::new("idempotency", attributes);
    item.number("schema")?;
    item.known_form(SCHEMA)?;
    Ok(Remembered {
        fingerprint: item.text("fingerprint")?.to_owned(),
        key: item.parsed("key", KeyId::parse)?,
        tags: item.parsed_list("tags", |tag| Some(tag.to_owned()))?,
        number: item.generation("generation")?,
        created_at: Timestamp::from_secs(item.number("created_at")?),
    })
}
