//! Managing keys as a Lambda function.

use manage::{Config, Manage};
use shared::{aws, config, host::Host, lambda, telemetry};

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    telemetry::start(&config::environment);
    let config = Config::read(&config::environment)?;
    let sdk = aws::config().await;
    let manage = Manage::new(config, aws_sdk_dynamodb::Client::new(&sdk), Host::system());
    manage.warm().await;
    lambda::run(manage).await
}
