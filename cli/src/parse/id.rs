//! Ids of keys.

use std::{fmt, str::FromStr};

use super::Misspelled;

/// How many random characters an id has.
const LENGTH: usize = 22;

/// The id of a key, `key_` and 22 letters and digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct KeyId(String);

impl KeyId {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for KeyId {
    type Err = Misspelled;

    fn from_str(text: &str) -> Result<Self, Misspelled> {
        let random = text.strip_prefix("key_");
        let valid = |random: &str| random.len() == LENGTH && random.bytes().all(|byte| byte.is_ascii_alphanumeric());
        match random {
            Some(random) if valid(random) => Ok(Self(text.to_owned())),
            None if text.contains("_live_") || text.contains("_test_") => {
                Err(Misspelled("that is a secret. A key's id begins with key_; `mbk self` with MBK_KEY tells a secret's"))
            }
            _ => Err(Misspelled("must be a key's id, key_ and 22 letters and digits")),
        }
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ids_are_what_they_look_like(random in "[A-Za-z0-9]{22}") {
            let text = format!("key_{random}");
            let id: KeyId = text.parse().unwrap();
            prop_assert_eq!(id.as_str(), text);
        }

        #[test]
        fn nothing_else_is_one(text in "\\PC*") {
            let valid = text.len() == 26 && text.starts_with("key_") && text[4..].bytes().all(|byte| byte.is_ascii_alphanumeric());
            prop_assert_eq!(text.parse::<KeyId>().is_ok(), valid);
        }
    }

    #[test]
    fn a_secret_in_the_place_of_an_id_is_recognised_and_not_repeated() {
        let error = "mbk_live_0123456789abcdefghijklmnopqrstuv".parse::<KeyId>().unwrap_err().to_string();
        assert!(error.starts_with("that is a secret") && !error.contains("0123"), "{error}");
    }
}
