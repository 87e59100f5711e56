//! An announcement for people, as a mail: a subject that SNS takes, and a text that says what to do.

use std::fmt::Write;

use super::{Announcement, News, OldSecret, Rotated};
use crate::time::Timestamp;

/// SNS takes fewer than a hundred characters, all of them ASCII here, so that no mail program has to decode them.
const LONGEST_SUBJECT: usize = 99;

impl Announcement {
    /// The subject: what happened to which key, and as much of its name as there is room for.
    #[must_use]
    pub fn subject(&self) -> String {
        let News::Rotated(_) = &self.news;
        let begin = format!("API key rotated: {} (", self.key);
        let room = LONGEST_SUBJECT.saturating_sub(begin.len() + 1);
        let name = self.name.chars().map(|letter| if letter == ' ' || letter.is_ascii_graphic() { letter } else { '?' });
        format!("{begin}{})", name.take(room).collect::<String>())
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> String {
        let News::Rotated(rotated) = &self.news;
        let mut text = format!("The API key \"{}\" of {} has a new secret.\n\n", printable(&self.name), self.owner);
        let by = if self.by == self.key.to_string() { "the key itself" } else { self.by.as_str() };
        let shown = |hint: &Option<String>| hint.clone().unwrap_or_else(|| "unknown".to_owned());
        let new = format!("{}, number {}, {}", shown(&self.hint), rotated.generation, lives(rotated.expires_at));
        let mut rows = vec![
            ("Key", format!("{} ({})", self.key, self.environment.as_str())),
            ("Rotated", format!("{}, by {}", self.at, printable(by))),
            ("New secret", new),
        ];
        if let Some(old) = &rotated.old {
            rows.push(("Old secret", format!("{}, number {}, {}", shown(&old.hint), old.generation, ends(old, self.at))));
        }
        if !rotated.ended.is_empty() {
            rows.push(("Ended at once", rotated.ended.join(", ")));
        }
        for (name, value) in rows {
            // Writing to a String never fails.
            let _ = writeln!(text, "  {name:<14}{value}");
        }
        if rotated.repeated {
            text.push_str("\nThe request was sent again: its secret before this one has ended, and nobody had used it.\n");
        }
        let _ = write!(
            text,
            r#"
{}
The new secret was in the answer to the rotation and nowhere else. Who hasn't got it asks whoever rotated the key.

If nobody meant to rotate it, revoke it. That ends all of its secrets at once, and for good:

  curl -X POST "$url/v1/keys/{}/revoke" -H "X-API-Key: $ADMIN" -d '{{"reason": "rotated by a stranger"}}'

$url is the address of the API, and $ADMIN an admin key. Who has none asks whoever issues the keys.
"#,
            to_do(rotated, self.at),
            self.key
        );
        text
    }
}

fn lives(expires_at: Option<Timestamp>) -> String {
    expires_at.map_or_else(|| "doesn't expire".to_owned(), |at| format!("expires {at}"))
}

fn ends(old: &OldSecret, now: Timestamp) -> String {
    let first_use = if old.until_first_use { " or the first use of the new one" } else { "" };
    match old.ends_at {
        Some(end) if end <= now => format!("ended {end}"),
        Some(end) => format!("works until {end}{first_use}"),
        None => "works on".to_owned(),
    }
}

fn to_do(rotated: &Rotated, now: Timestamp) -> String {
    match &rotated.old {
        Some(OldSecret { ends_at: Some(end), until_first_use, .. }) if *end > now => {
            let at_once = if *until_first_use { ", and all at once: its first use ends the old one" } else { "" };
            format!("Whoever uses the key has to switch to the new secret before {end}{at_once}.")
        }
        _ => "Whoever uses the key has to switch to the new secret now: the old one is refused.".to_owned(),
    }
}

/// Without what could begin a new line, or turn the direction of writing.
fn printable(text: &str) -> String {
    let strange = |letter: char| letter.is_control() || matches!(letter, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().map(|letter| if strange(letter) { '\u{fffd}' } else { letter }).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{id::KeyId, key::Environment, owner::Owner};

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn announcement(name: &str, by: &str, old: OldSecret) -> Announcement {
        Announcement {
            at: NOW,
            by: by.to_owned(),
            key: KeyId::parse("key_0123456789abcdefghijkl").unwrap(),
            name: name.to_owned(),
            owner: Owner::parse("user:ann").unwrap(),
            environment: Environment::Live,
            hint: Some("mbk_live_Ne3w…".to_owned()),
            news: News::Rotated(Rotated { generation: 2, expires_at: None, old: Some(old), ended: Vec::new(), repeated: false }),
        }
    }

    fn old(seconds: u64) -> OldSecret {
        let ends_at = Some(NOW.plus(seconds));
        OldSecret { hint: Some("mbk_live_O1ld…".to_owned()), generation: 1, ends_at, until_first_use: false }
    }

    #[test]
    fn the_text_says_what_happened_until_when_to_switch_and_how_to_revoke() {
        assert_eq!(
            announcement("Büro", "key_0123456789abcdefghijkl", old(3600)).text(),
            r#"The API key "Büro" of user:ann has a new secret.

  Key           key_0123456789abcdefghijkl (live)
  Rotated       2027-01-15T08:00:00Z, by the key itself
  New secret    mbk_live_Ne3w…, number 2, doesn't expire
  Old secret    mbk_live_O1ld…, number 1, works until 2027-01-15T09:00:00Z

Whoever uses the key has to switch to the new secret before 2027-01-15T09:00:00Z.
The new secret was in the answer to the rotation and nowhere else. Who hasn't got it asks whoever rotated the key.

If nobody meant to rotate it, revoke it. That ends all of its secrets at once, and for good:

  curl -X POST "$url/v1/keys/key_0123456789abcdefghijkl/revoke" -H "X-API-Key: $ADMIN" -d '{"reason": "rotated by a stranger"}'

$url is the address of the API, and $ADMIN an admin key. Who has none asks whoever issues the keys.
"#
        );
    }

    #[test]
    fn an_old_secret_without_a_grace_has_ended_and_one_until_the_first_use_may_end_sooner() {
        let text = announcement("n", "key_admin", old(0)).text();
        assert!(text.contains("ended 2027-01-15T08:00:00Z") && text.contains("the old one is refused"), "{text}");
        assert!(text.contains("by key_admin\n"), "{text}");
        let text = announcement("n", "key_admin", OldSecret { until_first_use: true, ..old(60) }).text();
        assert!(text.contains("or the first use of the new one") && text.contains("its first use ends the old one"), "{text}");
    }

    proptest! {
        #[test]
        fn whatever_a_key_is_called_sns_takes_the_subject_and_the_text_keeps_its_lines(name in any::<String>()) {
            let announcement = announcement(&name, "key_admin", old(60));
            let subject = announcement.subject();
            let begin = "API key rotated: key_0123456789abcdefghijkl (";
            prop_assert!(subject.len() < 100 && subject.starts_with(begin), "{}", subject);
            prop_assert!(subject.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()), "{}", subject);
            let text = announcement.text();
            let plain = self::announcement("n", "key_admin", old(60)).text();
            prop_assert_eq!(text.lines().count(), plain.lines().count());
            prop_assert!(text.chars().all(|letter| letter == '\n' || !letter.is_control()));
        }
    }
}
