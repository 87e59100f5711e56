//! Secrets that were made elsewhere, and work here as they are: told from others by prefixes that the stack is configured to accept.

/// The most prefixes.
const MOST: usize = 10;

/// The most characters after a prefix that may be shown.
const MOST_SHOWN: usize = 4;

/// How many of the `rest` characters after a secret's prefix may be shown: four, but of a short secret no more than a quarter.
#[must_use]
pub fn shown(rest: usize) -> usize {
    (rest / 4).min(MOST_SHOWN)
}

/// The prefixes of imported secrets, such as `acme_`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportPrefixes(Vec<String>);

impl ImportPrefixes {
    /// Prefixes separated by commas, each of 3 to 16 letters, digits, `_` and `-`; none of them in an empty text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self::default());
        }
        let prefixes: Vec<String> = text.split(',').map(ToOwned::to_owned).collect();
        let letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        let valid = |prefix: &String| (3..=16).contains(&prefix.len()) && prefix.bytes().all(letter);
        (prefixes.len() <= MOST && prefixes.iter().all(valid)).then_some(Self(prefixes))
    }

    /// The longest prefix that `text` begins with, if any is accepted.
    #[must_use]
    pub fn of(&self, text: &str) -> Option<&str> {
        let found = self.0.iter().filter(|prefix| text.starts_with(prefix.as_str()));
        found.max_by_key(|prefix| prefix.len()).map(String::as_str)
    }

    /// Each of them.
    pub fn each(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_short_secret_less_is_shown() {
        assert_eq!([4, 15, 16, 32, 69].map(shown), [1, 3, 4, 4, 4]);
    }

    #[test]
    fn prefixes_are_read_as_a_list_and_the_longest_counts() {
        let prefixes = ImportPrefixes::parse("acme_,acme_live_,old-").unwrap();
        assert_eq!(prefixes.of("acme_live_x"), Some("acme_live_"));
        assert_eq!(prefixes.of("acme_x"), Some("acme_"));
        assert_eq!(prefixes.of("Acme_x"), None);
        assert_eq!(ImportPrefixes::parse("").unwrap().of("acme_"), None);
        for bad in ["ab", "acme_,", "with space", "acme_, old-", "aaaaaaaaaaaaaaaaa", "\u{e9}\u{e9}\u{e9}"] {
            assert_eq!(ImportPrefixes::parse(bad), None, "{bad}");
        }
    }
}
