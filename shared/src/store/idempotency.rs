//! Requests that may be sent again, for a day: what they asked for, and which secrets they made.

use aws_sdk_dynamodb::{
    operation::{
        put_item::PutItemError,
        update_item::{UpdateItemError, builders::UpdateItemFluentBuilder},
    },
    types::{AttributeValue, Put, ReturnValuesOnConditionCheckFailure::AllOld},
};

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
    /// the first of that name. A copy of this write is the same one.
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
        let put = put.return_values_on_condition_check_failure(AllOld).expression_attribute_values(":over", over(now));
        match put.send().await {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(failed)) => Ok(names(failed.item(), tag)),
                _ => Err(Fault::from_sdk(&error)),
            },
        }
    }

    /// Adds the tag of another secret that the request is about to make. Answers whether nobody has gone on with the request
    /// since it was `remembered` so. A copy of this write is the same one.
    ///
    /// # Errors
    /// A [`Fault`] if DynamoDB doesn't answer.
    pub async fn remember_also(
        &self,
        claim: &Claim,
        remembered: &Remembered,
        (generation, tag): (u32, &str),
    ) -> Result<bool, Fault> {
        let update = self.request_update(claim, remembered.tags.iter().map(String::as_str));
        let update = update.update_expression("SET tags = list_append(tags, :tag), generation = :generation");
        let update = update.expression_attribute_values(":tag", tags([tag]));
        let update = update.expression_attribute_values(":generation", number(generation.into()));
        match update.return_values_on_condition_check_failure(AllOld).send().await {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(failed)) => Ok(names(failed.item(), tag)),
                _ => Err(Fault::from_sdk(&error)),
            },
        }
    }

    /// Notes that nothing has come of a request, so that it may be sent again: its generation is still to come, after `newest`. Only
    /// for its first sending, whose secret is of that tag, and only while it is the only one: of what others do with it,
    /// nobody can tell here whether something will come.
    ///
    /// # Errors
    /// A [`Fault`] if DynamoDB doesn't answer.
    pub async fn reopen(&self, claim: &Claim, tag: &str, newest: u32) -> Result<(), Fault> {
        let later = (newest + 1).min(MOST_GENERATIONS);
        let update = self.request_update(claim, [tag]).update_expression("SET generation = :later");
        applied(update.expression_attribute_values(":later", number(later.into())).send().await).map(|_| ())
    }

    /// An update of what is remembered of a request, while it has these tags and no others.
    fn request_update<'a>(&self, claim: &Claim, known: impl IntoIterator<Item = &'a str>) -> UpdateItemFluentBuilder {
        let update = self.client.update_item().table_name(&self.tables.keys);
        let update = update.key("pk", text(partition(claim))).key("sk", text("request"));
        let update = update.condition_expression("fingerprint = :fingerprint AND tags = :known");
        let update = update.expression_attribute_values(":fingerprint", text(&claim.fingerprint));
        update.expression_attribute_values(":known", tags(known))
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

fn tags<'a>(tags: impl IntoIterator<Item = &'a str>) -> AttributeValue {
    AttributeValue::L(tags.into_iter().map(text).collect())
}

/// Whether a request's item has that tag, which nobody else's has.
fn names(item: Option<&Attributes>, tag: &str) -> bool {
    let tags = item.and_then(|item| item.get("tags")?.as_l().ok());
    tags.is_some_and(|tags| tags.iter().any(|known| known.as_s().is_ok_and(|known| known == tag)))
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
        ("tags".to_owned(), tags([tag])),
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
