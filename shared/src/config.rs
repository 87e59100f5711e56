//! Configuration from environment variables, read once at start; an error names the variable and says what it takes.

use std::{fmt::Display, str::FromStr};

use http::HeaderValue;

use crate::{
    imported::ImportPrefixes,
    key::{HIGHEST_COST, Prefix},
    store::Tables,
    time::DAY,
};

/// Where variables come from: the process's environment, or a map in tests and locally.
pub type Lookup<'a> = &'a (dyn Fn(&str) -> Option<String> + Send + Sync);

/// A variable that is missing or wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("environment variable {name} {problem}")]
pub struct ConfigError {
    name: &'static str,
    problem: String,
}

/// The process's environment.
#[must_use]
pub fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// A text that must be there.
///
/// # Errors
/// [`ConfigError`] if it isn't, or is empty.
pub fn required(lookup: Lookup<'_>, name: &'static str) -> Result<String, ConfigError> {
    lookup(name).filter(|value| !value.is_empty()).ok_or_else(|| ConfigError { name, problem: "is not set".to_owned() })
}

/// A value from `least` to `most`.
///
/// # Errors
/// [`ConfigError`] if it is missing, or anything else.
pub fn ranged<T>(lookup: Lookup<'_>, name: &'static str, least: T, most: T) -> Result<T, ConfigError>
where
    T: FromStr + PartialOrd + Display,
{
    let value = required(lookup, name)?.parse().ok().filter(|value| *value >= least && *value <= most);
    value.ok_or_else(|| ConfigError { name, problem: format!("must be a whole number from {least} to {most}") })
}

/// `true` or `false`.
///
/// # Errors
/// [`ConfigError`] if it is missing, or anything else.
pub fn flag(lookup: Lookup<'_>, name: &'static str) -> Result<bool, ConfigError> {
    required(lookup, name)?.parse().map_err(|_| ConfigError { name, problem: "must be true or false".to_owned() })
}

/// A number of days, as seconds.
///
/// # Errors
/// [`ConfigError`] if it is missing, or not from 1 to 3650 days.
pub fn days(lookup: Lookup<'_>, name: &'static str) -> Result<u64, ConfigError> {
    Ok(ranged(lookup, name, 1, 3650)? * DAY)
}

/// One of a few names, as what it stands for.
///
/// # Errors
/// [`ConfigError`] if it is missing, or anything else.
pub fn choice<T: Copy>(lookup: Lookup<'_>, name: &'static str, choices: &[(&str, T)]) -> Result<T, ConfigError> {
    let value = required(lookup, name)?;
    let chosen = choices.iter().find(|(choice, _)| *choice == value).map(|(_, stands_for)| *stands_for);
    let names = || choices.iter().map(|(choice, _)| *choice).collect::<Vec<_>>().join(" or ");
    chosen.ok_or_else(|| ConfigError { name, problem: format!("must be {}", names()) })
}

/// `KEY_PREFIX`: 2 to 8 lower-case letters.
///
/// # Errors
/// [`ConfigError`] if it is missing, or anything else.
pub fn prefix(lookup: Lookup<'_>) -> Result<Prefix, ConfigError> {
    let name = "KEY_PREFIX";
    Prefix::parse(&required(lookup, name)?)
        .ok_or_else(|| ConfigError { name, problem: "must be 2 to 8 lower-case letters".to_owned() })
}

/// `KEYS_TABLE`, `USAGE_TABLE` and `AUDIT_TABLE`, for a function that uses all of them.
///
/// # Errors
/// [`ConfigError`] for the first that is missing.
pub fn tables(lookup: Lookup<'_>) -> Result<Tables, ConfigError> {
    Ok(Tables {
        keys: required(lookup, "KEYS_TABLE")?,
        usage: required(lookup, "USAGE_TABLE")?,
        audit: required(lookup, "AUDIT_TABLE")?,
    })
}

/// `IMPORT_PREFIXES`: what secrets from elsewhere begin with; empty, or not set, if none are accepted.
///
/// # Errors
/// [`ConfigError`] if it is anything else than prefixes separated by commas.
pub fn import_prefixes(lookup: Lookup<'_>) -> Result<ImportPrefixes, ConfigError> {
    let name = "IMPORT_PREFIXES";
    let problem = "must be prefixes of 3 to 16 letters, digits, _ and -, separated by commas";
    ImportPrefixes::parse(&lookup(name).unwrap_or_default()).ok_or_else(|| ConfigError { name, problem: problem.to_owned() })
}

/// `AWS_LAMBDA_FUNCTION_NAME`, which Lambda sets itself.
///
/// # Errors
/// [`ConfigError`] if it is missing.
pub fn function_name(lookup: Lookup<'_>) -> Result<String, ConfigError> {
    required(lookup, "AWS_LAMBDA_FUNCTION_NAME")
}

