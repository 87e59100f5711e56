//! The audit line: one per attempt, whatever came of it, before the response.

use std::time::Duration;

use shared::verify::{Outcome, Verdict};

use crate::event::Event;

/// What is known of an attempt. The path goes without its query, which may carry the key.
#[derive(Debug, Default)]
pub(crate) struct Attempt {
    pub(crate) hint: Option<String>,
    pub(crate) code: &'static str,
    key: Option<String>,
    generation: Option<u32>,
    pub(crate) uncertain: u32,
}

impl Attempt {
    pub(crate) fn verdict(&mut self, verdict: &Verdict) {
        self.key = verdict.record().map(|record| record.id.to_string());
        self.uncertain = verdict.uncertain;
        match &verdict.outcome {
            Outcome::Allowed { generation, .. } => {
                self.code = "allowed";
                self.generation = Some(*generation);
            }
            Outcome::Refused { refusal, .. } => self.code = refusal.code().as_str(),
        }
    }

    pub(crate) fn log(&self, event: &Event, took: Duration) {
        tracing::info!(
            target: "audit",
            code = self.code,
            key = self.key,
            hint = self.hint,
            generation = self.generation,
            method = event.method,
            path = event.path,
            source_ip = event.address.map(tracing::field::display),
            user_agent = event.user_agent,
            request_id = event.request_id,
            uncertain = self.uncertain,
            duration_ms = took.as_secs_f64() * 1000.0,
            "attempt"
        );
    }
}
