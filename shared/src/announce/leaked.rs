//! One of a key's secrets was found by somebody else, and has ended.

use std::borrow::Cow;

use serde_json::{Value, json};

use super::{Announcement, Told, command::Command, hint, text::shown};
use crate::{change::Key, record::Generation, time::Timestamp};

/// A secret that was reported as leaked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaked {
    /// What may be shown of it.
    pub hint: Option<String>,
    /// The number of its generation.
    pub generation: u32,
    /// Where it was found, as whoever reported it says.
    pub url: Option<String>,
    /// What kind of place that is, as whoever reported it says.
    pub source: Option<String>,
    /// The key's other secret, if it has one that works on.
    pub other: Option<OtherSecret>,
}

/// A secret that works on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherSecret {
    /// What may be shown of it.
    pub hint: Option<String>,
    /// The number of its generation.
    pub generation: u32,
    /// Until when; none: for ever.
    pub ends_at: Option<Timestamp>,
}

impl Leaked {
    /// That the secret of `number` of `key`, as which it is given, was ended at `now`.
    #[must_use]
    pub fn of(key: &Key, number: u32, now: Timestamp, url: Option<String>, source: Option<String>) -> Self {
        let Key { record, .. } = key;
        let newest_used = record.was_used(record.newest());
        let works = |generation: &&Generation| {
            let yielded = generation.until_first_use && generation.number != record.newest() && newest_used;
            generation.number != number && generation.is_live(now) && !yielded
        };
        let other = record.generations.iter().find(works).map(|generation| OtherSecret {
            hint: hint(key, generation),
            generation: generation.number,
            ends_at: generation.ends_at(),
        });
        let hint = record.generation(number).and_then(|generation| hint(key, generation));
        Self { hint, generation: number, url, source, other }
    }
}

impl Told for Leaked {
    fn event(&self) -> &'static str {
        "key.leaked"
    }

    fn occasion(&self) -> String {
        self.generation.to_string()
    }

    fn verb(&self) -> Cow<'static, str> {
        "leaked".into()
    }

    fn fields(&self) -> Vec<(&'static str, Value)> {
        let other = self.other.as_ref().map(
            |OtherSecret { hint, generation, ends_at }| json!({ "hint": hint, "generation": generation, "ends_at": ends_at }),
        );
        vec![
            ("leaked_secret", json!({ "hint": self.hint, "generation": self.generation })),
            ("found", json!({ "url": self.url, "source": self.source })),
            ("other_secret", json!(other)),
        ]
    }

    fn headline(&self) -> Cow<'static, str> {
        "has lost a secret: somebody else has found it, and it was ended".into()
    }

    fn rows(&self, of: &Announcement) -> Vec<(&'static str, String)> {
        let mut rows = vec![
            ("Ended", of.at.to_string()),
            ("Leaked secret", format!("{}, number {}", shown(self.hint.as_deref()), self.generation)),
        ];
        if let Some(url) = &self.url {
            rows.push(("Found at", url.clone()));
        }
        if let Some(source) = &self.source {
            rows.push(("Found in", source.clone()));
        }
        if let Some(OtherSecret { hint, generation, ends_at }) = &self.other {
            let until = ends_at.map_or_else(String::new, |end| format!(" until {end}"));
            rows.push(("Other secret", format!("{}, number {generation}, works on{until}", shown(hint.as_deref()))));
        }
        rows
    }

    fn to_do(&self, of: &Announcement) -> String {
        let now = match self.other {
            Some(_) => "Whoever used the leaked secret is refused, and has to take the other one.",
            None => "The key has no other secret that works: whoever uses it is refused until it has a new one.",
        };
        format!(
            "{now} See what it was used for until then, and take it out of where it was found.\n\nA new secret, which only the answer \
             shows, comes by\n\n{}",
            Command::rotate(&of.key)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{announce::News, record::Record, sample};

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn announced(record: Record, number: u32) -> Announcement {
        let key = Key { about: sample::about(&record, NOW), record };
        let url = Some("https://example.com/a\nb".to_owned());
        let leaked = Leaked::of(&key, number, NOW, url, Some("commit".to_owned()));
        Announcement::of(&key, "leak report", NOW, News::Leaked(leaked))
    }

    #[test]
    fn the_text_says_where_it_was_found_and_how_to_get_a_new_one() {
        let text = announced(sample::record(), 1).text();
        for part in [
            "  Leaked secret mbk_live_Ab3C…, number 1\n",
            "  Found at      https://example.com/a\u{fffd}b\n",
            "  Found in      commit\n",
            "The key has no other secret that works",
            "\n  mbk rotate key_0123456789abcdefghijkl\n",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }

    #[test]
    fn a_secret_that_works_on_is_named_and_one_that_yielded_is_none() {
        let mut record = sample::record();
        let second = Generation { number: 2, tag: "tag2".to_owned(), ..record.generations[0].clone() };
        record.generations[0].grace_ends_at = Some(NOW.plus(60));
        record.generations.push(second);
        let document = announced(record.clone(), 1).document();
        assert_eq!(document["other_secret"], json!({ "hint": null, "generation": 2, "ends_at": null }));
        let document = announced(record.clone(), 2).document();
        assert_eq!(
            (&document["other_secret"], &document["leaked_secret"]["generation"]),
            (&json!({ "hint": "mbk_live_Ab3C…", "generation": 1, "ends_at": "2027-01-15T08:01:00Z" }), &json!(2))
        );
        record.generations[0].until_first_use = true;
        record.counters.generations.insert(2, 1);
        assert_eq!(announced(record, 2).document()["other_secret"], json!(null));
    }
}
