//! Rotating keys as a Lambda function.

use rotate::{Config, Rotate};
use shared::{announce::Announcer, aws::Aws, config, host::Host, lambda, telemetry};

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    telemetry::start(&config::environment);
    let config = Config::read(&config::environment)?;
    let aws = Aws::read(&config::environment)?;
    let announcer = Announcer::new(config.announce.clone(), aws.sns());
    let rotate = Rotate::new(config, aws.dynamodb(), aws.secrets(), announcer, Host::system());
    rotate.warm().await;
    lambda::run(rotate).await
}
