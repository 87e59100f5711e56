//! Logs: JSON lines on standard output, which Lambda sends to CloudWatch.
//!
//! Each invocation has one line of its own, which is its audit and its metrics: [`report`]. All others say what went
//! wrong. Of these only this workspace's own lines follow the configured level. What the runtime and the SDK say at their lower levels
//! is whole events, headers and items, which is to say keys and hashes: that is capped here, whatever is configured.

use tracing::{Level, Subscriber, level_filters::LevelFilter};
use tracing_subscriber::{
    filter::Targets,
    fmt::MakeWriter,
    layer::{Layer, SubscriberExt},
    util::SubscriberInitExt,
};

use crate::{config::Lookup, error::Fault};

pub mod cost;
pub mod report;

/// The crates whose lines never hold a secret.
const OWN: [&str; 9] = ["authorizer", "console", "example", "insights", "issue", "local", "manage", "rotate", "shared"];

/// Starts logging at the level of the variable `LOG_LEVEL`, `info` without one. A second call does nothing.
pub fn start(lookup: Lookup<'_>) {
    let level = lookup("LOG_LEVEL").and_then(|text| text.parse().ok()).unwrap_or(Level::INFO);
    // Fails only if logging has begun already.
    let _ = subscriber(level, LevelFilter::WARN, std::io::stdout).try_init();
}

/// Logs that warming a starting instance came to nothing, if it did. Its first request tries again.
pub fn warmed(result: Result<(), Fault>) {
    if let Err(fault) = result {
        tracing::warn!(fault = fault.code, detail = fault.detail, "not warm yet");
    }
}

/// A subscriber that writes JSON lines to `writer`: own lines from `level` on, and everybody else's from `others` on, which
/// should be no lower than warnings.
pub fn subscriber<W>(level: Level, others: LevelFilter, writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    // The runtime reports each `Unauthorized` as an error: a second line for what the audit line says already.
    let targets = Targets::new().with_default(others).with_target("lambda_runtime::layers::panic", LevelFilter::OFF);
    let targets = targets.with_targets(OWN.map(|name| (name, level)));
    let lines = tracing_subscriber::fmt::layer().json().flatten_event(true).with_current_span(false).with_span_list(false);
    tracing_subscriber::registry().with(lines.with_writer(writer).with_filter(targets))
}
