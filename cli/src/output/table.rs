//! Tables without lines: columns that people read, and that other programs can still cut.

use comfy_table::{ContentArrangement, presets::NOTHING};
use serde_json::Value;

use crate::plain::plain;

/// Rows under a heading, or without one.
#[derive(Debug)]
pub(crate) struct Table(comfy_table::Table);

impl Table {
    /// A table with these columns.
    pub(crate) fn new(heading: &[&str]) -> Self {
        let mut table = Self::bare();
        table.0.set_header(heading.iter().map(|name| name.to_uppercase()));
        table
    }

    /// A table of names and values.
    pub(crate) fn bare() -> Self {
        let mut table = comfy_table::Table::new();
        table.load_style(NOTHING);
        Self(table)
    }

    /// Adds a row, without what a terminal would obey.
    pub(crate) fn row<T: AsRef<str>>(&mut self, cells: impl IntoIterator<Item = T>) {
        self.0.add_row(cells.into_iter().map(|cell| plain(cell.as_ref()).into_owned()));
    }

    /// Its lines, no longer than `width`.
    pub(crate) fn lines(mut self, width: Option<u16>) -> Vec<String> {
        for column in self.0.column_iter_mut() {
            column.set_padding((0, 2));
        }
        match width {
            Some(width) => self.0.set_content_arrangement(ContentArrangement::Dynamic).set_width(width),
            None => self.0.set_content_arrangement(ContentArrangement::Disabled),
        };
        self.0.lines().map(|line| line.trim_end().to_owned()).collect()
    }
}

/// A member of a document, as one text: nothing for nothing.
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}

/// The texts of a list, or a word for an empty one.
pub(crate) fn words(value: &Value, none: &str) -> String {
    match value.as_array() {
        Some(items) if !items.is_empty() => items.iter().map(text).collect::<Vec<_>>().join(", "),
        _ => none.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_obey_nobody() {
        let mut table = Table::new(&["id", "name"]);
        table.row(["key_1", "a\u{1b}[31m"]);
        table.row(["key_234", "日本"]);
        assert_eq!(table.lines(None), ["ID       NAME", "key_1    a\u{fffd}[31m", "key_234  日本"]);
    }

    #[test]
    fn narrow_terminals_get_more_lines() {
        let mut table = Table::new(&["name"]);
        table.row(["one two three four five"]);
        let lines = table.lines(Some(12));
        assert!(lines.len() > 2 && lines.iter().all(|line| line.chars().count() <= 12), "{lines:?}");
    }
}
