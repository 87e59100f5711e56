//! The query of a request, read parameter by parameter; each that is unknown or wrong has its own error.

use lambda_http::{Request, RequestExt};

use crate::{
    cursor,
    error::{Code, Rejection},
};

/// The parameter that carries a key: the authorizer's, whatever the route.
const KEY: &str = "api_key";

/// How many entries a page of a list has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageSize {
    /// The most that a caller may ask for.
    pub most: u8,
    /// How many, unless the caller says so.
    pub default: u8,
}

/// The parameters of a request.
#[derive(Debug)]
pub struct Parameters<'a>(&'a Request);

impl<'a> Parameters<'a> {
    /// Those of `request`, which may have `known` ones and no others.
    ///
    /// # Errors
    /// `unknown_field` that says which there are.
    pub fn read(request: &'a Request, known: &[&str]) -> Result<Self, Rejection> {
        let query = request.query_string_parameters_ref();
        let unknown =
            query.and_then(|query| query.iter().map(|(name, _)| name).find(|name| !known.contains(name) && *name != KEY));
        let Some(unknown) = unknown else { return Ok(Self(request)) };
        // Somebody else's text goes back to them cut short.
        let field = unknown.chars().take(64).collect::<String>();
        let detail = match known {
            [] => "is not a parameter; none is allowed here".to_owned(),
            known => format!("is not a parameter; allowed are {}", known.join(", ")),
        };
        Err(Rejection { code: Code::UnknownField, ..Rejection::field(field, detail) })
    }

    /// The parameter of that name, if it was sent.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&'a str> {
        self.0.query_string_parameters_ref().and_then(|query| query.first(name))
    }

    /// `limit`: how many entries a page may have, from 1 to the most of `size`.
    ///
    /// # Errors
    /// `invalid_field`.
    pub fn limit(&self, size: PageSize) -> Result<u8, Rejection> {
        let PageSize { most, default } = size;
        self.get("limit").map_or(Ok(default), |text| {
            let limit = text.parse().ok().filter(|limit| (1..=most).contains(limit));
            limit.ok_or_else(|| Rejection::field("limit", format!("must be a whole number from 1 to {most}")))
        })
    }

    /// `cursor`: where to go on in the list of that name, if it was sent.
    ///
    /// # Errors
    /// `invalid_cursor`.
    pub fn cursor<T>(&self, list: &str, read: impl FnOnce(&str) -> Option<T>) -> Result<Option<T>, Rejection> {
        self.get("cursor").map(|cursor| cursor::open(list, cursor, read)).transpose()
    }
}
