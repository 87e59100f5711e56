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

    /// The last line since this was last asked.
    ///
    /// # Panics
    /// If there is none, or it isn't JSON.
    #[must_use]
    pub fn last(&self) -> Value {
        let lines = self.take();
        serde_json::from_str(lines.last().expect("a line")).expect("JSON")
    }
}

impl Output for Lines {
    fn line(&self, line: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line.to_owned());
    }
}