/// What every function that answers over HTTP is told.
#[derive(Clone, Debug)]
pub struct HttpConfig {
    /// `AWS_LAMBDA_FUNCTION_NAME`.
    pub function: String,
    /// `CORS_ORIGIN`: whose pages may read the answers, as `Access-Control-Allow-Origin` takes it.
    pub cors_origin: HeaderValue,
    /// `IMPORT_PREFIXES`: what else secrets look like, which no line may show.
    pub imported: ImportPrefixes,
}

impl HttpConfig {
    /// Reads it.
    ///
    /// # Errors
    /// [`ConfigError`] that names the first variable that is missing or wrong.
    pub fn read(lookup: Lookup<'_>) -> Result<Self, ConfigError> {
        let name = "CORS_ORIGIN";
        let problem = || ConfigError { name, problem: "must be an origin, as in https://example.com, or *".to_owned() };
        let text = required(lookup, name)?;
        let cors_origin = Some(&text).filter(|text| is_origin(text)).and_then(|text| HeaderValue::from_str(text).ok());
        let cors_origin = cors_origin.ok_or_else(problem)?;
        Ok(Self { function: function_name(lookup)?, cors_origin, imported: import_prefixes(lookup)? })
    }
}

/// `*`, or scheme, host and perhaps port: with anything after that, no browser would accept an answer, and none would say why.
fn is_origin(text: &str) -> bool {
    let host = |rest: &str| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:".contains(&byte));
    text == "*" || text.split_once("://").is_some_and(|(scheme, rest)| !scheme.is_empty() && host(rest))
}

/// What every function that changes keys is told.
#[derive(Clone, Debug)]
pub struct ChangeConfig {
    /// `KEYS_TABLE` and `AUDIT_TABLE`.
    pub tables: Tables,
    /// `RETENTION_DAYS`: how long an ended key's items stay, in seconds.
    pub retention_seconds: u64,
    /// `AUDIT_RETENTION_DAYS`: how long audit records stay, in seconds.
    pub audit_retention_seconds: u64,
}

impl ChangeConfig {
    /// Reads it.
    ///
    /// # Errors
    /// [`ConfigError`] that names the first variable that is missing or wrong.
    pub fn read(lookup: Lookup<'_>) -> Result<Self, ConfigError> {
        let tables =
            Tables { keys: required(lookup, "KEYS_TABLE")?, audit: required(lookup, "AUDIT_TABLE")?, ..Tables::default() };
        Ok(Self {
            tables,
            retention_seconds: days(lookup, "RETENTION_DAYS")?,
            audit_retention_seconds: days(lookup, "AUDIT_RETENTION_DAYS")?,
        })
    }
}

/// What every function that makes secrets is told.
#[derive(Clone, Debug)]
pub struct SecretConfig {
    /// `PEPPER_SECRET`: the Secrets Manager secret that holds the peppers.
    pub pepper_secret: String,
    /// `KEY_PREFIX`.
    pub prefix: Prefix,
    /// `IMPORT_PREFIXES`.
    pub imported: ImportPrefixes,
    /// `BCRYPT_COST`: 4 to [`HIGHEST_COST`].
    pub bcrypt_cost: u32,
}

impl SecretConfig {
    /// Reads it.
    ///
    /// # Errors
    /// [`ConfigError`] that names the first variable that is missing or wrong.
    pub fn read(lookup: Lookup<'_>) -> Result<Self, ConfigError> {
        Ok(Self {
            pepper_secret: required(lookup, "PEPPER_SECRET")?,
            prefix: prefix(lookup)?,
            imported: import_prefixes(lookup)?,
            bcrypt_cost: ranged(lookup, "BCRYPT_COST", 4, HIGHEST_COST)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_name_the_variable_and_what_it_takes() {
        let cost = |value: &'static str| {
            ranged(&move |_| Some(value.to_owned()), "BCRYPT_COST", 4, 15).map_err(|error: ConfigError| error.to_string())
        };
        assert_eq!(cost("10"), Ok(10));
        for bad in ["3", "16", "ten", "-4", "4.5"] {
            assert_eq!(
                cost(bad),
                Err("environment variable BCRYPT_COST must be a whole number from 4 to 15".to_owned()),
                "{bad}"
            );
        }
        assert_eq!(required(&|_| None, "KEYS_TABLE").unwrap_err().to_string(), "environment variable KEYS_TABLE is not set");
        assert!(prefix(&|_| Some("MBK".to_owned())).is_err());
        for (origin, valid) in [
            ("*", true),
            ("https://app.example.com", true),
            ("http://localhost:5173", true),
            ("https://app.example.com/", false),
            ("https://a.com,https://b.com", false),
            ("app.example.com", false),
            ("https://a.com\r\nX: y", false),
        ] {
            let lookup = |name: &str| (name != "IMPORT_PREFIXES").then(|| origin.to_owned());
            assert_eq!(HttpConfig::read(&lookup).is_ok(), valid, "{origin}");
        }
        assert!(flag(&|_| Some("yes".to_owned()), "ALLOW_QUERY_KEY").is_err());
    }
}
