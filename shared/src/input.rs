//! Request bodies and parameters, read field by field, so that each way to be wrong has a message that names its field.

use std::{collections::BTreeSet, fmt::Display};

use ipnet::IpNet;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::{
    address,
    error::{Code, Rejection},
    key::Environment,
    limit::{Limit, Period},
    owner::{self, Owner, OwnerType},
    scope::{self, Scope},
    time::Timestamp,
};

/// The longest body, in bytes.
pub const LONGEST_BODY: usize = 64 * 1024;

/// The most characters of a name.
pub const LONGEST_NAME: usize = 64;

/// The most bytes of metadata, as JSON.
pub const LONGEST_METADATA: usize = 4096;

/// The most characters of a reason.
pub const LONGEST_REASON: usize = 256;

/// The longest time between two rotations, in days.
pub const MOST_ROTATE_DAYS: u64 = 3650;

/// The fields of a JSON object that haven't been read yet.
#[derive(Debug)]
pub struct Fields {
    path: String,
    values: Map<String, Value>,
    known: BTreeSet<&'static str>,
}

/// Whether a field was sent, and if so whether as `null`.
pub type Nullable<T> = Option<Option<T>>;

impl Fields {
    /// The fields of a body. An empty body is an object without fields.
    ///
    /// # Errors
    /// `body_too_large`, or `invalid_json` for anything but a JSON object.
    pub fn of_body(body: &[u8]) -> Result<Self, Rejection> {
        if body.len() > LONGEST_BODY {
            return Err(Rejection::new(Code::BodyTooLarge, "The body must have at most 65536 bytes."));
        }
        if body.is_empty() {
            return Ok(Self::new(String::new(), Map::new()));
        }
        match serde_json::from_slice(body) {
            Ok(Value::Object(values)) => Ok(Self::new(String::new(), values)),
            Ok(_) => Err(Rejection::new(Code::InvalidJson, "The body must be a JSON object.")),
            Err(error) => {
                let place = format!("The body is not JSON: see line {}, column {}.", error.line(), error.column());
                Err(Rejection::new(Code::InvalidJson, place))
            }
        }
    }

    const fn new(path: String, values: Map<String, Value>) -> Self {
        Self { path, values, known: BTreeSet::new() }
    }

    /// All that was sent and hasn't been read yet.
    #[must_use]
    pub fn sent(&self) -> Value {
        Value::Object(self.values.clone())
    }

    /// Takes a field as `read` understands it; `None` if it wasn't sent.
    ///
    /// # Errors
    /// Those of `read`.
    pub fn optional<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&str, Value) -> Result<T, Rejection>,
    ) -> Result<Option<T>, Rejection> {
        self.known.insert(name);
        let path = format!("{}{name}", self.path);
        self.values.remove(name).map(|value| read(&path, value)).transpose()
    }

    /// Takes a field that may also be `null`.
    ///
    /// # Errors
    /// Those of `read`.
    pub fn nullable<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&str, Value) -> Result<T, Rejection>,
    ) -> Result<Nullable<T>, Rejection> {
        self.optional(name, |path, value| if value.is_null() { Ok(None) } else { read(path, value).map(Some) })
    }

    /// Takes a field that must be there.
    ///
    /// # Errors
    /// Those of `read`, and one for a missing field.
    pub fn required<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&str, Value) -> Result<T, Rejection>,
    ) -> Result<T, Rejection> {
        let path = format!("{}{name}", self.path);
        self.optional(name, read)?.ok_or_else(|| Rejection::field(path, "is required"))
    }

    /// Ends reading.
    ///
    /// # Errors
    /// `unknown_field` if a field is left that nothing has asked for.
    pub fn finish(self) -> Result<(), Rejection> {
        let Some(name) = self.values.keys().next() else { return Ok(()) };
        // Somebody else's text goes back to them cut short, and JSON-escaped by the problem document.
        let field = format!("{}{}", self.path, name.chars().take(64).collect::<String>());
        let known: Vec<_> = self.known.into_iter().collect();
        let detail = if known.is_empty() {
            "no fields are allowed here".to_owned()
        } else {
            format!("is not a field; allowed are {}", known.join(", "))
        };
        Err(Rejection { code: Code::UnknownField, ..Rejection::field(field, detail) })
    }
}

