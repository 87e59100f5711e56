//! Texts that a caller has chosen, for a log: whoever pastes a secret into a path or calls a client by it, it isn't kept.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use crate::imported::{self, ImportPrefixes};

/// What comes before the random characters of every secret, whatever its prefix.
const MARKS: [&str; 2] = ["_live_", "_test_"];

/// How many of the characters after it may be shown, as in a hint.
const SHOWN: usize = 4;

/// A run of more characters than this after a mark is cut, so that a secret which lost some is cut as well.
const HARMLESS: usize = 8;

/// The same of secrets from elsewhere, whose prefixes and lengths are others: with the prefix.
const HARMLESS_IMPORTED: usize = 12;

/// `text` without the random part of any secret in it, this stack's or an `imported` one, percent-encoded or not.
#[must_use]
pub fn redact<'a>(text: &'a str, imported: &ImportPrefixes) -> Cow<'a, str> {
    let decoded = percent_decode_str(text).decode_utf8_lossy();
    match cut(&decoded, imported) {
        Some(cut) => Cow::Owned(cut),
        None => Cow::Borrowed(text),
    }
}

/// What secrets of one kind have in common.
struct Kind<'a> {
    mark: &'a str,
    letter: fn(&u8) -> bool,
    /// How many of a run of characters after the mark may be shown; all of a harmless one.
    shown: fn(mark: usize, run: usize) -> usize,
}

impl<'a> Kind<'a> {
    const fn own(mark: &'a str) -> Self {
        Self { mark, letter: u8::is_ascii_alphanumeric, shown: |_, run| if run > HARMLESS { SHOWN } else { run } }
    }

    /// Of secrets from elsewhere, nobody knows the letters.
    const fn imported(mark: &'a str) -> Self {
        let shown = |mark, run| if mark + run > HARMLESS_IMPORTED { imported::shown(run) } else { run };
        Self { mark, letter: u8::is_ascii_graphic, shown }
    }
}

/// The text with every secret cut, if it holds one.
fn cut(text: &str, imported: &ImportPrefixes) -> Option<String> {
    let kinds: Vec<_> = imported.each().map(Kind::imported).chain(MARKS.map(Kind::own)).collect();
    let next = |rest: &str| {
        let found = kinds.iter().filter_map(|kind| rest.find(kind.mark).map(|at| (at, kind)));
        found.min_by_key(|(at, _)| *at)
    };
    let mut cut = String::new();
    let mut rest = text;
    while let Some((at, kind)) = next(rest) {
        let (before, after) = rest.split_at(at + kind.mark.len());
        let run = after.bytes().take_while(kind.letter).count();
        let shown = (kind.shown)(kind.mark.len(), run);
        cut.push_str(before);
        // After a harmless run's mark, another mark may begin.
        rest = after;
        if shown < run {
            cut.push_str(&after[..shown]);
            cut.push('…');
            rest = &after[run..];
        }
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
            assert_eq!(redact(&text, &ImportPrefixes::default()), shown, "{text}");
        }
    }

    #[test]
    fn secrets_from_elsewhere_are_cut_as_well() {
        let imported = ImportPrefixes::parse("acme-").unwrap();
        let secret = "acme-a/b+c=d!e~f0123456789";
        assert_eq!(redact(&format!("/x/{secret} y"), &imported), "/x/acme-a/b+… y");
        assert_eq!(redact(&format!("{secret} mbk_live_{}", "x".repeat(32)), &imported), "acme-a/b+… mbk_live_xxxx…");
        assert_eq!(redact("/acme-shop", &imported), "/acme-shop");
        // The longest prefix and the shortest secret: nearly all of it would be shown.
        let long = ImportPrefixes::parse("acme_production_").unwrap();
        assert_eq!(redact("acme_production_wxyz", &long), "acme_production_w…");
        // Prefixes that look like this stack's own.
        let alike = ImportPrefixes::parse("acme_live_,b_live_x").unwrap();
        assert_eq!(redact("acme_live_ab-cdefghijk", &alike), "acme_live_ab-…");
        assert_eq!(redact("b_live_x-a-b-c-d-e-f", &alike), "b_live_x-a-…");
        assert_eq!(redact("a_live_b acme_live_ab-cdefghijk", &alike), "a_live_b acme_live_ab-…");
    }

    #[test]
    fn everything_else_stays_as_it_is() {
        for text in ["", "/v1/keys/key_0123456789abcdefghijkl", "/is_live_now", "/%5F%ff", "é_test_é", "_live_", "a…b"] {
            assert_eq!(redact(text, &ImportPrefixes::default()), text);
        }
    }
}
