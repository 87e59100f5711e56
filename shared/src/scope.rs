//! Scopes: what a key may do. Nothing is granted but what a scope names, and no scope but `admin` implies another.

use std::fmt;

use matchit::Router;

use crate::path::NormalPath;

/// The most scopes that a key may carry.
pub const MOST: usize = 20;

/// A request's method as scopes see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// GET, HEAD and OPTIONS.
    Read,
    /// POST, PUT and PATCH.
    Write,
    /// DELETE.
    Delete,
    /// Any other method: needs `admin`.
    Unknown,
}

impl Action {
    /// What `method` does, compared exactly: methods are case-sensitive (RFC 9110, section 9.1).
    #[must_use]
    pub fn of(method: &str) -> Self {
        match method {
            "GET" | "HEAD" | "OPTIONS" => Self::Read,
            "POST" | "PUT" | "PATCH" => Self::Write,
            "DELETE" => Self::Delete,
            _ => Self::Unknown,
        }
    }
}

/// One scope.
#[derive(Clone)]
pub enum Scope {
    /// `read`: GET, HEAD, OPTIONS on every path.
    Read,
    /// `write`: POST, PUT, PATCH on every path.
    Write,
    /// `delete`: DELETE on every path.
    Delete,
    /// `admin`: every method on every path, and the management API.
    Admin,
    /// `self:rotate`: a key may give itself a new secret. Nothing implies it, not even `admin`.
    SelfRotate,
    /// A custom endpoint: `GET /reports/{id}`.
    Endpoint(Endpoint),
}

/// A method, or `ANY`, and a path pattern in `matchit`'s syntax: `{name}` is one segment, `{*rest}` all that follow.
#[derive(Clone)]
pub struct Endpoint {
    text: String,
    method: Option<String>,
    pattern: Router<()>,
}

/// How a text fails to be a scope.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidScope {
    /// Neither a known name nor `METHOD /path`.
    #[error("is not a scope: use read, write, delete, admin, self:rotate, or a method and a path such as GET /reports/{{id}}")]
    Unknown,
    /// The method of an endpoint is none of the seven, nor `ANY`.
    #[error("names an unknown method: use GET, HEAD, OPTIONS, POST, PUT, PATCH, DELETE or ANY")]
    Method,
    /// The pattern is one that no path or no router could match.
    #[error("has an invalid path pattern: {0}")]
    Pattern(String),
}

impl Scope {
    /// Those that are named, and no endpoint's.
    pub const NAMED: [Self; 5] = [Self::Read, Self::Write, Self::Delete, Self::Admin, Self::SelfRotate];

    /// The scope of that name.
    ///
    /// # Errors
    /// [`InvalidScope`], whose message says what is allowed.
    pub fn parse(text: &str) -> Result<Self, InvalidScope> {
        let named = Self::NAMED.into_iter().find(|scope| scope.as_str() == text);
        named.map_or_else(|| Endpoint::parse(text).map(Self::Endpoint), Ok)
    }

