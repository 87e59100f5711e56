//! AWS clients as a Lambda wants them: one TLS stack (ring), every timeout set, few retries.
//!
//! Lambda hands a function its region and its credentials in environment variables, always. So they are read from there,
//! and the default chain of sources, with the clients of STS and SSO behind it, is left out of every binary.

use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};

use crate::{
    config::{self, ConfigError, Lookup},
    telemetry::cost::CountCalls,
};

/// Where clients come from: what they share, and the addresses of local stand-ins, if there are any.
#[derive(Clone, Debug)]
pub struct Aws {
    sdk: SdkConfig,
    dynamodb_url: Option<String>,
    secrets_url: Option<String>,
    #[cfg(feature = "sns")]
    sns_url: Option<String>,
}

impl Aws {
    /// `AWS_REGION`, `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`, all set by Lambda and good for as
    /// long as the instance lives; for local stand-ins `AWS_ENDPOINT_URL_DYNAMODB`, `AWS_ENDPOINT_URL_SECRETS_MANAGER`
    /// and `AWS_ENDPOINT_URL_SNS`, or `AWS_ENDPOINT_URL` for all of them.
    ///
    /// # Errors
    /// [`ConfigError`] without a region or credentials.
    pub fn read(lookup: Lookup<'_>) -> Result<Self, ConfigError> {
        let http = aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
        let credentials = Credentials::new(
            config::required(lookup, "AWS_ACCESS_KEY_ID")?,
            config::required(lookup, "AWS_SECRET_ACCESS_KEY")?,
            lookup("AWS_SESSION_TOKEN").filter(|token| !token.is_empty()),
            None,
            "environment",
        );
        let sdk = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(config::required(lookup, "AWS_REGION")?))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .http_client(http)
            .timeout_config(timeouts())
            .retry_config(retries())
            .build();
        let set = |name| lookup(name).filter(|value| !value.is_empty());
        let url = |name| set(name).or_else(|| set("AWS_ENDPOINT_URL"));
        Ok(Self {
            sdk,
            dynamodb_url: url("AWS_ENDPOINT_URL_DYNAMODB"),
            secrets_url: url("AWS_ENDPOINT_URL_SECRETS_MANAGER"),
            #[cfg(feature = "sns")]
            sns_url: url("AWS_ENDPOINT_URL_SNS"),
        })
    }

    /// A DynamoDB client.
    #[must_use]
    pub fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        let mut config = aws_sdk_dynamodb::config::Builder::from(&self.sdk).interceptor(CountCalls);
        config.set_endpoint_url(self.dynamodb_url.clone());
        aws_sdk_dynamodb::Client::from_conf(config.build())
    }

    /// A Secrets Manager client.
    #[must_use]
    pub fn secrets(&self) -> aws_sdk_secretsmanager::Client {
        let mut config = aws_sdk_secretsmanager::config::Builder::from(&self.sdk).interceptor(CountCalls);
        config.set_endpoint_url(self.secrets_url.clone());
        aws_sdk_secretsmanager::Client::from_conf(config.build())
    }

    /// An SNS client.
    #[cfg(feature = "sns")]
    #[must_use]
    pub fn sns(&self) -> aws_sdk_sns::Client {
        let mut config = aws_sdk_sns::config::Builder::from(&self.sdk).interceptor(CountCalls);
        config.set_endpoint_url(self.sns_url.clone());
        aws_sdk_sns::Client::from_conf(config.build())
    }
}

/// API Gateway waits 10 s for an authorizer: three attempts must fit in, and a stale connection must not use up all of that.
#[must_use]
pub fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(1))
        .operation_attempt_timeout(Duration::from_millis(1500))
        .operation_timeout(Duration::from_secs(5))
        .build()
}

/// For calls that may be repeated; the one that may not turns this off.
#[must_use]
pub fn retries() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(3)
}
