//! What a request presents as its key: in the header `X-API-Key`, or in the query parameter `api_key`.

use crate::error::{Code, Rejection};

/// The header that carries a key, in lower case.
pub const HEADER: &str = "x-api-key";

/// The query parameter that may.
pub const PARAMETER: &str = "api_key";

/// What all those places of a request hold. Not printable outside of tests: it may be a whole secret.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub enum Presented<'a> {
    /// No key.
    None,
    /// One key, perhaps several times.
    One(&'a str),
    /// Two different keys: whichever were taken, it could be the one that the caller did not mean.
    Conflicting,
}

impl<'a> Presented<'a> {
    /// Of all the values that were found.
    pub fn of(values: impl IntoIterator<Item = &'a str>) -> Self {
        let mut values = values.into_iter();
        match values.next() {
            None => Self::None,
            Some(first) if values.all(|other| other == first) => Self::One(first),
            Some(_) => Self::Conflicting,
        }
    }
}

/// Why what was presented can't be any key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoKey {
    /// Nothing was.
    Missing,
    /// Two different texts were.
    Conflicting,
    /// It has not the form of a key.
    Malformed,
}

impl NoKey {
    /// What the caller is told.
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::Missing => Code::MissingKey,
            Self::Conflicting => Code::ConflictingKeys,
            Self::Malformed => Code::MalformedKey,
        }
    }

    /// The same with a sentence.
    #[must_use]
    pub fn rejection(self) -> Rejection {
        let detail = match self {
            Self::Missing => "No key was sent. Send one in the header X-API-Key.",
            Self::Conflicting => "Two different keys were sent. Send one, in the header X-API-Key.",
            Self::Malformed => "What was sent does not have the form of a key. Check that it was copied whole.",
        };
        Rejection::new(self.code(), detail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_different_keys_are_none() {
        assert_eq!(Presented::of([]), Presented::None);
        assert_eq!(Presented::of(["k"]), Presented::One("k"));
        assert_eq!(Presented::of(["k", "k", "k"]), Presented::One("k"));
        assert_eq!(Presented::of(["k", "k", "other"]), Presented::Conflicting);
        assert_eq!(Presented::of(["", "k"]), Presented::Conflicting);
    }
}
