//! The operator console as a Lambda function.

use console::{Config, Console};
use shared::{config, host::Host, lambda, telemetry};

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    telemetry::start(&config::environment);
    let config = Config::read(&config::environment)?;
    lambda::run(Console::new(config, Host::system())).await
}
