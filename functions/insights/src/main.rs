//! Insights as a Lambda function.

use insights::{Config, Insights};
use shared::{aws::Aws, config, host::Host, lambda, telemetry};

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    telemetry::start(&config::environment);
    let config = Config::read(&config::environment)?;
    let aws = Aws::read(&config::environment)?;
    let insights = Insights::new(config, aws.dynamodb(), Host::system());
    insights.warm().await;
    lambda::run(insights).await
}
