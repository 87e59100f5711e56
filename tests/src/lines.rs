//! The lines that functions write, one for each invocation.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use shared::host::Output;

/// Lines. Clones are the same lines.
#[derive(Clone, Debug, Default)]
pub struct Lines(Arc<Mutex<Vec<String>>>);

impl Lines {
    /// All lines since this was last asked, as they were written.
    #[must_use]
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The one line since this was last asked.
    ///
    /// # Panics
    /// If there is none, or more than one, or it isn't JSON.
    #[must_use]
    pub fn only(&self) -> Value {
        let lines = self.take();
        assert_eq!(lines.len(), 1, "one line for one invocation: {lines:#?}");
        serde_json::from_str(&lines[0]).expect("JSON")
    }
}

impl Output for Lines {
    fn line(&self, line: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line.to_owned());
    }
}
