//! The only place that knows DynamoDB: table layout, item forms, expressions and what their failures mean.
//!
//! | partition | sort | item |
//! |---|---|---|
//! | `key_…` | `key` | the hot item, [`record`] |
//! | `key_…` | `about` | what no decision needs, and the index attributes, [`about`] |
//! | `lookup#<digest>` | `alias` | from a secret to its key, [`alias`] |
//! | `idempotency#<digest>` | `request` | a request that may be sent again, [`idempotency`] |
//! | `owner#…` | `limits` | what an owner's keys share, [`shared_limits`] |
//! | `plans` | a plan's name | what keys are issued with, [`plans`] |
//! | `pepper` | `fingerprints` | which peppers there must be, [`fingerprints`] |
//!
//! Table `usage`: key id and day. Table `audit`:
//!
//! | partition | sort | item |
//! |---|---|---|
//! | `management#<date>` | `<change>#intent`, `<change>#outcome` | a change, [`audit`] |
//! | `key_…#<date>` | `allowed#<id>`, `refused#<id>` | an attempt with a key, [`copies`] |
//! | `anonymous#<date>` | `<id>` | a minute's attempts with none, [`copies`] |

use aws_sdk_dynamodb::{
    Client,
    client::customize::CustomizableOperation,
    config::{http::HttpResponse, retry::RetryConfig},
    error::{ProvideErrorMetadata, SdkError},
    operation::update_item::{UpdateItemError, UpdateItemOutput, builders::UpdateItemFluentBuilder},
    types::AttributeValue,
};

use crate::{error::Fault, id::KeyId};

pub mod about;
pub mod alias;
pub mod attempts;
pub mod audit;
pub mod budget;
pub mod charge;
pub mod commit;
pub mod copies;
mod counting;
pub mod create;
mod expression;
pub mod fingerprints;
pub mod history;
pub mod idempotency;
pub mod item;
pub mod list;
mod own;
pub mod plans;
pub mod record;
pub mod shared_limits;
pub mod staged;
pub mod tidy;

/// The names of the tables; a function that doesn't use one has no name for it.
#[derive(Clone, Debug, Default)]
pub struct Tables {
    /// Keys, aliases, plans and fingerprints.
    pub keys: String,
    /// Closed days.
    pub usage: String,
    /// Management changes.
    pub audit: String,
}

/// The tables, through the SDK.
#[derive(Clone, Debug)]
pub struct Store {
    client: Client,
    tables: Tables,
}

impl Store {
    /// The store behind `client`.
    #[must_use]
    pub const fn new(client: Client, tables: Tables) -> Self {
        Self { client, tables }
    }

    /// An update of the hot item of `id`.
    fn hot(&self, id: &KeyId) -> UpdateItemFluentBuilder {
        let [pk, sk] = hot_key(id);
        self.client.update_item().table_name(&self.tables.keys).key(pk.0, pk.1).key(sk.0, sk.1)
    }
}

/// An update without the SDK's own retries, for writes that must know whether they are repeated.
fn once(update: UpdateItemFluentBuilder) -> CustomizableOperation<UpdateItemOutput, UpdateItemError, UpdateItemFluentBuilder> {
    update.customize().config_override(aws_sdk_dynamodb::Config::builder().retry_config(RetryConfig::disabled()))
}

/// Whether a conditional write was applied; a condition that doesn't hold is an answer and no fault.
fn applied<T, E: ProvideErrorMetadata>(result: Result<T, SdkError<E, HttpResponse>>) -> Result<bool, Fault> {
    match result {
        Ok(_) => Ok(true),
        Err(error) if error.code() == Some("ConditionalCheckFailedException") => Ok(false),
        Err(error) => Err(Fault::from_sdk(&error)),
    }
}

fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

fn number(value: u64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

fn hot_key(id: &KeyId) -> [(&'static str, AttributeValue); 2] {
    [("pk", text(id.as_str())), ("sk", text("key"))]
}

fn about_key(id: &KeyId) -> [(&'static str, AttributeValue); 2] {
    [("pk", text(id.as_str())), ("sk", text("about"))]
}