/// A text of 1 to `longest` characters without control characters.
///
/// # Errors
/// `invalid_field`.
pub fn text(path: &str, value: &Value, longest: usize) -> Result<String, Rejection> {
    let valid = |text: &&str| !text.trim().is_empty() && text.chars().count() <= longest && !text.chars().any(char::is_control);
    value.as_str().filter(valid).map(ToOwned::to_owned).ok_or_else(|| {
        Rejection::field(
            path,
            format!("must be a text of 1 to {longest} characters, not only spaces, without control characters"),
        )
    })
}

/// A name.
///
/// # Errors
/// `invalid_field`.
pub fn name(path: &str, value: Value) -> Result<String, Rejection> {
    text(path, &value, LONGEST_NAME)
}

/// A secret. No error repeats it, nor how it is wrong.
///
/// # Errors
/// `invalid_field`.
pub fn secret(path: &str, value: Value) -> Result<Zeroizing<String>, Rejection> {
    match value {
        Value::String(text) => Ok(Zeroizing::new(text)),
        _ => Err(Rejection::field(path, "must be a text")),
    }
}

/// A reason.
///
/// # Errors
/// `invalid_field`.
pub fn reason(path: &str, value: Value) -> Result<String, Rejection> {
    text(path, &value, LONGEST_REASON)
}

/// `true` or `false`.
///
/// # Errors
/// `invalid_field`.
pub fn boolean(path: &str, value: Value) -> Result<bool, Rejection> {
    value.as_bool().ok_or_else(|| Rejection::field(path, "must be true or false"))
}

/// A whole number from `least` to `most`, however it is written: `5`, `5.0` and `0.5e1` are one number (RFC 8259, section 6), and
/// some languages have no other way to write it.
///
/// # Errors
/// `invalid_field`.
pub fn whole(path: &str, value: &Value, least: u64, most: u64) -> Result<u64, Rejection> {
    let number = value.as_u64().or_else(|| integral(value)).filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| Rejection::field(path, format!("must be a whole number from {least} to {most}")))
}

/// The whole number that a fraction is, if it is one and small enough to be exact.
fn integral(value: &Value) -> Option<u64> {
    const EXACT: f64 = 9_007_199_254_740_991.0;
    let number = value.as_f64().filter(|number| number.fract() == 0.0 && (0.0..=EXACT).contains(number))?;
    format!("{number:.0}").parse().ok()
}

/// A number of days between rotations.
///
/// # Errors
/// `invalid_field`.
pub fn rotate_every_days(path: &str, value: Value) -> Result<u32, Rejection> {
    let days = whole(path, &value, 1, MOST_ROTATE_DAYS)?;
    u32::try_from(days).map_err(|_| Rejection::field(path, "is too large"))
}

/// An owner: `{"type": "user", "id": "42"}`.
///
/// # Errors
/// `invalid_field`, `unknown_field`.
pub fn owner(path: &str, value: Value) -> Result<Owner, Rejection> {
    let Value::Object(values) = value else {
        return Err(Rejection::field(path, "must be an object with type and id"));
    };
    let mut fields = Fields::new(format!("{path}."), values);
    let kind = fields.required("type", |path, value| owner_type(path, value.as_str()))?;
    let owner = fields.required("id", |path, value| owner_with(path, kind, value.as_str()))?;
    fields.finish()?;
    Ok(owner)
}

/// An owner's type.
///
/// # Errors
/// `invalid_field`.
pub fn owner_type(path: &str, text: Option<&str>) -> Result<OwnerType, Rejection> {
    text.and_then(OwnerType::parse).ok_or_else(|| Rejection::field(path, "must be user or service"))
}

/// An owner of a known type.
///
/// # Errors
/// `invalid_field`.
pub fn owner_with(path: &str, kind: OwnerType, id: Option<&str>) -> Result<Owner, Rejection> {
    let owner = id.and_then(|id| Owner::new(kind, id));
    owner.ok_or_else(|| Rejection::field(path, format!("must be a text of 1 to {} visible ASCII characters", owner::LONGEST_ID)))
}

/// An environment.
///
/// # Errors
/// `invalid_field`.
pub fn environment(path: &str, text: Option<&str>) -> Result<Environment, Rejection> {
    text.and_then(Environment::parse).ok_or_else(|| Rejection::field(path, "must be live or test"))
}

