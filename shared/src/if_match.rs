//! `If-Match` (RFC 9110, section 13.1.1): change a key only if it still has the version that the caller has seen.

use crate::{
    change,
    error::{Code, Rejection},
};

/// The header's name, as problems name their field.
const NAME: &str = "If-Match";

/// What a caller demands of the version of the key that it changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum IfMatch {
    /// Nothing: the header wasn't sent.
    #[default]
    Absent,
    /// That there is a key: `*`.
    Any,
    /// That its version has one of these tags. Weak ones are not among them, because they match nothing here.
    Tags(Vec<String>),
}

/// The entity tag of a version: `"7"`. It is a strong one (RFC 9110, section 8.8.3), as `If-Match` compares no other. What
/// only uses change, the counters, is no part of it: with them nobody could ever change a key that is in use.
#[must_use]
pub fn entity_tag(version: u64) -> String {
    format!("\"{version}\"")
}

impl IfMatch {
    /// Reads the header's lines, which together are one list.
    ///
    /// # Errors
    /// `invalid_field` unless they are `*` or a list of entity tags.
    pub fn parse<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> Result<Self, Rejection> {
        let lines: Vec<&[u8]> = lines.into_iter().collect();
        if lines.is_empty() {
            return Ok(Self::Absent);
        }
        let invalid = || Rejection::field(NAME, "must be * or a list of entity tags in double quotes, such as \"7\"");
        read(&lines.join(&b", "[..])).ok_or_else(invalid)
    }

    /// Fails unless a key of `version` may be changed.
    ///
    /// # Errors
    /// `precondition_failed`.
    pub fn check(&self, version: u64) -> Result<(), Rejection> {
        if self.holds(version) { Ok(()) } else { Err(failed(Some(version))) }
    }

    /// The answer to a change that lost against another, after which the key has `version`, if that is known.
    #[must_use]
    pub fn lost(&self, version: Option<u64>) -> Rejection {
        match self {
            // The other change may have been one that the version doesn't show: the first use of a new secret.
            Self::Tags(_) if version.is_none_or(|version| !self.holds(version)) => failed(version),
            _ => change::changed_meanwhile(),
        }
    }

    fn holds(&self, version: u64) -> bool {
        match self {
            Self::Absent | Self::Any => true,
            Self::Tags(tags) => tags.contains(&entity_tag(version)),
        }
    }
}

fn failed(version: Option<u64>) -> Rejection {
    let version = version.map_or_else(|| "another version".to_owned(), |version| format!("version {version}"));
    Rejection::new(
        Code::PreconditionFailed,
        format!(
            "The key has {version}, which If-Match does not allow; nothing was changed. Read the key, decide again, and send \
             the ETag of that answer."
        ),
    )
}

fn read(text: &[u8]) -> Option<IfMatch> {
    let mut rest = trim(text);
    if rest == b"*" {
        return Some(IfMatch::Any);
    }
    let (mut tags, mut any) = (Vec::new(), false);
    while !rest.is_empty() {
        // Empty elements say nothing (RFC 9110, section 5.6.1.2); between two tags there must be a comma.
        if let Some(after) = rest.strip_prefix(b",") {
            rest = trim(after);
            continue;
        }
        let strong = rest.strip_prefix(b"W/");
        let opaque = strong.unwrap_or(rest).strip_prefix(b"\"")?;
        let end = opaque.iter().position(|byte| *byte == b'"')?;
        let (tag, after) = (&opaque[..end], trim(&opaque[end + 1..]));
        if !tag.iter().all(|byte| matches!(byte, 0x21 | 0x23..=0x7E | 0x80..=0xFF)) || !(after.is_empty() || after[0] == b',') {
            return None;
        }
        any = true;
        // A tag of other bytes than ASCII is none that was ever answered with.
        tags.extend(strong.is_none().then(|| format!("\"{}\"", String::from_utf8_lossy(tag))));
        rest = after;
    }
    any.then_some(IfMatch::Tags(tags))
}

/// Without the spaces and tabs around it, the only white space that a header's list may have.
fn trim(text: &[u8]) -> &[u8] {
    let space = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = text.iter().position(|byte| !space(byte)).unwrap_or(text.len());
    let end = text.iter().rposition(|byte| !space(byte)).map_or(start, |last| last + 1);
    &text[start..end]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(lines: &[&str]) -> Result<IfMatch, Rejection> {
        IfMatch::parse(lines.iter().map(|line| line.as_bytes()))
    }

    #[test]
    fn one_or_more_strong_tags_match_a_version_and_weak_ones_never_do() {
        for (lines, version, matches) in [
            (&[][..], 7, true),
            (&["*"][..], 7, true),
            (&[" *\t"][..], 7, true),
            (&["\"7\""][..], 7, true),
            (&["\"7\""][..], 8, false),
            (&["\"07\""][..], 7, false),
            (&["\"\""][..], 7, false),
            (&["W/\"7\""][..], 7, false),
            (&["W/\"7\", \"7\""][..], 7, true),
            (&["\"6\",\"7\""][..], 7, true),
            (&[", \"6\" ,\t, \"7\","][..], 7, true),
            (&["\"6\"", "\"7\""][..], 7, true),
            (&["\"6\"", "\"7\""][..], 8, false),
            (&["\"a,b\", \"7\""][..], 7, true),
            (&["\"é\", \"7\""][..], 7, true),
        ] {
            assert_eq!(parse(lines).unwrap().check(version).is_ok(), matches, "{lines:?} and version {version}");
        }
    }

    #[test]
    fn anything_else_is_malformed() {
        for bad in [
            "",
            " ",
            ",",
            "7",
            "\"7",
            "7\"",
            "\"7\" \"8\"",
            "\"7\"8",
            "w/\"7\"",
            "W/ \"7\"",
            "W/7",
            "*, \"7\"",
            "\"7\", *",
            "\"a b\"",
            "\"\u{7}\"",
        ] {
            let rejection = parse(&[bad]).unwrap_err();
            assert_eq!((rejection.code, rejection.field.as_deref()), (Code::InvalidField, Some("If-Match")), "{bad:?}");
        }
        assert!(parse(&["*", "*"]).is_err(), "several lines are one list, and * is no element of one");
    }

    #[test]
    fn a_lost_race_is_a_failed_precondition_only_if_that_no_longer_holds() {
        let tags = parse(&["\"7\""]).unwrap();
        assert_eq!(tags.lost(Some(8)).code, Code::PreconditionFailed);
        assert!(tags.lost(Some(8)).detail.contains("version 8"));
        assert_eq!(tags.lost(None).code, Code::PreconditionFailed);
        assert_eq!(tags.lost(Some(7)).code, Code::ChangedMeanwhile, "the version is the one that was named");
        assert_eq!(IfMatch::Any.lost(Some(8)).code, Code::ChangedMeanwhile);
        assert_eq!(IfMatch::Absent.lost(Some(8)).code, Code::ChangedMeanwhile);
    }

    proptest! {
        #[test]
        fn our_own_tags_read_back_in_any_list(versions in prop::collection::vec(any::<u64>(), 1..5), other in any::<u64>()) {
            let line = versions.iter().map(|version| entity_tag(*version)).collect::<Vec<_>>().join(" , ");
            let read = parse(&[&line]).unwrap();
            prop_assert!(versions.iter().all(|version| read.check(*version).is_ok()));
            prop_assert_eq!(read.check(other).is_ok(), versions.contains(&other));
        }

        #[test]
        fn nonsense_never_panics(lines in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..20), 0..3)) {
            let _ = IfMatch::parse(lines.iter().map(Vec::as_slice));
        }
    }
}
