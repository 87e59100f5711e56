//! Plans: named sets of scopes and limits that keys are issued with. A key has its own copy of what its plan was then: changing
//! a plan changes no key.

use std::fmt;

use uuid::Uuid;

use crate::{
    error::Rejection,
    input::{self, Fields},
    limit::Limit,
    scope::Scope,
    time::Timestamp,
};

/// The most characters of a plan's name.
pub const LONGEST_NAME: usize = 64;

/// The name of a plan: 1 to 64 lower-case letters, digits and hyphens, of which the first is no hyphen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanName(String);

impl PlanName {
    /// The name that `text` is.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let valid = (1..=LONGEST_NAME).contains(&text.len()) && text.bytes().all(letter) && !text.starts_with('-');
        valid.then(|| Self(text.to_owned()))
    }

    /// The name that the text of the field or parameter at `path` is.
    ///
    /// # Errors
    /// `invalid_field`.
    pub fn read(path: &str, text: Option<&str>) -> Result<Self, Rejection> {
        let problem = "must be 1 to 64 lower-case letters, digits and hyphens, and begin with no hyphen";
        text.and_then(Self::parse).ok_or_else(|| Rejection::field(path, problem))
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PlanName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a plan gives to the keys that are issued with it.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// What they may do.
    pub scopes: Vec<Scope>,
    /// How often they may be used.
    pub limits: Vec<Limit>,
    /// After how many days each of their secrets is due for rotation; none: never.
    pub rotate_every_days: Option<u32>,
    /// When it was last put, and by whom.
    pub put: (Timestamp, String),
    /// The id of the change that put it. None if it was stored before that was written down, or isn't stored yet.
    pub change: Option<Uuid>,
}

impl Plan {
    /// The plan of a body that `by` puts at `now`.
    ///
    /// # Errors
    /// `invalid_field`, `unknown_field`.
    pub fn read(mut fields: Fields, now: Timestamp, by: &str) -> Result<Self, Rejection> {
        let plan = Self {
            scopes: fields.required("scopes", input::scopes)?,
            limits: fields.optional("limits", input::limits)?.unwrap_or_default(),
            rotate_every_days: fields.nullable("rotate_every_days", input::rotate_every_days)?.flatten(),
            put: (now, by.to_owned()),
            change: None,
        };
        fields.finish()?;
        Ok(plan)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_lower_case_and_never_look_like_options() {
        for good in ["a", "basic-2027", "0", &"x".repeat(64)] {
            assert_eq!(PlanName::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", "-a", "Basic", "a b", "a/b", "\u{e9}", &"x".repeat(65)] {
            assert_eq!(PlanName::parse(bad), None, "{bad}");
        }
    }
}
