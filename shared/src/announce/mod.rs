//! What the owner of a key is told about it: one announcement for each thing that happened, for programs
//! ([`Announcement::document`]) and for people ([`Announcement::text`]). Nothing secret is in either: of secrets only hints.
//!
//! Another thing to announce is another [`News`].

use serde_json::{Map, Value, json};

use crate::{
    change::Key,
    id::KeyId,
    key::Environment,
    owner::Owner,
    record::{Generation, Record},
    store::commit::Commit,
    time::Timestamp,
};

#[cfg(feature = "sns")]
pub mod sns;
mod text;

/// Something that happened to a key.
#[derive(Clone, Debug, PartialEq, Eq)]
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// The key has a new secret.
    Rotated(Rotated),
}

/// What a rotation has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotated {
    /// The number of the new secret's generation. No two rotations of a key have the same.
    pub generation: u32,
    /// When the new secret expires; none: never.
    pub expires_at: Option<Timestamp>,
    /// The secret that the new one follows.
    pub old: Option<OldSecret>,
    /// What may be shown of other secrets that worked until now, and have ended with it.
    pub ended: Vec<String>,
    /// Whether the request was sent again: the secret of the answer before has ended, and nobody had used it.
    pub repeated: bool,
}

/// A secret that a rotation has replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OldSecret {
    /// What may be shown of it.
    pub hint: Option<String>,
    /// The number of its generation.
    pub generation: u32,
    /// Until when it works; none: for ever.
    pub ends_at: Option<Timestamp>,
    /// Whether the first use of the new one ends it as well.
    pub until_first_use: bool,
}

impl Announcement {
    /// That `key` has been rotated, as which it is given, by the principal `by`.
    #[must_use]
    pub fn rotated(key: &Key, by: &str, at: Timestamp, ended: Vec<String>, repeated: bool) -> Self {
        let Key { record, .. } = key;
        let newest = record.newest();
        let old = record.generations.iter().find(|generation| generation.number != newest).map(|generation| OldSecret {
            hint: hint(key, generation),
            generation: generation.number,
            ends_at: generation.ends_at(),
            until_first_use: generation.until_first_use,
        });
        let expires_at = record.generation(newest).and_then(Generation::ends_at);
        Self {
            at,
            by: by.to_owned(),
            key: record.id.clone(),
            name: record.name.clone(),
            owner: record.owner.clone(),
            environment: record.environment,
            hint: record.generation(newest).and_then(|generation| hint(key, generation)),
            news: News::Rotated(Rotated { generation: newest, expires_at, old, ended, repeated }),
        }
    }

