//! Issuing: everything of a new key in one transaction, because nothing of it is hot yet. Its audit is not in it: nobody who may put an
//! item into the audit table could be kept from overwriting one.

use aws_sdk_dynamodb::types::{Put, TransactWriteItem, builders::PutBuilder};

use super::{Store, about, alias, alias::Alias, number, record};
use crate::{error::Fault, idempotency::Claim, key::Digest, record::Record, store::about::About, time::Timestamp};

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
    /// When it is issued.
    pub at: Timestamp,
    /// The request that it is issued for, if that may be sent again.
    pub claim: Option<&'a Claim>,
}

impl Store {
    /// Stores a new key: all of it or nothing. The SDK's retries carry one idempotency token. `retention_seconds` after the end of
    /// its life, DynamoDB may remove it.
    ///
    /// # Errors
    /// A [`Fault`] if DynamoDB doesn't take it; `ambiguous` if it may have.
    pub async fn create(&self, key: &NewKey<'_>, retention_seconds: u64) -> Result<(), Fault> {
        let mut hot = record::write(key.record);
        if let Some(end) = key.record.end_of_life() {
            hot.insert("ttl".to_owned(), number(end.plus(retention_seconds).secs()));
        }
        let about = about::write(key.record, key.about, key.at, retention_seconds);
        let items = [hot, about, alias::write(&key.digest, key.alias)];
        let fresh = |item| {
            let put = Put::builder().table_name(&self.tables.keys).set_item(Some(item));
            put.condition_expression("attribute_not_exists(pk)")
        };
        let puts = items.into_iter().map(fresh);
        let tag = &key.alias.proof.tag;
        let request = key.claim.map(|claim| self.remembering(claim, &key.record.id, tag, key.at));
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
