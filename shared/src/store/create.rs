//! Issuing: everything of a new key in one transaction, because nothing of it is hot yet.

use aws_sdk_dynamodb::types::{Put, TransactWriteItem, builders::PutBuilder};

use super::{Store, about, alias, alias::Alias, audit, number, record};
use crate::{
    audit::change::Event, config::ChangeConfig, error::Fault, idempotency::Claim, key::Digest, record::Record,
    store::about::About,
};

/// A key to be.
#[derive(Debug)]
pub struct NewKey<'a> {
    /// Its record.
    pub record: &'a Record,
    /// What else is known of it.
    pub about: &'a About,
    /// Where its first secret is looked up.
    pub digest: Digest,
    /// What is found there.
    pub alias: &'a Alias,
    /// The audit record of issuing it.
    pub event: &'a Event,
    /// The request that it is issued for, if that may be sent again.
    pub claim: Option<&'a Claim>,
}

impl Store {
    /// Stores a new key: all of it or nothing. The SDK's retries carry one idempotency token.
    ///
    /// # Errors
    /// A [`Fault`] if DynamoDB doesn't take it; `ambiguous` if it may have.
    pub async fn create(&self, key: &NewKey<'_>, config: &ChangeConfig) -> Result<(), Fault> {
        let ChangeConfig { retention_seconds, audit_retention_seconds, .. } = *config;
        let mut hot = record::write(key.record);
        if let Some(end) = key.record.end_of_life() {
            hot.insert("ttl".to_owned(), number(end.plus(retention_seconds).secs()));
        }
        let items = [
            (&self.tables.keys, hot),
            (&self.tables.keys, about::write(key.record, key.about, key.event.at, retention_seconds)),
            (&self.tables.keys, alias::write(&key.digest, key.alias)),
            (&self.tables.audit, audit::write(key.event, audit::Phase::Done, audit_retention_seconds)),
        ];
        let fresh = |table: &str, item| {
            Put::builder().table_name(table).set_item(Some(item)).condition_expression("attribute_not_exists(pk)")
        };
        let puts = items.into_iter().map(|(table, item)| fresh(table, item));
        let tag = &key.alias.proof.tag;
        let request = key.claim.map(|claim| self.remembering(claim, &key.record.id, tag, key.event.at));
        let items = puts.chain(request).map(write).collect::<Result<Vec<_>, Fault>>()?;
        let transaction = self.client.transact_write_items().set_transact_items(Some(items));
        transaction.send().await.map_err(|error| Fault::from_sdk(&error))?;
        Ok(())
    }
}

fn write(put: PutBuilder) -> Result<TransactWriteItem, Fault> {
    let put = put.build().map_err(|error| Fault::new("aws.request_not_built", error))?;
    Ok(TransactWriteItem::builder().put(put).build())
}
