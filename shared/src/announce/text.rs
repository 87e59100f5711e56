//! An announcement for people, as a mail: a subject that SNS takes, and a text that says what to do.

use std::fmt::Write;

use super::{Announcement, command::EXPLAINED};
use crate::time::Timestamp;

/// SNS takes fewer than a hundred characters, all of them ASCII here, so that no mail program has to decode them.
const LONGEST_SUBJECT: usize = 99;

impl Announcement {
    /// The subject: what happened to which key, and as much of its name as there is room for.
    #[must_use]
    pub fn subject(&self) -> String {
        let begin = format!("API key {}: {} (", self.news.told().verb(), self.key);
        let room = LONGEST_SUBJECT.saturating_sub(begin.len() + 1);
        let name = self.name.chars().map(|letter| if letter == ' ' || letter.is_ascii_graphic() { letter } else { '?' });
        format!("{begin}{})", name.take(room).collect::<String>())
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> String {
        let news = self.news.told();
        let mut text = format!("The API key \"{}\" of {} {}.\n\n", printable(&self.name), self.owner, news.headline());
        let key = ("Key", format!("{} ({})", self.key, self.environment.as_str()));
        for (name, value) in [key].into_iter().chain(news.rows(self)) {
            // Writing to a String never fails.
            let _ = writeln!(text, "  {name:<14}{}", printable(&value));
        }
        let _ = write!(text, "\n{}\n\n{EXPLAINED}", news.to_do(self));
        text
    }

    /// When, and who did it: a row of most texts.
    pub(super) fn when_and_who(&self) -> String {
        let by = if self.by == self.key.to_string() { "the key itself" } else { self.by.as_str() };
        format!("{}, by {by}", self.at)
    }

    /// What a row shows of the key's newest secret: `mbk_live_Ab3C…, number 2, doesn't expire`.
    pub(super) fn newest(&self, generation: u32, expires_at: Option<Timestamp>) -> String {
        let lives = expires_at.map_or_else(|| "doesn't expire".to_owned(), |at| format!("expires {at}"));
        format!("{}, number {generation}, {lives}", shown(self.hint.as_deref()))
    }
}

/// What a row shows of a secret.
pub(super) fn shown(hint: Option<&str>) -> &str {
    hint.unwrap_or("unknown")
}

/// Without what is [strange](is_strange).
fn printable(text: &str) -> String {
    text.chars().map(|letter| if is_strange(letter) { '\u{fffd}' } else { letter }).collect()
}

/// Whether a letter could begin a new line, or turn the direction of writing.
pub(super) fn is_strange(letter: char) -> bool {
    letter.is_control() || matches!(letter, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        announce::{Issued, Leaked, News, Revoked, Rotated},
        change::Key,
        record::Record,
        sample,
    };

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

    /// One of each kind, of a key of that name.
    fn each(name: &str) -> Vec<Announcement> {
        let record = Record { name: name.to_owned(), ..sample::record() };
        let revoked = Record { status: sample::revoked(NOW), ..record.clone() };
        let key = Key { about: sample::about(&record, NOW), record };
        let news = [
            Some(News::Issued(Issued::of(&key, false, false))),
            Some(News::Rotated(Rotated::of(&key, Vec::new(), false))),
            Revoked::of(&Key { record: revoked, ..key.clone() }).map(News::Revoked),
            Some(News::Leaked(Leaked::of(&key, 1, NOW, Some("https://example.com/x".to_owned()), None))),
        ];
        news.into_iter().flatten().map(|news| Announcement::of(&key, "key_admin", NOW, news)).collect()
    }

    #[test]
    fn every_text_ends_with_a_command_of_curl_and_of_mbk_and_what_they_need() {
        let all = each("n");
        assert_eq!(all.len(), 4);
        for announcement in all {
            let text = announcement.text();
            let commands = text.strip_suffix(EXPLAINED).map(|text| text.lines().rev().take(3).collect::<Vec<_>>());
            let Some([nothing, mbk, curl]) = commands.as_deref() else { panic!("{text}") };
            assert!(nothing.is_empty() && mbk.contains("mbk ") && curl.starts_with("  curl -X POST \"$url/v1/keys"), "{text}");
            assert!(announcement.subject().starts_with("API key "), "{text}");
        }
    }

    #[test]
    fn each_kind_has_a_name_of_its_own() {
        let names: std::collections::BTreeSet<_> = each("n").iter().map(|one| one.news.told().event()).collect();
        assert_eq!(names.into_iter().collect::<Vec<_>>(), ["key.issued", "key.leaked", "key.revoked", "key.rotated"]);
    }

    proptest! {
        #[test]
        fn whatever_a_key_is_called_sns_takes_the_subject_and_the_text_keeps_its_lines(name in any::<String>()) {
            for (announcement, plain) in each(&name).into_iter().zip(each("n")) {
                let subject = announcement.subject();
                prop_assert!(subject.len() < 100 && subject.contains(": key_0123456789abcdefghijkl ("), "{}", subject);
                prop_assert!(subject.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()), "{}", subject);
                let text = announcement.text();
                prop_assert_eq!(text.lines().count(), plain.text().lines().count());
                prop_assert!(text.chars().all(|letter| letter == '\n' || !letter.is_control()));
            }
        }
    }
}