    /// Its text, as [`Scope::parse`] takes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Delete => "delete",
            Self::Admin => "admin",
            Self::SelfRotate => "self:rotate",
            Self::Endpoint(endpoint) => &endpoint.text,
        }
    }

    /// Whether a route that needs the scope `needed` takes this one: that very one, or `admin`. `self:rotate` stands by itself.
    #[must_use]
    pub fn stands_for(&self, needed: &Self) -> bool {
        self == needed || (*self == Self::Admin && *needed != Self::SelfRotate)
    }

    /// Whether this scope alone allows `method` on `path`; a path without a normal form matches no endpoint.
    #[must_use]
    pub fn allows(&self, method: &str, path: Option<&NormalPath>) -> bool {
        match self {
            Self::Admin => true,
            Self::Read => Action::of(method) == Action::Read,
            Self::Write => Action::of(method) == Action::Write,
            Self::Delete => Action::of(method) == Action::Delete,
            Self::SelfRotate => false,
            Self::Endpoint(endpoint) => path.is_some_and(|path| endpoint.matches(method, path)),
        }
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl PartialEq for Scope {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Endpoint {
    fn parse(text: &str) -> Result<Self, InvalidScope> {
        let (method, path) = text.split_once(' ').ok_or(InvalidScope::Unknown)?;
        let method = match (method, Action::of(method)) {
            ("ANY", _) => None,
            (_, Action::Unknown) => return Err(InvalidScope::Method),
            (known, _) => Some(known.to_owned()),
        };
        // A pattern that isn't normal itself would never match, and its author would never learn why.
        if NormalPath::parse(&path.replace("{*", "{")).is_none_or(|normal| normal.as_str() != path.replace("{*", "{")) {
            return Err(InvalidScope::Pattern("it must begin with / and hold no empty, encoded or dot segments".to_owned()));
        }
        // Scopes reach backends as one text, joined by commas: one that holds a comma could spell another.
        if path.contains(',') {
            return Err(InvalidScope::Pattern("it must hold no comma".to_owned()));
        }
        let mut pattern = Router::new();
        pattern.insert(path, ()).map_err(|error| InvalidScope::Pattern(error.to_string()))?;
        Ok(Self { text: text.to_owned(), method, pattern })
    }

    fn matches(&self, method: &str, path: &NormalPath) -> bool {
        let method_fits = match self.method.as_deref() {
            None => Action::of(method) != Action::Unknown,
            // HEAD is GET without the content (RFC 9110, section 9.3.2).
            Some("GET") => matches!(method, "GET" | "HEAD"),
            Some(named) => named == method,
        };
        method_fits && self.pattern.at(path.as_str()).is_ok()
    }
}

/// Whether any of `scopes` allows the request. An empty list allows nothing.
#[must_use]
pub fn allow(scopes: &[Scope], method: &str, path: Option<&NormalPath>) -> bool {
    scopes.iter().any(|scope| scope.allows(method, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    const METHODS: [&str; 9] = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "PURGE", "get"];

    fn allowed(scope: &str, path: &str) -> Vec<&'static str> {
        let scope = Scope::parse(scope).unwrap();
        let path = NormalPath::parse(path);
        METHODS.into_iter().filter(|method| scope.allows(method, path.as_ref())).collect()
    }

    #[test]
    fn each_scope_allows_its_methods_and_no_others() {
        assert_eq!(allowed("read", "/x"), ["GET", "HEAD", "OPTIONS"]);
        assert_eq!(allowed("write", "/x"), ["POST", "PUT", "PATCH"]);
        assert_eq!(allowed("delete", "/x"), ["DELETE"]);
        assert_eq!(allowed("admin", "/x"), METHODS);
        assert_eq!(allowed("GET /x", "/x"), ["GET", "HEAD"]);
        assert_eq!(allowed("ANY /x", "/x"), METHODS[..7]);
        assert!(!allow(&[], "GET", NormalPath::parse("/").as_ref()), "no scopes, no access");
    }

    #[test]
    fn a_route_that_names_its_scope_takes_that_one_or_admin() {
        let stands_for = |own: &str, needed: &str| Scope::parse(own).unwrap().stands_for(&Scope::parse(needed).unwrap());
        for needed in ["read", "write", "delete", "admin", "self:rotate", "GET /reports/{id}"] {
            assert!(stands_for(needed, needed));
            assert_eq!(stands_for("admin", needed), needed != "self:rotate", "{needed}");
            assert!(!stands_for("ANY /{*all}", needed), "an endpoint's scope is no other's");
        }
        assert!(!stands_for("write", "read") && !stands_for("read", "GET /reports/{id}"));
    }

    #[test]
    fn endpoints_match_whole_normal_paths() {
        for (scope, path, fits) in [
            ("GET /reports/{id}", "/reports/7", true),
            ("GET /reports/{id}", "/reports", false),
            ("GET /reports/{id}", "/reports/7/pages", false),
            ("GET /reports/{id}", "/reports/7%2Fpages", false),
            ("GET /reports/{id}", "/reports/../admin", false),
            ("GET /reports/{id}", "/reports/7/", false),
            ("GET /webhooks/{*rest}", "/webhooks/a/b", true),
            ("GET /webhooks/{*rest}", "/webhooks", false),
            ("GET /v{n}/x", "/v2/x", true),
        ] {
            assert_eq!(!allowed(scope, path).is_empty(), fits, "{scope} on {path}");
        }
    }

    #[test]
    fn a_path_without_normal_form_is_still_read_or_written_by_the_broad_scopes_only() {
        assert!(Scope::Read.allows("GET", None));
        assert!(!Scope::parse("ANY /{*all}").unwrap().allows("GET", None));
    }

    #[test]
    fn bad_scopes_are_told_apart() {
        for text in ["", "READ", "reads", "*", "GET", "all"] {
            assert_eq!(Scope::parse(text).unwrap_err(), InvalidScope::Unknown, "{text}");
        }
        for text in ["PURGE /x", "get /x", " /x"] {
            assert_eq!(Scope::parse(text).unwrap_err(), InvalidScope::Method, "{text}");
        }
        for text in [
            "GET x",
            "GET ",
            "GET /a//b",
            "GET /a/",
            "GET /../b",
            "GET /{",
            "GET /{}",
            "GET /{*a}/b",
            "GET /%41",
            "GET /a,admin",
            "GET /a b%",
        ] {
            assert!(matches!(Scope::parse(text), Err(InvalidScope::Pattern(_))), "{text}");
        }
    }
}
