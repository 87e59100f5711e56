//! There is a new key.

use std::borrow::Cow;

use serde_json::{Value, json};

use super::{Announcement, Told, command::Command};
use crate::{change::Key, record::Generation, scope::Scope, time::Timestamp, view};

/// A key that was issued, or imported.
#[derive(Clone, Debug, PartialEq)]
pub struct Issued {
    /// The number of its secret's generation: 1, and more for the answer to a request that was sent again.
    pub generation: u32,
    /// When its secret expires; none: never.
    pub expires_at: Option<Timestamp>,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// Whether its secret was made elsewhere.
    pub imported: bool,
    /// Whether the request was sent again: the secret of the answer before has ended, and nobody had used it.
    pub repeated: bool,
}

impl Issued {
    /// `key`, which is new.
    #[must_use]
    pub fn of(key: &Key, imported: bool, repeated: bool) -> Self {
        let (record, generation) = (&key.record, key.record.newest());
        let expires_at = record.generation(generation).and_then(Generation::ends_at);
        Self { generation, expires_at, scopes: record.scopes.clone(), imported, repeated }
    }
}

impl Told for Issued {
    fn event(&self) -> &'static str {
        "key.issued"
    }

    fn occasion(&self) -> String {
        self.generation.to_string()
    }

    fn verb(&self) -> Cow<'static, str> {
        if self.imported { "imported".into() } else { "issued".into() }
    }

    fn fields(&self) -> Vec<(&'static str, Value)> {
        let Self { generation, expires_at, scopes, imported, repeated } = self;
        vec![
            ("generation", json!(generation)),
            ("expires_at", json!(expires_at)),
            ("scopes", view::scopes(scopes)),
            ("imported", json!(imported)),
            ("repeated", json!(repeated)),
        ]
    }

    fn headline(&self) -> Cow<'static, str> {
        "is new".into()
    }

    fn rows(&self, of: &Announcement) -> Vec<(&'static str, String)> {
        let scopes: Vec<_> = self.scopes.iter().map(Scope::as_str).collect();
        let issued = if self.imported { "Imported" } else { "Issued" };
        vec![
            (issued, of.when_and_who()),
            ("Secret", of.newest(self.generation, self.expires_at)),
            ("Scopes", if scopes.is_empty() { "none".to_owned() } else { scopes.join(", ") }),
        ]
    }

    fn to_do(&self, of: &Announcement) -> String {
        let secret = match (self.imported, self.repeated) {
            (true, _) => "Its secret was made elsewhere, and works here from now on.",
            (false, false) => "Its secret was in the answer to whoever issued it, and nowhere else.",
            (false, true) => {
                "The request was sent again: the secret of its first answer has ended, and nobody had used it. This one was in the \
                 second answer, and nowhere else."
            }
        };
        let revoke = Command::revoke(&of.key, "issued by a stranger");
        format!("{secret}\n\nIf nobody meant to have it, revoke it. That ends it at once, and for good:\n\n{revoke}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{announce::News, record::Record, sample};

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn announced(imported: bool, repeated: bool) -> Announcement {
        let mut record = Record { scopes: vec![Scope::Read, Scope::Write], ..sample::record() };
        record.generations[0].expires_at = Some(NOW.plus(3600));
        let key = Key { about: sample::about(&record, NOW), record };
        Announcement::of(&key, "iam", NOW, News::Issued(Issued::of(&key, imported, repeated)))
    }

    #[test]
    fn the_text_says_what_the_key_may_do_and_how_to_revoke_it() {
        assert_eq!(
            announced(false, false).text(),
            r#"The API key "sample" of user:42 is new.

  Key           key_0123456789abcdefghijkl (live)
  Issued        2027-01-15T08:00:00Z, by iam
  Secret        mbk_live_Ab3C…, number 1, expires 2027-01-15T09:00:00Z
  Scopes        read, write

Its secret was in the answer to whoever issued it, and nowhere else.

If nobody meant to have it, revoke it. That ends it at once, and for good:

  curl -X POST "$url/v1/keys/key_0123456789abcdefghijkl/revoke" -H "X-API-Key: $ADMIN" -d '{"reason":"issued by a stranger"}'
  mbk revoke key_0123456789abcdefghijkl --reason 'issued by a stranger'

One of the two is enough: curl, where $url is the address of the API and $ADMIN an admin key, or mbk, which knows both.
Who has no admin key asks whoever issues the keys.
"#
        );
    }

    #[test]
    fn an_imported_key_and_a_repeated_request_are_told_apart() {
        let imported = announced(true, false);
        assert!(imported.subject().starts_with("API key imported: ") && imported.text().contains("  Imported      2027"));
        assert_eq!(imported.document()["imported"], json!(true));
        let repeated = announced(false, true);
        assert!(repeated.text().contains("The request was sent again"));
        assert_eq!((&repeated.document()["repeated"], &repeated.document()["scopes"]), (&json!(true), &json!(["read", "write"])));
    }
}
