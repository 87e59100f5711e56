//! Issuing keys as a Lambda function.

use issue::{Config, Issue};
use shared::{aws, config, host::Host, lambda, telemetry};

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    telemetry::start(&config::environment);
    let config = Config::read(&config::environment)?;
    let sdk = aws::config().await;
    let issue =
        Issue::new(config, aws_sdk_dynamodb::Client::new(&sdk), aws_sdk_secretsmanager::Client::new(&sdk), Host::system());
    issue.warm().await;
    lambda::run(issue).await
}
