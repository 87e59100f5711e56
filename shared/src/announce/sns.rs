//! Announcing through SNS: one topic for all owners, whose subscriptions choose by the message's attributes.

use std::time::Duration;

use aws_sdk_sns::{Client, types::MessageAttributeValue};
use serde_json::json;

use super::Announcement;
use crate::{error::Fault, telemetry::cost};

/// How long an announcement may keep the answer waiting: the caller has to have the secret, and gives up on it after a while.
const PATIENCE: Duration = Duration::from_secs(3);

/// Tells the owners.
#[derive(Clone, Debug)]
pub struct Announcer {
    client: Client,
    topic: String,
}

impl Announcer {
    /// Announcements to the topic of that ARN.
    #[must_use]
    pub const fn new(client: Client, topic: String) -> Self {
        Self { client, topic }
    }

    /// Announces what has happened. It has, whatever comes of this: a failure is a line and a metric, and nobody's error. If
    /// the answer of SNS was lost, the same may be announced twice.
    pub async fn announce(&self, announcement: &Announcement) {
        let published = tokio::time::timeout(PATIENCE, self.publish(announcement)).await;
        let published = published.unwrap_or_else(|_| Err(Fault::new("aws.timeout", "no answer in time")));
        if let Err(fault) = published {
            cost::unannounced();
            let (key, event) = (&announcement.key, announcement.news.event());
            tracing::error!(fault = fault.code, detail = fault.detail, %key, event, "the owner was not told");
        }
    }

    async fn publish(&self, announcement: &Announcement) -> Result<(), Fault> {
        // Mails have a text of their own; what asks for no other gets the document.
        let messages = json!({ "default": announcement.document().to_string(), "email": announcement.text() });
        let mut publish = self.client.publish().topic_arn(&self.topic).subject(announcement.subject());
        publish = publish.message_structure("json").message(messages.to_string());
        for (name, value) in announcement.attributes() {
            let value = MessageAttributeValue::builder().data_type("String").string_value(value).build();
            publish = publish.message_attributes(name, value.map_err(|error| Fault::new("aws.request_not_built", error))?);
        }
        publish.send().await.map(|_| ()).map_err(|error| Fault::from_sdk(&error))
    }
}
