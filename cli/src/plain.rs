//! Texts of others, for a terminal: without what would move its cursor, change its title, or turn a line around.

use std::borrow::Cow;

/// Whether a terminal, or somebody's eyes, could take it for something else than a character.
fn is_hostile(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// `text` in one line, with a replacement character for each that is hostile.
pub(crate) fn plain(text: &str) -> Cow<'_, str> {
    if text.chars().any(is_hostile) {
        Cow::Owned(text.chars().map(|letter| if is_hostile(letter) { '\u{fffd}' } else { letter }).collect())
    } else {
        Cow::Borrowed(text)
    }
}

/// The same for a text of several lines, such as a table for a spreadsheet.
pub(crate) fn plain_lines(text: &str) -> String {
    text.lines().map(plain).collect::<Vec<_>>().join("\n")
}

/// At most `most` characters of a text, in one line.
pub(crate) fn shortened(text: &str, most: usize) -> String {
    let text = plain(text);
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into_owned(),
    }
}

/// JSON in which hostile characters are escaped. They can only be in texts, where an escape means the same.
pub(crate) fn escaped(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for letter in json.chars() {
        match letter {
            '\n' => escaped.push('\n'),
            letter if is_hostile(letter) => escaped.push_str(&format!("\\u{:04x}", u32::from(letter))),
            letter => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    #[test]
    fn nothing_reaches_the_terminal_that_it_would_obey() {
        assert_eq!(plain("a\u{1b}[2Jb\r\n\u{9b}c\u{202e}d"), "a\u{fffd}[2Jb\u{fffd}\u{fffd}\u{fffd}c\u{fffd}d");
        assert_eq!(plain("ann é 日本"), "ann é 日本");
        assert_eq!(plain_lines("a,b\r\n1,\u{7}2\r\n"), "a,b\n1,\u{fffd}2");
        assert_eq!(shortened("abcdef", 3), "abc…");
    }

    proptest! {
        #[test]
        fn escaped_json_means_the_same(text in any::<String>()) {
            let value = Value::String(text);
            let written = escaped(&value.to_string());
            prop_assert!(!written.chars().any(is_hostile));
            prop_assert_eq!(serde_json::from_str::<Value>(&written).unwrap(), value);
        }
    }
}
