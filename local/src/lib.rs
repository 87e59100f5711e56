//! A local API Gateway REST API driven by the SAM template, and the embedded engine behind it.
//!
//! [`template`] reads what SAM deploys, [`engine`] stands in for DynamoDB, Secrets Manager and SNS, [`gateway`] does
//! to a request what API Gateway does, [`server`] puts it on a port. None of these knows which functions exist:
//! [`functions`] hands them in as [`Invoke`] values under the names of their binaries, and [`system`] starts it all.
//! Where the functions run elsewhere, under `cargo lambda watch`, [`remote`] stands for them, [`environment`] tells them where
//! the engine is, and [`seed`] gives it keys that recorded events can hold.

use std::pin::Pin;
use std::sync::Arc;

pub mod announced;
mod client;
pub mod engine;
pub mod environment;
pub mod functions;
pub mod gateway;
pub mod output;
pub mod remote;
pub mod seed;
pub mod server;
pub mod system;
pub mod template;

/// One Lambda function as the runtime sees it: an event in, an answer or an error message out.
pub type Invoke =
    Arc<dyn Fn(serde_json::Value) -> Pin<Box<dyn Future<Output = Result<serde_json::Value, String>> + Send>> + Send + Sync>;
