//! Where the lines of invocations go: the greeting and the requests have the terminal to themselves unless asked otherwise.

use std::sync::Arc;

use shared::host::{Host, Output};

/// The operating system's clock and generator; lines go to standard error from the level `info` on, and else nowhere.
#[must_use]
pub fn host(level: tracing::Level) -> Host {
    let output: Arc<dyn Output> = if level >= tracing::Level::INFO { Arc::new(StandardError) } else { Arc::new(Nowhere) };
    Host { output, ..Host::system() }
}

struct StandardError;

impl Output for StandardError {
    #[expect(clippy::print_stderr, reason = "what this is for")]
    fn line(&self, line: &str) {
        eprintln!("{line}");
    }
}

struct Nowhere;

impl Output for Nowhere {
    fn line(&self, _: &str) {}
}