/// Scopes: at least one, none twice.
///
/// # Errors
/// `invalid_field`.
pub fn scopes(path: &str, value: Value) -> Result<Vec<Scope>, Rejection> {
    let scopes = each(path, value, scope::MOST, |path, value| {
        let text = value.as_str().ok_or_else(|| Rejection::field(path, "must be a text"))?;
        Scope::parse(text).map_err(|error| Rejection::field(path, error.to_string()))
    })?;
    if scopes.is_empty() {
        return Err(Rejection::field(path, "must name at least one scope: a key without any could do nothing"));
    }
    distinct(path, scopes.iter().map(Scope::as_str))?;
    Ok(scopes)
}

/// An allowlist of addresses and networks; an empty one is no restriction.
///
/// # Errors
/// `invalid_field`.
pub fn networks(path: &str, value: Value) -> Result<Vec<IpNet>, Rejection> {
    let networks = each(path, value, address::MOST, |path, value| {
        let parsed = value.as_str().map(address::parse_network);
        parsed.unwrap_or(Err(address::InvalidNetwork)).map_err(|error| Rejection::field(path, error.to_string()))
    })?;
    distinct(path, networks.iter().map(ToString::to_string))?;
    Ok(networks)
}

/// Limits: `[{"requests": 100, "per": "minute"}]`, at most one a period.
///
/// # Errors
/// `invalid_field`, `unknown_field`.
pub fn limits(path: &str, value: Value) -> Result<Vec<Limit>, Rejection> {
    let mut limits = each(path, value, Period::ALL.len(), limit)?;
    limits.sort_by_key(|limit| limit.period);
    if limits.windows(2).any(|pair| pair[0].period == pair[1].period) {
        return Err(Rejection::field(path, "must have at most one limit per period"));
    }
    Ok(limits)
}

fn limit(path: &str, value: Value) -> Result<Limit, Rejection> {
    let Value::Object(values) = value else {
        return Err(Rejection::field(path, "must be an object with requests and per"));
    };
    let mut fields = Fields::new(format!("{path}."), values);
    let period = fields.required("per", |path, value| {
        let period = value.as_str().and_then(Period::parse);
        period.ok_or_else(|| Rejection::field(path, "must be second, minute, hour, day or month"))
    })?;
    let requests = fields.required("requests", |path, value| whole(path, &value, 1, period.most()))?;
    fields.finish()?;
    Ok(Limit { requests, period })
}

/// A moment after `now`.
///
/// # Errors
/// `invalid_field`.
pub fn future(path: &str, value: &Value, now: Timestamp) -> Result<Timestamp, Rejection> {
    let text = value.as_str().ok_or_else(|| Rejection::field(path, crate::time::InvalidTimestamp.to_string()))?;
    let moment = Timestamp::parse(text).map_err(|error| Rejection::field(path, error.to_string()))?;
    if moment <= now {
        return Err(Rejection::field(path, format!("must be in the future; now is {now}")));
    }
    Ok(moment)
}

/// Metadata: any JSON object of at most 4 KB.
///
/// # Errors
/// `invalid_field`.
pub fn metadata(path: &str, value: Value) -> Result<Map<String, Value>, Rejection> {
    let invalid = || Rejection::field(path, format!("must be an object of at most {LONGEST_METADATA} bytes of JSON"));
    if value.to_string().len() > LONGEST_METADATA {
        return Err(invalid());
    }
    match value {
        Value::Object(map) => Ok(map),
        _ => Err(invalid()),
    }
}

fn each<T>(
    path: &str,
    value: Value,
    most: usize,
    read: impl Fn(&str, Value) -> Result<T, Rejection>,
) -> Result<Vec<T>, Rejection> {
    let Value::Array(values) = value else {
        return Err(Rejection::field(path, format!("must be a list of at most {most}")));
    };
    if values.len() > most {
        return Err(Rejection::field(path, format!("must have at most {most} entries")));
    }
    values.into_iter().enumerate().map(|(index, value)| read(&format!("{path}[{index}]"), value)).collect()
}

