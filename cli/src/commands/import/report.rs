//! What became of the lines.

use serde_json::{Value, json};

use crate::output::Table;

/// What became of one.
#[derive(Debug)]
pub(super) enum Outcome {
    /// It is this key now.
    Imported(String),
    /// Its secret was a key's already.
    Present(Option<String>),
    /// It was refused.
    Failed { code: Option<String>, detail: String },
}

/// What became of all that were sent, in the order of the file.
#[derive(Debug, Default)]
pub(super) struct Report {
    lines: Vec<(u64, Outcome)>,
}

impl Report {
    pub(super) fn take(&mut self, number: u64, outcome: Outcome) {
        self.lines.push((number, outcome));
    }

    fn count(&self, is: impl Fn(&Outcome) -> bool) -> usize {
        self.lines.iter().filter(|(_, outcome)| is(outcome)).count()
    }

    fn imported(&self) -> usize {
        self.count(|outcome| matches!(outcome, Outcome::Imported(_)))
    }

    fn present(&self) -> usize {
        self.count(|outcome| matches!(outcome, Outcome::Present(_)))
    }

    pub(super) fn failed(&self) -> usize {
        self.count(|outcome| matches!(outcome, Outcome::Failed { .. }))
    }

    /// In a few words, beside a progress bar.
    pub(super) fn told(&self) -> String {
        match self.failed() {
            0 => String::new(),
            failed => format!("{failed} failed"),
        }
    }

    /// For programs.
    pub(super) fn document(&self) -> Value {
        let lines = self.lines.iter().map(|(number, outcome)| match outcome {
            Outcome::Imported(key) => json!({ "line": number, "status": "imported", "key": key }),
            Outcome::Present(key) => json!({ "line": number, "status": "present", "key": key }),
            Outcome::Failed { code, detail } => json!({ "line": number, "status": "failed", "code": code, "detail": detail }),
        });
        json!({
            "imported": self.imported(),
            "present": self.present(),
            "failed": self.failed(),
            "lines": lines.collect::<Vec<_>>(),
        })
    }

    /// For people: how many, and which lines need looking at.
    pub(super) fn tables(&self) -> Vec<Table> {
        let mut counts = Table::bare();
        for (name, count) in [("imported", self.imported()), ("present", self.present()), ("failed", self.failed())] {
            counts.row([name, &count.to_string()]);
        }
        let mut failures = Table::new(&["line", "why"]);
        for (number, outcome) in &self.lines {
            if let Outcome::Failed { detail, .. } = outcome {
                failures.row([number.to_string().as_str(), detail]);
            }
        }
        if self.failed() == 0 { vec![counts] } else { vec![counts, failures] }
    }
}
