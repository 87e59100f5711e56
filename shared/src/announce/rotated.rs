//! A key has a new secret.

use std::borrow::Cow;

use serde_json::{Value, json};

use super::{Announcement, Told, command::Command, hint, text::shown};
use crate::{
    change::Key,
    record::{Generation, Record},
    store::commit::Commit,
    time::Timestamp,
};

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

impl Rotated {
    /// The rotation that `key` has just been through; it has `ended` other secrets.
    #[must_use]
    pub fn of(key: &Key, ended: Vec<String>, repeated: bool) -> Self {
        let Key { record, .. } = key;
        let newest = record.newest();
        let old = record.generations.iter().find(|generation| generation.number != newest).map(|generation| OldSecret {
            hint: hint(key, generation),
            generation: generation.number,
            ends_at: generation.ends_at(),
            until_first_use: generation.until_first_use,
        });
        let expires_at = record.generation(newest).and_then(Generation::ends_at);
        Self { generation: newest, expires_at, old, ended, repeated }
    }
}

impl Told for Rotated {
    fn event(&self) -> &'static str {
        "key.rotated"
    }

    fn occasion(&self) -> String {
        self.generation.to_string()
    }

    fn verb(&self) -> Cow<'static, str> {
        "rotated".into()
    }

    fn fields(&self) -> Vec<(&'static str, Value)> {
        let Self { generation, expires_at, old, ended, repeated } = self;
        let old = old.as_ref().map(|OldSecret { hint, generation, ends_at, until_first_use }| {
            json!({ "hint": hint, "generation": generation, "ends_at": ends_at, "until_first_use": until_first_use })
        });
        vec![
            ("generation", json!(generation)),
            ("expires_at", json!(expires_at)),
            ("old_secret", json!(old)),
            ("ended", json!(ended)),
            ("repeated", json!(repeated)),
        ]
    }

    fn headline(&self) -> Cow<'static, str> {
        "has a new secret".into()
    }

    fn rows(&self, of: &Announcement) -> Vec<(&'static str, String)> {
        let mut rows = vec![("Rotated", of.when_and_who()), ("New secret", of.newest(self.generation, self.expires_at))];
        if let Some(old) = &self.old {
            let value = format!("{}, number {}, {}", shown(old.hint.as_deref()), old.generation, ends(old, of.at));
            rows.push(("Old secret", value));
        }
        if !self.ended.is_empty() {
            rows.push(("Ended at once", self.ended.join(", ")));
        }
        rows
    }

    fn to_do(&self, of: &Announcement) -> String {
        let repeated = if self.repeated {
            "The request was sent again: its secret before this one has ended, and nobody had used it.\n\n"
        } else {
            ""
        };
        format!(
            "{repeated}{}\nThe new secret was in the answer to the rotation and nowhere else. Who hasn't got it asks whoever rotated \
             the key.\n\nIf nobody meant to rotate it, revoke it. That ends all of its secrets at once, and for good:\n\n{}",
            self.switch(of.at),
            Command::revoke(&of.key, "rotated by a stranger"),
        )
    }
}

impl Rotated {
    fn switch(&self, now: Timestamp) -> String {
        match &self.old {
            Some(OldSecret { ends_at: Some(end), until_first_use, .. }) if *end > now => {
                let at_once = if *until_first_use { ", and all at once: its first use ends the old one" } else { "" };
                format!("Whoever uses the key has to switch to the new secret before {end}{at_once}.")
            }
            _ => "Whoever uses the key has to switch to the new secret now: the old one is refused.".to_owned(),
        }
    }
}

fn ends(old: &OldSecret, now: Timestamp) -> String {
    let first_use = if old.until_first_use { " or the first use of the new one" } else { "" };
    match old.ends_at {
        Some(end) if end <= now => format!("ended {end}"),
        Some(end) => format!("works until {end}{first_use}"),
        None => "works on".to_owned(),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        announce::News,
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

    fn announced(rotation: &Rotation, by: &str) -> Announcement {
        let (after, ended) = rotate(&key(), rotation, NOW);
        Announcement::of(&after, by, NOW, News::Rotated(Rotated::of(&after, ended, false)))
    }

    #[test]
    fn programs_are_told_which_secret_ends_when() {
        let document = announced(&Rotation { until_first_use: true, ..rotation() }, "key_admin").document();
        let old = json!({
            "hint": "mbk_live_Ab3C…", "generation": 1, "ends_at": "2027-01-15T09:00:00Z", "until_first_use": true,
        });
        assert_eq!((&document["event"], &document["key"]["hint"]), (&json!("key.rotated"), &json!("mbk_live_2…")));
        assert_eq!((&document["generation"], &document["expires_at"], &document["old_secret"]), (&json!(2), &json!(null), &old));
        assert_eq!((&document["ended"], &document["repeated"]), (&json!([]), &json!(false)));
    }

    #[test]
    fn the_text_says_what_happened_until_when_to_switch_and_how_to_revoke() {
        assert_eq!(
            announced(&rotation(), "key_0123456789abcdefghijkl").text(),
            r#"The API key "sample" of user:42 has a new secret.

  Key           key_0123456789abcdefghijkl (live)
  Rotated       2027-01-15T08:00:00Z, by the key itself
  New secret    mbk_live_2…, number 2, doesn't expire
  Old secret    mbk_live_Ab3C…, number 1, works until 2027-01-15T09:00:00Z

Whoever uses the key has to switch to the new secret before 2027-01-15T09:00:00Z.
The new secret was in the answer to the rotation and nowhere else. Who hasn't got it asks whoever rotated the key.

If nobody meant to rotate it, revoke it. That ends all of its secrets at once, and for good:

  curl -X POST "$url/v1/keys/key_0123456789abcdefghijkl/revoke" -H "X-API-Key: $ADMIN" -d '{"reason":"rotated by a stranger"}'
  mbk revoke key_0123456789abcdefghijkl --reason 'rotated by a stranger'

One of the two is enough: curl, where $url is the address of the API and $ADMIN an admin key, or mbk, which knows both.
Who has no admin key asks whoever issues the keys.
"#
        );
    }

    #[test]
    fn an_old_secret_without_a_grace_has_ended_and_one_until_the_first_use_may_end_sooner() {
        let text = announced(&Rotation { grace_seconds: 0, ..rotation() }, "key_admin").text();
        assert!(text.contains("ended 2027-01-15T08:00:00Z") && text.contains("the old one is refused"), "{text}");
        assert!(text.contains("by key_admin\n"), "{text}");
        let text = announced(&Rotation { until_first_use: true, ..rotation() }, "key_admin").text();
        assert!(text.contains("or the first use of the new one") && text.contains("its first use ends the old one"), "{text}");
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
