//! The authorizer as a Lambda function.

use authorizer::{Authorizer, Config};
use shared::{aws::Aws, config, host::Host, lambda, telemetry};

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    telemetry::start(&config::environment);
    let config = Config::read(&config::environment)?;
    let aws = Aws::read(&config::environment)?;
    let authorizer = Authorizer::new(config, aws.dynamodb(), aws.secrets(), Host::system())?;
    let authenticator = authorizer.authenticator();
    // Both in the init phase, which Lambda runs at full speed: connections, and the extension's registration.
    authenticator.warm().await;
    authenticator.afterwards().keep_awake().await;
    let trail = authenticator.trail();
    lambda::at_end(async move { trail.close().await });
    lambda::run(authorizer).await
}
