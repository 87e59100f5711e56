//! Owners, as `user:ann`.

use std::{fmt, str::FromStr};

use serde_json::{Value, json};

use super::Misspelled;

/// The most characters that an owner's id may have.
const LONGEST: usize = 64;

/// Whom a key belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    /// `user` or `service`.
    pub(crate) kind: &'static str,
    /// The id by which the API's operator knows it.
    pub(crate) id: String,
}

impl Owner {
    /// As the API has it.
    pub(crate) fn json(&self) -> Value {
        json!({ "type": self.kind, "id": self.id })
    }
}

impl FromStr for Owner {
    type Err = Misspelled;

    fn from_str(text: &str) -> Result<Self, Misspelled> {
        let misspelled = Misspelled("must be user:ID or service:ID, such as user:ann, with 1 to 64 visible ASCII characters");
        let (kind, id) = text.split_once(':').ok_or(Misspelled("must be user:ID or service:ID, such as user:ann"))?;
        let kind = ["user", "service"].into_iter().find(|known| *known == kind);
        let valid = (1..=LONGEST).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic());
        kind.filter(|_| valid).map(|kind| Self { kind, id: id.to_owned() }).ok_or(misspelled)
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind, self.id)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn owners_are_written_as_they_are_read(kind in "user|service", id in "[!-~]{1,64}") {
            let text = format!("{kind}:{id}");
            let owner: Owner = text.parse().unwrap();
            prop_assert_eq!((owner.kind, owner.id.as_str(), owner.to_string()), (kind.as_str(), id.as_str(), text));
        }

        #[test]
        fn no_text_breaks_the_parser(text in "\\PC*") {
            let _ = text.parse::<Owner>();
        }
    }

    #[test]
    fn what_is_no_owner_is_refused() {
        for bad in ["", "ann", "user:", "team:1", "user:a b", "user:é", &format!("user:{}", "a".repeat(65))] {
            assert!(bad.parse::<Owner>().is_err(), "{bad}");
        }
    }
}
