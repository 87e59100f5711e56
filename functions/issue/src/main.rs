//! Issuing keys as a Lambda function.

use issue::{Config, Issue};
use shared::{announce::Announcer, aws::Aws, config, host::Host, lambda, telemetry};

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    telemetry::start(&config::environment);
    let config = Config::read(&config::environment)?;
    let aws = Aws::read(&config::environment)?;
    let announcer = Announcer::new(config.announce.clone(), aws.sns());
    let issue = Issue::new(config, aws.dynamodb(), aws.secrets(), announcer, Host::system());
    issue.warm().await;
    lambda::run(issue).await
}
