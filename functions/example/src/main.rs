//! The example API as a Lambda function.

use example::{Config, Example};
use shared::{config, host::Host, lambda, telemetry};

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    telemetry::start(&config::environment);
    let config = Config::read(&config::environment)?;
    lambda::run(Example::new(config, Host::system())).await
}
