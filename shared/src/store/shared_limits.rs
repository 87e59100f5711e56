//! What an owner's keys share: limits and their counts, in a partition of their own.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::{
    operation::update_item::{UpdateItemError, builders::UpdateItemFluentBuilder},
    types::AttributeValue,
};
use uuid::Uuid;

use super::{
    Store,
    charge::answering,
    counting,
    expression::Expression,
    item::{Attributes, Reader},
    number, once, own,
    own::Settled,
    record::{read_limits, write_limits},
    text,
};
use crate::{
    error::Fault,
    limit::Window,
    owner::Owner,
    record::Record,
    shared_limits::{SharedLimits, SharedUse},
    time::Timestamp,
};

/// The number of the form that shared limits are stored in.
const SCHEMA: u64 = 1;

/// What faults call them.
const KIND: &str = "shared limits";

/// A key shares only what is there, and nothing of ours removes it: without it, nobody knows what the key may do.
#[must_use]
pub fn missing() -> Fault {
    Fault::corrupt(KIND, "missing")
}

/// What became of counting a use.
#[derive(Debug)]
pub enum SharedCharge {
    /// It went through; the limits as they are now.
    Counted(SharedLimits),
    /// Something has changed: the limits as they are, or none if they are gone.
    Refused(Option<SharedLimits>),
}

impl Store {
    /// The limits that the keys of `owner` share, consistently read; none if they were never put.
    ///
    /// # Errors
    /// A [`Fault`] if DynamoDB doesn't answer, or the item holds something else.
    pub async fn shared_limits(&self, owner: &Owner) -> Result<Option<SharedLimits>, Fault> {
        let [pk, sk] = key(owner);
        let get = self.client.get_item().table_name(&self.tables.keys).key(pk.0, pk.1).key(sk.0, sk.1);
        let answer = get.consistent_read(true).send().await.map_err(|error| Fault::from_sdk(&error))?;
        answer.item().map(read).transpose()
    }

    /// Counts one use in one conditional write, without the SDK's own retries, as [`Store::charge`] does.
    ///
    /// # Errors
    /// A [`Fault`]; `ambiguous` if the use may have been counted.
    pub async fn charge_shared(&self, owner: &Owner, r#use: &SharedUse, nonce: &str) -> Result<SharedCharge, Fault> {
        let mut expression = counting::begin(r#use.version, r#use.now, nonce, r#use.sweep.as_ref());
        counting::count(&mut expression, "#total", "total".to_owned());
        counting::count_limited(&mut expression, &r#use.windows, None);
        match once(answering(expression.apply(self.shared_update(owner)))).send().await {
            Ok(answer) => match read(answer.attributes().unwrap_or(&Attributes::new())) {
                Ok(limits) => Ok(SharedCharge::Counted(limits)),
                Err(fault) => Err(Fault { ambiguous: true, ..fault }),
            },
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                    failed.item().map(read).transpose().map(SharedCharge::Refused)
                }
                _ => Err(Fault::from_sdk(&error)),
            },
        }
    }

    /// Puts `limits`, whose version is one more than the one that they were planned on, as the change of that id; what was counted
    /// stays. Answers whether that version was still there.
    ///
    /// # Errors
    /// A [`Fault`], after which they may be in force.
    pub async fn put_shared_limits(&self, limits: &SharedLimits, change: Uuid) -> Result<bool, Fault> {
        let (nonce, (at, by)) = (change.to_string(), &limits.put);
        let build = || {
            let mut expression = Expression::default();
            expression.set("schema", number(SCHEMA));
            expression.set("version", number(limits.version));
            expression.set("limits", write_limits(&limits.limits));
            expression.set("put_at", number(at.secs()));
            expression.set("put_by", text(by));
            expression.set("change", text(&nonce));
            expression.set_raw("#swept = if_not_exists(#swept, :swept), #total = if_not_exists(#total, :zero)");
            expression.value(":swept", number(limits.swept.secs()));
            expression.value(":zero", number(0));
            match limits.version - 1 {
                0 => expression.require("attribute_not_exists(#version)"),
                before => {
                    expression.require("#version = :before");
                    expression.value(":before", number(before));
                }
            }
            for name in ["version", "swept", "total"] {
                expression.name(&format!("#{name}"), name.to_owned());
            }
            expression.apply(self.shared_update(&limits.owner))
        };
        Ok(matches!(own::settle(build, &nonce).await?, Settled::Done))
    }

    /// What the key of `record` shares with others of its owner; none if it shares nothing.
    ///
    /// # Errors
    /// A [`Fault`] if DynamoDB doesn't answer, or the limits are damaged or [`missing`].
    pub async fn shared_by(&self, record: &Record) -> Result<Option<SharedLimits>, Fault> {
        if !record.shared_limits {
            return Ok(None);
        }
        let limits = self.shared_limits(&record.owner).await?;
        limits.map(Some).ok_or_else(missing)
    }

    fn shared_update(&self, owner: &Owner) -> UpdateItemFluentBuilder {
        let [pk, sk] = key(owner);
        self.client.update_item().table_name(&self.tables.keys).key(pk.0, pk.1).key(sk.0, sk.1)
    }
}

fn key(owner: &Owner) -> [(&'static str, AttributeValue); 2] {
    [("pk", text(format!("owner#{owner}"))), ("sk", text("limits"))]
}

fn read(attributes: &Attributes) -> Result<SharedLimits, Fault> {
    let item = Reader::new(KIND, attributes);
    item.known_form(SCHEMA)?;
    let mut windows = BTreeMap::new();
    for name in attributes.keys() {
        if let Some(window) = Window::parse(name) {
            windows.insert(window, item.number(name)?);
        }
    }
    Ok(SharedLimits {
        owner: item.parsed("pk", |partition| Owner::parse(partition.strip_prefix("owner#")?))?,
        version: item.number("version")?,
        limits: read_limits(item)?,
        put: (Timestamp::from_secs(item.number("put_at")?), item.text("put_by")?.to_owned()),
        swept: Timestamp::from_secs(item.number("swept")?),
        windows,
        total: item.number("total")?,
        last_request: item.optional_text("last_request")?.map(ToOwned::to_owned),
    })
}