    /// By what subscriptions can choose, as names and values.
    #[must_use]
    pub fn attributes(&self) -> [(&'static str, String); 3] {
        let environment = self.environment.as_str().to_owned();
        [("event", self.news.event().to_owned()), ("owner", self.owner.to_string()), ("environment", environment)]
    }

    /// All of it, for programs.
    #[must_use]
    pub fn document(&self) -> Value {
        let mut document = json!({
            "event": self.news.event(),
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
            document.extend(self.news.fields());
        }
        document
    }
}

impl News {
    /// Its name, which never changes its meaning.
    #[must_use]
    pub const fn event(&self) -> &'static str {
        match self {
            Self::Rotated(_) => "key.rotated",
        }
    }

    fn fields(&self) -> Map<String, Value> {
        let Self::Rotated(Rotated { generation, expires_at, old, ended, repeated }) = self;
        let old = old.as_ref().map(|OldSecret { hint, generation, ends_at, until_first_use }| {
            json!({ "hint": hint, "generation": generation, "ends_at": ends_at, "until_first_use": until_first_use })
        });
        let fields = [
            ("generation", json!(generation)),
            ("expires_at", json!(expires_at)),
            ("old_secret", json!(old)),
            ("ended", json!(ended)),
            ("repeated", json!(repeated)),
        ];
        fields.map(|(name, value)| (name.to_owned(), value)).into_iter().collect()
    }
}

/// What may be shown of the secrets that work at `now` and won't once `commit`, which was planned on `key`, is in force.
#[must_use]
pub fn ended_at_once(key: &Key, commit: &Commit, now: Timestamp) -> Vec<String> {
    let works = |record: &Record, generation: &Generation| {
        let newest = record.newest();
        let yielded = generation.until_first_use && generation.number != newest && record.was_used(newest);
        generation.is_live(now) && !yielded
    };
    let dropped = key.record.generations.iter().filter(|generation| commit.dropped.contains(&generation.number));
    dropped.filter(|generation| works(&key.record, generation)).filter_map(|generation| hint(key, generation)).collect()
}

fn hint(key: &Key, generation: &Generation) -> Option<String> {
    key.about.note(generation).map(|note| note.hint.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        rotation::{self, Rotation},
        sample,
    };

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn key() -> Key {
        let record = sample::record();
        Key { about: sample::about(&record, NOW), record }
    }

    /// The key after it, with a note for the new secret.
    fn rotate(key: &Key, rotation: &Rotation, now: Timestamp) -> (Key, Vec<String>) {
        let mut commit = rotation::plan(&key.record, rotation, now).unwrap();
        let ended = ended_at_once(key, &commit, now);
        let number = commit.record.newest();
        let tag = format!("tag{number}");
        commit.tag_newest(&tag);
        let mut about = key.about.clone();
        let note = crate::store::about::SecretNote { hint: format!("mbk_live_{number}…"), ..about.secrets["tag1"].clone() };
        about.secrets.insert(tag, note);
        (Key { record: commit.record, about }, ended)
    }

    fn rotation() -> Rotation {
        Rotation { grace_seconds: 3600, expires_at: None, until_first_use: false, force: false }
    }

    #[test]
    fn programs_are_told_which_secret_ends_when() {
        let (after, ended) = rotate(&key(), &Rotation { until_first_use: true, ..rotation() }, NOW);
        let announcement = Announcement::rotated(&after, "key_admin", NOW, ended, false);
        assert_eq!(
            announcement.document(),
            json!({
                "event": "key.rotated", "at": "2027-01-15T08:00:00Z", "by": "key_admin",
                "key": {
                    "id": "key_0123456789abcdefghijkl", "name": "sample", "hint": "mbk_live_2…",
                    "owner": { "type": "user", "id": "42" }, "environment": "live",
                },
                "generation": 2, "expires_at": null,
                "old_secret": {
                    "hint": "mbk_live_Ab3C…", "generation": 1, "ends_at": "2027-01-15T09:00:00Z", "until_first_use": true,
                },
                "ended": [], "repeated": false,
            })
        );
        let attributes = [("event", "key.rotated"), ("owner", "user:42"), ("environment", "live")];
        assert_eq!(announcement.attributes(), attributes.map(|(name, value)| (name, value.to_owned())));
    }

    #[test]
    fn a_secret_that_a_rotation_ends_at_once_is_named_if_it_worked() {
        let (second, ended) = rotate(&key(), &rotation(), NOW);
        assert_eq!(ended, Vec::<String>::new(), "the old one goes on");
        let (_, ended) = rotate(&second, &rotation(), NOW);
        assert_eq!(ended, ["mbk_live_2…"], "nobody had used it");
        let mut used = second;
        used.record.counters.generations.insert(2, 1);
        let (_, ended) = rotate(&used, &Rotation { force: true, ..rotation() }, NOW);
        assert_eq!(ended, ["mbk_live_Ab3C…"], "it was forced out of its grace");
        let (_, ended) = rotate(&used, &rotation(), NOW.plus(3600));
        assert_eq!(ended, Vec::<String>::new(), "its grace was over");
        used.record.generations[0].until_first_use = true;
        let (_, ended) = rotate(&used, &rotation(), NOW);
        assert_eq!(ended, Vec::<String>::new(), "the first use of its successor had ended it");
    }
}
