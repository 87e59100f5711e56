//! Problem documents (RFC 9457), as `docs/errors.md` has them, and what API Gateway says when it has nothing better.

use std::fmt;

use serde_json::Value;

use crate::{guard::Guard, plain::shortened};

/// How much of a text is repeated, in characters.
const LONGEST: usize = 600;

/// What the API says of a request that it refuses. Nothing in it is a secret, and nothing would be obeyed by a terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) status: u16,
    pub(crate) code: Option<String>,
    pub(crate) detail: String,
    pub(crate) field: Option<String>,
    /// After how many seconds it may be asked again.
    pub(crate) retry_after: Option<u64>,
}

impl Problem {
    /// The problem that a body tells of. None if it isn't one.
    pub(crate) fn read(status: u16, body: &[u8], retry_after: Option<u64>, guard: &Guard) -> Option<Self> {
        let document: Value = serde_json::from_slice(body).ok()?;
        let text = |name: &str| document.get(name)?.as_str().map(|text| shortened(&guard.cut(text), LONGEST));
        let detail = text("detail").or_else(|| text("message")).or_else(|| text("title"))?;
        Some(Self { status, code: text("code"), detail, field: text("field"), retry_after })
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { status, code, detail, field, .. } = self;
        if let Some(field) = field {
            write!(f, "{field}: ")?;
        }
        match code {
            Some(code) => write!(f, "{detail} ({code}, {status})"),
            None => write!(f, "{detail} ({status})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Option<String> {
        Problem::read(400, body.as_bytes(), None, &Guard::default()).map(|problem| problem.to_string())
    }

    #[test]
    fn problems_are_told_in_one_line_without_what_is_dangerous() {
        let told = |body| read(body).unwrap();
        let body = r#"{"detail": "must be more", "code": "invalid_field", "field": "limits[0].per", "status": 400}"#;
        assert_eq!(told(body), "limits[0].per: must be more (invalid_field, 400)");
        assert_eq!(told(r#"{"message": "Forbidden"}"#), "Forbidden (400)");
        let hostile = r#"{"detail": "no\u001b[31m\nmbk_live_0123456789abcdefghijklmnopqrstuv"}"#;
        assert_eq!(told(hostile), "no\u{fffd}[31m\u{fffd}mbk_live_0123… (400)");
        for no_problem in ["", "<html>", "[]", "{}", r#"{"detail": 1}"#] {
            assert_eq!(read(no_problem), None, "{no_problem}");
        }
    }
}
