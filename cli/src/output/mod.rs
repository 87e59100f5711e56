//! What is printed: tables for people, JSON for programs. Standard output has the answer and nothing else; everything that is said
//! about it is on standard error.

use std::io::{self, IsTerminal, Write};

use serde_json::Value;
use zeroize::{Zeroize, Zeroizing};

mod chart;
mod key;
mod moment;
mod table;

pub(crate) use chart::bar;
pub(crate) use key::{generations, key, limits};
pub(crate) use moment::Clock;
pub(crate) use table::{Table, text, words};

use crate::{
    failure::Failure,
    plain::{escaped, plain},
    secret::Secret,
};

/// What output is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// People.
    Table,
    /// Programs.
    Json,
}

/// Standard output.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    pub(crate) form: Form,
    is_terminal: bool,
}

impl Output {
    /// As flags have it, otherwise as `MBK_OUTPUT` has it, and otherwise tables for a terminal and JSON for all else.
    pub(crate) fn new(json: bool, table: bool) -> Self {
        let is_terminal = io::stdout().is_terminal();
        let asked = std::env::var("MBK_OUTPUT").unwrap_or_default();
        let is_table = match (json, table, asked.as_str()) {
            (true, ..) | (false, false, "json") => false,
            (_, true, _) | (false, false, "table") => true,
            _ => is_terminal,
        };
        Self { form: if is_table { Form::Table } else { Form::Json }, is_terminal }
    }

    /// The time, for texts like "3 min ago": on a terminal alone, because such a text is wrong as soon as it is kept.
    pub(crate) fn clock(self) -> Clock {
        Clock::new(self.is_terminal)
    }

    /// A document: on a line of its own for programs, and laid out on a terminal.
    pub(crate) fn json(self, document: &Value) -> Result<(), Failure> {
        let text = if self.is_terminal { format!("{document:#}") } else { document.to_string() };
        self.raw(&escaped(&text))
    }

    /// A document on a line of its own, whoever reads it.
    pub(crate) fn json_line(self, document: &Value) -> Result<(), Failure> {
        self.raw(&escaped(&document.to_string()))
    }

    /// A document with the secret that it came with, where the API has put it.
    pub(crate) fn json_with_secret(self, mut document: Value, secret: &Secret) -> Result<(), Failure> {
        document["secret"] = secret.expose().into();
        let text = Zeroizing::new(if self.is_terminal { format!("{document:#}") } else { document.to_string() });
        if let Value::String(copy) = &mut document["secret"] {
            copy.zeroize();
        }
        self.raw(&Zeroizing::new(escaped(&text)))
    }

    /// A table, no wider than the terminal.
    pub(crate) fn table(self, table: Table) -> Result<(), Failure> {
        let width = terminal::Term::stdout().size_checked().filter(|_| self.is_terminal).map(|(_, columns)| columns);
        self.raw(&table.lines(width).join("\n"))
    }

    /// A line, without what a terminal would obey.
    pub(crate) fn line(self, line: &str) -> Result<(), Failure> {
        self.raw(&plain(line))
    }

    /// A secret, where nobody overlooks it.
    pub(crate) fn secret(self, secret: &Secret) -> Result<(), Failure> {
        let text = plain(secret.expose());
        let text = terminal::style(text).bold();
        self.raw(&format!("\n    {text}\n"))
    }

    /// A secret and nothing else.
    pub(crate) fn secret_only(self, secret: &Secret) -> Result<(), Failure> {
        self.raw(&plain(secret.expose()))
    }

    /// Lines that are known to hold nothing that a terminal would obey.
    pub(crate) fn raw(self, text: &str) -> Result<(), Failure> {
        let mut stdout = io::stdout().lock();
        writeln!(stdout, "{text}")?;
        stdout.flush()?;
        Ok(())
    }
}

/// Says something on standard error. If nobody hears it, that changes nothing.
pub(crate) fn complain(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}
