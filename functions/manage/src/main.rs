//! Managing keys as a Lambda function.

use manage::{Config, Manage};
use shared::{announce::Announcer, aws::Aws, config, host::Host, lambda, telemetry};

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    telemetry::start(&config::environment);
    let config = Config::read(&config::environment)?;
    let aws = Aws::read(&config::environment)?;
    let announcer = Announcer::new(config.announce.clone(), aws.sns());
    let manage = Manage::new(config, aws.dynamodb(), announcer, Host::system());
    manage.warm().await;
    lambda::run(manage).await
}
