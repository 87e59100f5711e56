//! Announcing through SNS: one topic for all owners, whose subscriptions choose by the message's attributes.

use aws_sdk_sns::{Client, types::MessageAttributeValue};
use serde_json::json;

use super::Announcement;
use crate::error::Fault;

/// The topic of all owners.
#[derive(Clone, Debug)]
pub struct Topic {
    client: Client,
    arn: String,
}

impl Topic {
    /// The topic of that ARN.
    #[must_use]
    pub const fn new(client: Client, arn: String) -> Self {
        Self { client, arn }
    }

    /// Publishes `announcement` once, or again if the answer was lost.
    ///
    /// # Errors
    /// A [`Fault`] if SNS doesn't take it.
    pub async fn publish(&self, announcement: &Announcement) -> Result<(), Fault> {
        // Mails have a text of their own; what asks for no other gets the document.
        let messages = json!({ "default": announcement.document().to_string(), "email": announcement.text() });
        let mut publish = self.client.publish().topic_arn(&self.arn).subject(announcement.subject());
        publish = publish.message_structure("json").message(messages.to_string());
        for (name, value) in announcement.attributes() {
            let value = MessageAttributeValue::builder().data_type("String").string_value(value).build();
            publish = publish.message_attributes(name, value.map_err(|error| Fault::new("aws.request_not_built", error))?);
        }
        publish.send().await.map(|_| ()).map_err(|error| Fault::from_sdk(&error))
    }
}
