//! The body of what is ordered: a file, if there is one, and flags before it.

use std::{io::Read, path::Path};

use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::{args::Policy, failure::Failure, parse::Limit};

/// The most bytes of an order; the API takes 64 KiB.
const LONGEST_ORDER: u64 = 1 << 20;

/// Reads a file, or standard input for `-`, up to `most` bytes.
///
/// # Errors
/// If it can't be read, is longer, or isn't text.
pub(crate) fn read(file: &Path, most: u64) -> Result<Zeroizing<String>, Failure> {
    let name = file.display();
    let failed = |error: std::io::Error| Failure::usage(format!("{name} can't be read: {error}"));
    let mut text = Zeroizing::new(String::new());
    let read = if file == Path::new("-") {
        std::io::stdin().lock().take(most + 1).read_to_string(&mut text)
    } else {
        std::fs::File::open(file).map_err(failed)?.take(most + 1).read_to_string(&mut text)
    };
    match read.map_err(failed)? as u64 {
        length if length > most => Err(Failure::usage(format!("{name} is longer than {most} bytes"))),
        _ => Ok(text),
    }
}

/// An order under construction.
#[derive(Debug, Default)]
pub(crate) struct Order(Map<String, Value>);

impl Order {
    /// What `file` has.
    ///
    /// # Errors
    /// If it can't be read, or isn't a JSON object.
    pub(crate) fn of_file(file: Option<&Path>) -> Result<Self, Failure> {
        let Some(file) = file else { return Ok(Self::default()) };
        let text = read(file, LONGEST_ORDER)?;
        match serde_json::from_str(&text) {
            Ok(Value::Object(members)) => Ok(Self(members)),
            Ok(_) => Err(Failure::usage(format!("{} holds no JSON object", file.display()))),
            Err(error) => Err(Failure::usage(format!("{} is no JSON: {error}", file.display()))),
        }
    }

    /// Sets a field, if there is something to set it to.
    pub(crate) fn set(&mut self, field: &str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.0.insert(field.to_owned(), value.into());
        }
    }

    /// Sets what keys and plans have in common.
    pub(crate) fn policy(&mut self, policy: &Policy) {
        self.set("scopes", some(&policy.scope));
        self.set("limits", (!policy.limit.is_empty()).then(|| Limit::list(&policy.limit)));
        self.set("rotate_every_days", policy.rotate_every.map(|days| Value::from(days.0)));
    }

    /// Whether nothing is asked for.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The body.
    pub(crate) fn json(self) -> Value {
        Value::Object(self.0)
    }
}

/// A list of texts, unless it is empty.
pub(crate) fn some(texts: &[String]) -> Option<Value> {
    (!texts.is_empty()).then(|| texts.iter().cloned().map(Value::from).collect())
}
