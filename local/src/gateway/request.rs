//! One request as API Gateway knows it once the route is found.

use std::collections::BTreeMap;
use std::net::IpAddr;

use bytes::Bytes;
use http::{HeaderMap, request::Parts};
use percent_encoding::percent_decode_str;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::template::{Route, Template};

/// Values by name, in the order in which they came.
pub(super) type MultiValues = BTreeMap<String, Vec<String>>;

/// A request with everything that events, mappings and logs are made of.
pub(super) struct Request<'a> {
    pub(super) id: String,
    pub(super) received: OffsetDateTime,
    pub(super) source: IpAddr,
    pub(super) method: String,
    /// The path as sent, without the stage and still percent-encoded.
    pub(super) path: String,
    pub(super) query: MultiValues,
    pub(super) headers: MultiValues,
    pub(super) body: Bytes,
    pub(super) route: Option<&'a Route>,
    pub(super) path_parameters: BTreeMap<String, String>,
    pub(super) template: &'a Template,
}

impl<'a> Request<'a> {
    pub(super) fn new(template: &'a Template, parts: &Parts, body: Bytes, source: IpAddr) -> Self {
        Self {
            id: Uuid::new_v4().to_string(),
            received: OffsetDateTime::now_utc(),
            source,
            method: parts.method.as_str().to_owned(),
            path: parts.uri.path().to_owned(),
            query: query(parts.uri.query().unwrap_or_default()),
            headers: headers(&parts.headers, source),
            body,
            route: None,
            path_parameters: BTreeMap::new(),
            template,
        }
    }

    /// The last value of a header, whatever the case of its name.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.and_then(|(_, values)| values.last()).map(String::as_str)
    }

    /// The resource's path, such as `/v1/keys/{id}`.
    pub(super) fn resource_path(&self) -> &str {
        self.route.map_or("", |route| &route.path)
    }
}

/// API Gateway decodes names and values of the query.
pub(super) fn query(text: &str) -> MultiValues {
    let mut values = MultiValues::new();
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        values.entry(decoded(name)).or_default().push(decoded(value));
    }
    values
}

fn decoded(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

/// The caller's headers, and those that API Gateway adds.
///
/// API Gateway passes names on in the caller's case. They are lower-case here, as the HTTP library gives them and as
/// callers over HTTP/2 send them: functions must not depend on the case.
pub(super) fn headers(map: &HeaderMap, source: IpAddr) -> MultiValues {
    let mut headers = MultiValues::new();
    for (name, value) in map {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        headers.entry(name.as_str().to_owned()).or_default().push(value);
    }
    // What a caller claims stays in front, so only requestContext.identity.sourceIp can be trusted.
    let claimed = headers.remove("x-forwarded-for").map(|values| values.join(", ") + ", ").unwrap_or_default();
    headers.insert("x-forwarded-for".to_owned(), vec![format!("{claimed}{source}")]);
    headers.insert("x-forwarded-proto".to_owned(), vec!["http".to_owned()]);
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn query_values_are_decoded_and_kept_in_order() {
        let expected = [("a", vec!["1 &", "2"]), ("b", vec![""]), ("c d", vec!["é"])];
        let expected = expected.map(|(name, values)| (name.to_owned(), values.into_iter().map(str::to_owned).collect()));
        assert_eq!(query("a=1%20%26&&b&a=2&c+d=%C3%A9"), MultiValues::from(expected));
    }

    #[test]
    fn a_claimed_address_stays_in_front_of_the_real_one() {
        let map = HeaderMap::from_iter([(http::header::HeaderName::from_static("x-forwarded-for"), "9.9.9.9".parse().unwrap())]);
        let headers = headers(&map, IpAddr::from([127, 0, 0, 1]));
        assert_eq!(headers["x-forwarded-for"], ["9.9.9.9, 127.0.0.1"]);
    }
}
