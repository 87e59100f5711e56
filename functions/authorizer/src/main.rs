//! The authorizer as a Lambda function.

use authorizer::{Authorizer, Config};
use shared::{aws, config, host::Host, lambda, telemetry};

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    telemetry::start(&config::environment);
    let config = Config::read(&config::environment)?;
    let sdk = aws::config().await;
    let clients = (aws_sdk_dynamodb::Client::new(&sdk), aws_sdk_secretsmanager::Client::new(&sdk));
    let authorizer = Authorizer::new(config, clients.0, clients.1, Host::system())?;
    // Both in the init phase, which Lambda runs at full speed: connections, and the extension's registration.
    authorizer.warm().await;
    authorizer.afterwards().keep_awake().await;
    lambda::run(authorizer).await
}
