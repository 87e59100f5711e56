//! `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): a request that is sent again makes nothing twice.
//!
//! A secret is answered once and stored nowhere, so an answer can't be given again. What a repeated request gets is a new secret in
//! the place of the one that its first answer had, which nobody has used: there are never two that live.

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::{
    base62,
    error::{Code, Rejection},
    id::KeyId,
    record::Record,
    time::{DAY, Timestamp},
};

/// How long a request is remembered, in seconds.
pub const REMEMBERED_SECONDS: u64 = DAY;

/// The most characters of the header's text.
pub const LONGEST: usize = 128;

/// The header's name, as problems name their field.
const NAME: &str = "Idempotency-Key";

/// A request that its caller may send again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Where it is remembered: a digest of who asks, for what, and the header's text.
    pub place: String,
    /// A digest of what is asked for.
    pub fingerprint: String,
}

impl Claim {
    /// The claim of a request by `principal` for `operation`, if it has the header; `target` is the key that it changes, if it
    /// changes one, and `body` what it asks for.
    ///
    /// # Errors
    /// `invalid_field` unless the header is one text of 1 to 128 visible characters, in double quotes or without them.
    pub fn read<'a>(
        lines: impl IntoIterator<Item = &'a [u8]>,
        (principal, operation, target): (&str, &str, Option<&KeyId>),
        body: &Value,
    ) -> Result<Option<Self>, Rejection> {
        let mut lines = lines.into_iter();
        let Some(line) = lines.next() else { return Ok(None) };
        let text = if lines.next().is_none() { text(line) } else { None };
        let text = text.ok_or_else(|| {
            Rejection::field(NAME, format!("must be one text of 1 to {LONGEST} visible ASCII characters, such as a UUID"))
        })?;
        let target = target.map_or("", KeyId::as_str);
        let place = digest("idempotency/1", &[principal, operation, target, text]);
        Ok(Some(Self { place, fingerprint: digest("fingerprint/1", &[&canonical(body)]) }))
    }
}

fn text(line: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(line).ok()?.trim_matches([' ', '\t']);
    let text = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text);
    let valid = (1..=LONGEST).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"');
    valid.then_some(text)
}

/// Of several texts, none of which can be mistaken for a part of another.
fn digest(label: &str, texts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for text in std::iter::once(&label).chain(texts) {
        hash.update(text.len().to_be_bytes());
        hash.update(text.as_bytes());
    }
    base62::encode(&hash.finalize().into())
}

/// JSON with the members of objects in order: two bodies that mean the same are the same request.
fn canonical(value: &Value) -> String {
    fn sort(value: &Value) -> Value {
        match value {
            Value::Object(map) => {
                let mut members: Vec<_> = map.iter().collect();
                members.sort_by_key(|(name, _)| *name);
                members.into_iter().map(|(name, value)| (name.clone(), sort(value))).collect()
            }
            Value::Array(values) => values.iter().map(sort).collect(),
            value => value.clone(),
        }
    }
    sort(value).to_string()
}

/// The same text was sent with another request.
#[must_use]
pub fn reused() -> Rejection {
    let detail = "This Idempotency-Key was sent with another request before; send a new one with a new request.";
    Rejection::new(Code::IdempotencyKeyReused, detail)
}

/// A request that was made before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remembered {
    /// What it asked for.
    pub fingerprint: String,
    /// The key that it made or changed.
    pub key: KeyId,
    /// The tags of the secrets that it made, or was about to make.
    pub tags: Vec<String>,
    /// The generation that its last secret is of, or is to be of. While the key has none of that number, nothing has come of it.
    pub number: u32,
    /// When it was made first.
    pub created_at: Timestamp,
}

/// What a request that was made before means for its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nothing has come of it yet.
    Open,
    /// The newest secret is its own, and nobody has used it.
    Unseen,
}

