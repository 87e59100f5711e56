//! The example API as a Lambda function.

use example::Example;
use shared::{config, lambda, telemetry};

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    telemetry::start(&config::environment);
    lambda::run(Example).await
}
