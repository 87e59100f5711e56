//! What the owner of a key is told about it: one announcement for each thing that happened, for programs
//! ([`Announcement::document`]) and for people ([`Announcement::text`]). Nothing secret is in either: of secrets only hints.
//!
//! Another thing to announce is another file like [`rotated`], and another [`News`].

use serde_json::{Value, json};

use crate::{change::Key, id::KeyId, key::Environment, owner::Owner, record::Generation, time::Timestamp};

#[cfg(feature = "sns")]
mod announcer;
pub mod command;
pub mod issued;
pub mod leaked;
pub mod revoked;
pub mod rotated;
#[cfg(feature = "sns")]
pub mod sns;
mod text;
mod told;

#[cfg(feature = "sns")]
pub use announcer::{AnnounceConfig, Announcer};
pub use issued::Issued;
pub use leaked::Leaked;
pub use revoked::Revoked;
pub use rotated::Rotated;
pub use told::Told;

/// Something that happened to a key.
#[derive(Clone, Debug, PartialEq)]
pub struct Announcement {
    /// When.
    pub at: Timestamp,
    /// The principal that did it.
    pub by: String,
    /// The key's id.
    pub key: KeyId,
    /// Its name, any text.
    pub name: String,
    /// Whom it belongs to.
    pub owner: Owner,
    /// Live or test.
    pub environment: Environment,
    /// What may be shown of its newest secret.
    pub hint: Option<String>,
    /// What happened.
    pub news: News,
}

/// What can be announced.
#[derive(Clone, Debug, PartialEq)]
pub enum News {
    /// There is a new key.
    Issued(Issued),
    /// The key has a new secret.
    Rotated(Rotated),
    /// The key doesn't work any more.
    Revoked(Revoked),
    /// One of its secrets was found by somebody else, and has ended.
    Leaked(Leaked),
}

impl News {
    /// What this kind of news has to say.
    #[must_use]
    pub fn told(&self) -> &dyn Told {
        match self {
            Self::Issued(news) => news,
            Self::Rotated(news) => news,
            Self::Revoked(news) => news,
            Self::Leaked(news) => news,
        }
    }
}

impl Announcement {
    /// That `news` of `key`, as which it is given, was made by the principal `by`.
    #[must_use]
    pub fn of(key: &Key, by: &str, at: Timestamp, news: News) -> Self {
        let Key { record, .. } = key;
        Self {
            at,
            by: by.to_owned(),
            key: record.id.clone(),
            name: record.name.clone(),
            owner: record.owner.clone(),
            environment: record.environment,
            hint: record.generation(record.newest()).and_then(|generation| hint(key, generation)),
            news,
        }
    }

    /// By what subscriptions can choose, as names and values.
    #[must_use]
    pub fn attributes(&self) -> [(&'static str, String); 3] {
        let environment = self.environment.as_str().to_owned();
        [("event", self.news.told().event().to_owned()), ("owner", self.owner.to_string()), ("environment", environment)]
    }

    /// All of it, for programs.
    #[must_use]
    pub fn document(&self) -> Value {
        let mut document = json!({
            "event": self.news.told().event(),
            "at": self.at,
            "by": self.by,
            "key": {
                "id": self.key,
                "name": self.name,
                "hint": self.hint,
                "owner": { "type": self.owner.kind.as_str(), "id": self.owner.id() },
                "environment": self.environment.as_str(),
            },
        });
        if let Some(document) = document.as_object_mut() {
            document.extend(self.news.told().fields().into_iter().map(|(name, value)| (name.to_owned(), value)));
        }
        document
    }
}

/// What may be shown of the secret of `generation`, if that is known.
fn hint(key: &Key, generation: &Generation) -> Option<String> {
    key.about.note(generation).map(|note| note.hint.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn every_announcement_says_of_which_key_whose_and_by_whom() {
        let now = Timestamp::from_secs(1_800_000_000);
        let record = sample::record();
        let key = Key { about: sample::about(&record, now), record };
        let announcement = Announcement::of(&key, "key_admin", now, News::Issued(Issued::of(&key, false, false)));
        let document = announcement.document();
        assert_eq!(
            document["key"],
            json!({
                "id": "key_0123456789abcdefghijkl", "name": "sample", "hint": "mbk_live_Ab3C…",
                "owner": { "type": "user", "id": "42" }, "environment": "live",
            })
        );
        assert_eq!((&document["event"], &document["by"]), (&json!("key.issued"), &json!("key_admin")));
        assert_eq!(document["at"], json!("2027-01-15T08:00:00Z"));
        let attributes = [("event", "key.issued"), ("owner", "user:42"), ("environment", "live")];
        assert_eq!(announcement.attributes(), attributes.map(|(name, value)| (name, value.to_owned())));
    }
}