impl Remembered {
    /// Whether it still counts at `now`. DynamoDB removes items days after their end.
    #[must_use]
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.created_at.until(now) >= REMEMBERED_SECONDS
    }

    /// Fails if the same text was sent with another request.
    ///
    /// # Errors
    /// `idempotency_key_reused`.
    pub fn check(&self, claim: &Claim) -> Result<(), Rejection> {
        if self.fingerprint == claim.fingerprint { Ok(()) } else { Err(reused()) }
    }

    /// What has come of it, as `record` shows.
    ///
    /// # Errors
    /// `secret_in_use` if its secret has been used, or was replaced by somebody else.
    pub fn standing(&self, record: &Record) -> Result<Standing, Rejection> {
        let newest = record.newest();
        let own = record.generation(newest).is_some_and(|generation| self.tags.contains(&generation.tag));
        match own {
            true if !record.was_used(newest) => Ok(Standing::Unseen),
            false if newest < self.number => Ok(Standing::Open),
            _ => Err(Rejection::new(
                Code::SecretInUse,
                "The secret that this request made before has been used, or replaced since. Rotate the key for a new one.",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sample;

    fn claim(header: &[&str], who: &str, body: &Value) -> Result<Option<Claim>, Rejection> {
        Claim::read(header.iter().map(|line| line.as_bytes()), (who, "issue", None), body)
    }

    #[test]
    fn the_header_is_one_text_quoted_or_not() {
        let body = json!({});
        let quoted = claim(&["\"8e03978e-40d5-43e8-bc93-6894a57f9324\""], "a", &body).unwrap();
        assert_eq!(quoted, claim(&["8e03978e-40d5-43e8-bc93-6894a57f9324"], "a", &body).unwrap());
        assert_eq!(claim(&[], "a", &body), Ok(None));
        let long = "x".repeat(LONGEST + 1);
        for bad in [&["a", "b"][..], &[""], &["\"\""], &["a b"], &["é"], &["a\"b"], &["\"a"], &[&long]] {
            assert_eq!(claim(bad, "a", &body).unwrap_err().field.as_deref(), Some(NAME), "{bad:?}");
        }
    }

    #[test]
    fn a_claim_is_of_one_principal_operation_and_key() {
        let body = json!({});
        let id = KeyId::parse("key_0123456789abcdefghijkl").unwrap();
        let place = |who, operation, target| Claim::read([&b"k"[..]], (who, operation, target), &body).unwrap().unwrap().place;
        let places =
            [place("a", "issue", None), place("b", "issue", None), place("a", "rotate", None), place("a", "rotate", Some(&id))];
        for (index, place) in places.iter().enumerate() {
            assert!(!places[..index].contains(place));
        }
    }

    #[test]
    fn the_order_of_members_says_nothing_and_everything_else_does() {
        let fingerprint = |body: Value| claim(&["k"], "a", &body).unwrap().unwrap().fingerprint;
        let first = fingerprint(json!({ "a": 1, "b": { "c": [1, 2], "d": null } }));
        assert_eq!(first, fingerprint(json!({ "b": { "d": null, "c": [1, 2] }, "a": 1 })));
        for other in [json!({ "a": 1, "b": { "c": [2, 1], "d": null } }), json!({ "a": 1, "b": { "c": [1, 2] } }), json!({})] {
            assert_ne!(first, fingerprint(other));
        }
    }

    #[test]
    fn only_an_own_secret_that_nobody_has_used_is_replaced() {
        let mut record = sample::record();
        let remembered = |tags: &[&str], number| Remembered {
            fingerprint: String::new(),
            key: record.id.clone(),
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
            number,
            created_at: Timestamp::EPOCH,
        };
        let (own, others, coming) = (remembered(&["old", "tag1"], 1), remembered(&["other"], 1), remembered(&["next"], 2));
        assert_eq!(own.standing(&record), Ok(Standing::Unseen));
        assert_eq!(coming.standing(&record), Ok(Standing::Open));
        assert_eq!(others.standing(&record).unwrap_err().code, Code::SecretInUse);
        record.counters.generations.insert(1, 1);
        assert_eq!(own.standing(&record).unwrap_err().code, Code::SecretInUse);
        assert!(own.is_over(Timestamp::from_secs(DAY)) && !own.is_over(Timestamp::from_secs(DAY - 1)));
    }
}