fn distinct<T: Ord + Display>(path: &str, values: impl Iterator<Item = T>) -> Result<(), Rejection> {
    let mut seen = BTreeSet::new();
    for value in values {
        if seen.contains(&value) {
            return Err(Rejection::field(path, format!("names {value} twice")));
        }
        seen.insert(value);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn field(result: Result<impl Sized, Rejection>) -> (Code, String) {
        let rejection = result.err().expect("a rejection");
        (rejection.code, rejection.field.unwrap_or_default())
    }

    #[test]
    fn bodies_are_small_json_objects() {
        assert!(Fields::of_body(b"").is_ok());
        for (body, code) in [
            (b"{".as_slice(), Code::InvalidJson),
            (b"[]", Code::InvalidJson),
            (b"\xff", Code::InvalidJson),
            (&[b' '; LONGEST_BODY + 1], Code::BodyTooLarge),
        ] {
            assert_eq!(Fields::of_body(body).unwrap_err().code, code);
        }
    }

    #[test]
    fn unknown_fields_are_named_with_what_is_allowed() {
        let mut fields = Fields::of_body(br#"{"name": "x", "nmae": "y"}"#).unwrap();
        fields.required("name", name).unwrap();
        let rejection = fields.finish().unwrap_err();
        assert_eq!((rejection.code, rejection.field.as_deref()), (Code::UnknownField, Some("nmae")));
        assert!(rejection.detail.ends_with("allowed are name"));
    }

    #[test]
    fn each_bad_value_names_its_field() {
        for (value, path) in [
            (json!({"requests": 0, "per": "minute"}), "limits[0].requests"),
            (json!({"requests": 48_001, "per": "minute"}), "limits[0].requests"),
            (json!({"requests": 801, "per": "second"}), "limits[0].requests"),
            (json!({"requests": -1, "per": "minute"}), "limits[0].requests"),
            (json!({"requests": 1.5, "per": "minute"}), "limits[0].requests"),
            (json!({"requests": 1, "per": "week"}), "limits[0].per"),
            (json!({"requests": 1}), "limits[0].per"),
            (json!(7), "limits[0]"),
        ] {
            assert_eq!(field(limits("limits", json!([value]))), (Code::InvalidField, path.to_owned()));
        }
        let unknown = limits("limits", json!([{"requests": 1, "per": "day", "burst": 2}]));
        assert_eq!(field(unknown), (Code::UnknownField, "limits[0].burst".to_owned()));
        let twice = json!([{"requests": 1, "per": "day"}, {"requests": 2, "per": "day"}]);
        assert_eq!(field(limits("limits", twice)).1, "limits");
        assert_eq!(limits("limits", json!([{"requests": 48_000, "per": "minute"}])).unwrap()[0].requests, 48_000);
    }

    #[test]
    fn scopes_names_dates_and_metadata() {
        assert_eq!(field(scopes("scopes", json!([]))).1, "scopes");
        assert_eq!(field(scopes("scopes", json!(["read", "read"]))).1, "scopes");
        assert_eq!(field(scopes("scopes", json!(["read", "GET x"]))).1, "scopes[1]");
        assert_eq!(field(networks("ip_allowlist", json!(["10.0.0.0/33"]))).1, "ip_allowlist[0]");
        assert_eq!(field(networks("ip_allowlist", json!(vec!["10.0.0.1"; 21]))).1, "ip_allowlist");
        for bad in [json!(""), json!("  "), json!("a".repeat(65)), json!("a\nb"), json!(7)] {
            assert_eq!(field(name("name", bad)).1, "name");
        }
        let now = Timestamp::from_secs(1_800_000_000);
        for bad in [json!("2027-01-15T08:00:00Z"), json!("soon"), json!(1_900_000_000)] {
            assert_eq!(field(future("expires_at", &bad, now)).1, "expires_at");
        }
        for (written, number) in
            [(json!(5), Some(5)), (json!(5.0), Some(5)), (json!(0.5e1), Some(5)), (json!(5.5), None), (json!(-5.0), None)]
        {
            assert_eq!(whole("n", &written, 1, 9).ok(), number, "{written}");
        }
        assert_eq!(whole("n", &json!(1e300), 0, u64::MAX).ok(), None);
        assert_eq!(field(metadata("metadata", json!({"x": "y".repeat(4096)}))).1, "metadata");
        assert_eq!(field(owner("owner", json!({"type": "team", "id": "1"}))).1, "owner.type");
    }
}
