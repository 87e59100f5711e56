//! Whom a key belongs to.

use std::fmt;

/// The most characters that an owner's id may have.
pub const LONGEST_ID: usize = 64;

/// The kinds of principals that own keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OwnerType {
    /// A person.
    User,
    /// A program.
    Service,
}

impl OwnerType {
    /// Both.
    pub const ALL: [Self; 2] = [Self::User, Self::Service];

    /// `user` or `service`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Service => "service",
        }
    }

    /// The type of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// An owner: a type, and the id by which the API's operator knows it. [`Display`](fmt::Display) is the stored form, `user:42`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Owner {
    /// User or service.
    pub kind: OwnerType,
    id: String,
}

impl Owner {
    /// The owner of that type and id: 1 to 64 visible ASCII characters, so that it fits into headers, contexts and logs as it is.
    #[must_use]
    pub fn new(kind: OwnerType, id: &str) -> Option<Self> {
        let valid = (1..=LONGEST_ID).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic());
        valid.then(|| Self { kind, id: id.to_owned() })
    }

    /// The owner that a stored text names.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, id) = text.split_once(':')?;
        Self::new(OwnerType::parse(kind)?, id)
    }

    /// The id without its type.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind.as_str(), self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_owners_parse_back() {
        for text in ["user:42", "service:ci:main", "user:ann@example.com"] {
            assert_eq!(Owner::parse(text).unwrap().to_string(), text);
        }
        for bad in ["", "user", "user:", "team:1", "user:a b", "user:é", &format!("user:{}", "a".repeat(65))] {
            assert_eq!(Owner::parse(bad), None, "{bad}");
        }
    }
}
