//! Keeps secrets out of whatever is printed: those that are known, and whatever looks like one of this stack's.

use std::borrow::Cow;

use serde_json::Value;

use crate::secret::Secret;

/// What comes before the random characters of every secret, whatever its prefix.
const MARKS: [&str; 2] = ["_live_", "_test_"];

/// A run of more letters and digits than this after a mark is a secret, or most of one. A name such as `load_test_production`
/// isn't, and neither is a hint.
const HARMLESS: usize = 15;

/// How many characters of a secret may be shown, as in a hint.
const SHOWN: usize = 4;

/// The secrets that this process knows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Guard {
    known: Vec<Secret>,
}

impl Guard {
    /// A guard that knows these.
    pub(crate) fn knowing(secrets: impl IntoIterator<Item = Secret>) -> Self {
        Self { known: secrets.into_iter().collect() }
    }

    /// `text` without secrets.
    pub(crate) fn cut<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut text = Cow::Borrowed(text);
        for secret in &self.known {
            if text.contains(secret.expose()) {
                text = Cow::Owned(text.replace(secret.expose(), "…"));
            }
        }
        match MARKS.iter().any(|mark| text.contains(mark)) {
            true => Cow::Owned(cut_marked(&text)),
            false => text,
        }
    }

    /// Cuts secrets out of every text of a document, names included.
    pub(crate) fn clear(&self, document: &mut Value) {
        match document {
            Value::String(text) => {
                if let Cow::Owned(cut) = self.cut(text) {
                    *text = cut;
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.clear(item)),
            Value::Object(members) => {
                let names = members.iter().any(|(name, _)| self.cut(name) != *name);
                if names {
                    let cut = std::mem::take(members).into_iter().map(|(name, value)| (self.cut(&name).into_owned(), value));
                    *members = cut.collect();
                }
                members.values_mut().for_each(|value| self.clear(value));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

fn cut_marked(text: &str) -> String {
    let mut cut = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((at, mark)) = MARKS.iter().filter_map(|mark| rest.find(mark).map(|at| (at, mark))).min() {
        let (before, after) = rest.split_at(at + mark.len());
        let run = after.bytes().take_while(u8::is_ascii_alphanumeric).count();
        cut.push_str(before);
        rest = after;
        if run > HARMLESS {
            cut.push_str(&after[..SHOWN]);
            cut.push('…');
            rest = &after[run..];
        }
    }
    cut.push_str(rest);
    cut
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const SECRET: &str = "mbk_live_0123456789abcdefghijklmnopqrstuv";

    #[test]
    fn secrets_are_cut_and_nothing_else_is() {
        let guard = Guard::knowing(Secret::read("acme-9f3kQ7xL2m"));
        for (text, shown) in [
            (SECRET, "mbk_live_0123…"),
            ("a mbk_test_0123456789abcdefghij, acme-9f3kQ7xL2m", "a mbk_test_0123…, …"),
            ("load_test_production", "load_test_production"),
            ("mbk_live_0123…", "mbk_live_0123…"),
            ("key_0123456789abcdefghijkl", "key_0123456789abcdefghijkl"),
            ("_test__live_x", "_test__live_x"),
        ] {
            assert_eq!(guard.cut(text), shown);
        }
        let mut document = json!({ "a": [SECRET, 1], SECRET: null });
        guard.clear(&mut document);
        assert_eq!(document, json!({ "a": ["mbk_live_0123…", 1], "mbk_live_0123…": null }));
    }

    proptest! {
        #[test]
        fn wherever_a_secret_is_it_is_cut(before in "\\PC{0,20}", after in "\\PC{0,20}", random in "[A-Za-z0-9]{32}") {
            let secret = format!("mbk_live_{random}");
            let text = format!("{before}{secret}{after}");
            prop_assert!(!Guard::default().cut(&text).contains(&random));
            let guard = Guard::knowing(Secret::read(&random));
            prop_assert!(!guard.cut(&text).contains(&random));
        }
    }
}
