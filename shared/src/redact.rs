//! Texts that a caller has chosen, for a log: whoever pastes a secret into a path or calls a client by it, it isn't kept.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// What comes before the random characters of every secret, whatever its prefix.
const MARKS: [&str; 2] = ["_live_", "_test_"];

/// How many of the characters after it may be shown, as in a hint.
const SHOWN: usize = 4;

/// A run of more characters than this after a mark is cut, so that a secret which lost some is cut as well.
const HARMLESS: usize = 8;

/// `text` without the random part of any secret in it, percent-encoded or not.
#[must_use]
pub fn redact(text: &str) -> Cow<'_, str> {
    let decoded = percent_decode_str(text).decode_utf8_lossy();
    match cut(&decoded) {
        Some(cut) => Cow::Owned(cut),
        None => Cow::Borrowed(text),
    }
}

/// The text with every secret cut, if it holds one.
fn cut(text: &str) -> Option<String> {
    let mut cut = String::new();
    let mut rest = text;
    while let Some(end) = MARKS.iter().filter_map(|mark| rest.find(mark).map(|at| at + mark.len())).min() {
        let (before, after) = rest.split_at(end);
        let run = after.bytes().take_while(u8::is_ascii_alphanumeric).count();
        let shown = if run > HARMLESS { SHOWN } else { run };
        cut.push_str(before);
        cut.push_str(&after[..shown]);
        if run > HARMLESS {
            cut.push('…');
        }
        rest = &after[run..];
    }
    if !cut.contains('…') {
        return None;
    }
    cut.push_str(rest);
    Some(cut)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_cut_wherever_they_are() {
        let secret = "mbk_live_0123456789abcdefghijklmnopqrstuv";
        for (text, shown) in [
            (format!("/v1/keys/{secret}/revoke"), "/v1/keys/mbk_live_0123…/revoke"),
            (secret.to_owned(), "mbk_live_0123…"),
            (secret.replace('_', "%5F"), "mbk_live_0123…"),
            (secret.replace("live", "liv%65"), "mbk_live_0123…"),
            (format!("a {secret};{secret} z"), "a mbk_live_0123…;mbk_live_0123… z"),
            (secret[..30].to_owned(), "mbk_live_0123…"),
            (format!("acme_test_{}", "x".repeat(32)), "acme_test_xxxx…"),
        ] {
            assert_eq!(redact(&text), shown, "{text}");
        }
    }

    #[test]
    fn everything_else_stays_as_it_is() {
        for text in ["", "/v1/keys/key_0123456789abcdefghijkl", "/is_live_now", "/%5F%ff", "é_test_é", "_live_", "a…b"] {
            assert_eq!(redact(text), text);
        }
    }
}
