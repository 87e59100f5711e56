//! Whoever announces, whatever the channels are.

use std::time::Duration;

use super::{Announcement, sns::Topic};
use crate::{
    config::{self, ConfigError, Lookup},
    error::Fault,
    telemetry::cost,
};

/// How long an announcement may keep an answer waiting: the caller may have to have a secret, and gives up on it after a while.
const PATIENCE: Duration = Duration::from_secs(3);

/// What a function that announces is told.
#[derive(Clone, Debug)]
pub struct AnnounceConfig {
    /// `ANNOUNCEMENTS_TOPIC`: the ARN of the SNS topic that owners are told through.
    pub topic: String,
}

impl AnnounceConfig {
    /// Reads it.
    ///
    /// # Errors
    /// [`ConfigError`] that names the first variable that is missing or wrong.
    pub fn read(lookup: Lookup<'_>) -> Result<Self, ConfigError> {
        Ok(Self { topic: config::required(lookup, "ANNOUNCEMENTS_TOPIC")? })
    }
}

/// Tells the owners.
#[derive(Clone, Debug)]
pub struct Announcer {
    topic: Topic,
}

impl Announcer {
    /// Announcements as `config` says.
    #[must_use]
    pub fn new(config: AnnounceConfig, sns: aws_sdk_sns::Client) -> Self {
        Self { topic: Topic::new(sns, config.topic) }
    }

    /// Announces what has happened; answers whether everybody has been told. It has happened, whatever comes of this: a failure is a
    /// line and a metric, and nobody's error. If an answer was lost, the same may be announced twice.
    pub async fn announce(&self, announcement: &Announcement) -> bool {
        let published = tokio::time::timeout(PATIENCE, self.topic.publish(announcement)).await;
        let published = published.unwrap_or_else(|_| Err(Fault::new("aws.timeout", "no answer in time")));
        let Err(fault) = published else { return true };
        cost::unannounced();
        let (key, event) = (&announcement.key, announcement.news.told().event());
        tracing::error!(fault = fault.code, detail = fault.detail, %key, event, "the owner was not told");
        false
    }
}
