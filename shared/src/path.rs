//! Request paths, brought into the one form that endpoint patterns are matched on.
//!
//! Two readings of one path (ours and the backend's) are how scopes get bypassed. So a path that could be read in
//! two ways has no normal form, and what has no normal form matches no pattern.

use percent_encoding::percent_decode_str;

/// A path without anything that a backend might read differently: decoded once, no empty, `.` or `..` segments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NormalPath(String);

impl NormalPath {
    /// The normal form of a raw path as it came, or `None` if it has none: not absolute, an empty segment (`//`, or a
    /// trailing `/`), a dot segment, an encoded slash, backslash or percent sign, a control character, invalid UTF-8
    /// or percent-encoding, or one of IAM's wildcards `*` and `?` (a policy that names this path would allow others).
    #[must_use]
    pub fn parse(raw: &str) -> Option<Self> {
        let rest = raw.strip_prefix('/')?;
        if rest.is_empty() {
            return Some(Self("/".to_owned()));
        }
        let mut normal = String::with_capacity(raw.len());
        for segment in rest.split('/') {
            let decoded = decode(segment)?;
            if matches!(decoded.as_str(), "" | "." | "..") || decoded.chars().any(is_ambiguous) {
                return None;
            }
            normal.push('/');
            normal.push_str(&decoded);
        }
        Some(Self(normal))
    }

    /// The normal form of a path that was decoded on its way here, or `None` if it has none. A percent sign that is left
    /// came as `%25`, and could be decoded once more behind us; and a replacement character stands for any bytes.
    #[must_use]
    pub fn of_decoded(path: &str) -> Option<Self> {
        if path.contains(['%', '\u{fffd}']) { None } else { Self::parse(path) }
    }

    /// The normalised text; begins with `/`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Decodes `%XX` once; `None` for a `%` without two hex digits, which some servers keep and others refuse.
fn decode(segment: &str) -> Option<String> {
    let mut rest = segment.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' && !(rest.next()?.is_ascii_hexdigit() && rest.next()?.is_ascii_hexdigit()) {
            return None;
        }
    }
    percent_decode_str(segment).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

/// A decoded `%` could be decoded a second time behind us; slashes could split the segment.
fn is_ambiguous(letter: char) -> bool {
    matches!(letter, '/' | '\\' | '%' | '*' | '?' | '#' | ';') || letter.is_control()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_reading_or_none() {
        for (raw, normal) in [
            ("/", Some("/")),
            ("/reports", Some("/reports")),
            ("/reports/2026%2D11", Some("/reports/2026-11")),
            ("/caf%C3%A9", Some("/café")),
            ("/a%20b", Some("/a b")),
            ("", None),
            ("reports", None),
            ("//reports", None),
            ("/reports/", None),
            ("/reports//1", None),
            ("/./reports", None),
            ("/reports/..", None),
            ("/reports/%2e%2E/admin", None),
            ("/reports%2fadmin", None),
            ("/reports%5Cadmin", None),
            ("/reports\\admin", None),
            ("/reports/%252e", None),
            ("/reports/%", None),
            ("/reports/%4", None),
            ("/reports/%zz", None),
            ("/reports/%ff", None),
            ("/reports/%00", None),
            ("/reports/*", None),
            ("/reports/%3F", None),
            ("/reports;v=1", None),
        ] {
            assert_eq!(NormalPath::parse(raw).as_ref().map(NormalPath::as_str), normal, "{raw}");
        }
    }

    #[test]
    fn what_was_decoded_is_not_decoded_again() {
        let normal = |path: &str| NormalPath::of_decoded(path).map(|path| path.as_str().to_owned());
        assert_eq!(normal("/a b/é").as_deref(), Some("/a b/é"));
        for path in ["/reports/%41", "/reports/100%", "/reports//1", "/reports/?x", "/a\u{fffd}"] {
            assert_eq!(normal(path), None, "{path}");
        }
    }

    proptest! {
        #[test]
        fn a_normal_form_holds_nothing_ambiguous(raw in "/([a-z.%/2eEfF5cC*\\\\]|%2[eEfF]|%5[cC]){0,20}") {
            if let Some(normal) = NormalPath::parse(&raw) {
                prop_assert!(!normal.as_str().contains("//") && !normal.as_str().contains(['\\', '%', '*']));
                prop_assert!(normal.as_str().split('/').all(|segment| segment != "." && segment != ".."));
                prop_assert_eq!(NormalPath::parse(normal.as_str()), Some(normal.clone()), "normalising again changes nothing");
            }
        }
    }
}
