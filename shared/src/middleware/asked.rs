//! What of an HTTP request matters, and what of it the service behind must not see.

use std::{borrow::Cow, net::IpAddr};

use http::{HeaderValue, Uri, header, request::Parts};

use crate::{
    audit::attempt::Attempt,
    imported::ImportPrefixes,
    presented::{self, PARAMETER},
    redact::redact,
};

/// All the keys that a request presents; in the query only if that may carry one. A header that isn't text is no key.
pub(super) fn keys<'a>(parts: &'a Parts, allow_query_key: bool) -> Vec<Cow<'a, str>> {
    let headers = parts.headers.get_all(presented::HEADER).iter();
    let headers = headers.map(|value| Cow::Borrowed(value.to_str().unwrap_or_default()));
    let query = parts.uri.query().filter(|_| allow_query_key).unwrap_or_default();
    let query = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == PARAMETER).map(|(_, value)| value);
    headers.chain(query).collect()
}

/// What its line says of a request that comes from `address`.
pub(super) fn attempt(parts: &Parts, address: Option<IpAddr>, imported: &ImportPrefixes) -> Attempt {
    let plain = |text: &str| redact(text, imported).into_owned();
    let header = |name| parts.headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok()).unwrap_or_default();
    Attempt {
        method: parts.method.as_str().to_owned(),
        path: plain(parts.uri.path()),
        source_ip: address.map(|address| address.to_string()),
        user_agent: plain(header(header::USER_AGENT)),
        ..Attempt::default()
    }
}

/// Takes the key out of a request: services log headers and addresses, and none needs it any more.
pub(super) fn without_key(parts: &mut Parts) {
    parts.headers.remove(presented::HEADER);
    if let Some(uri) = without_parameter(&parts.uri) {
        parts.uri = uri;
    }
}

/// The address without the parameter that may carry a key, if it has that. The others stay as they were written.
fn without_parameter(uri: &Uri) -> Option<Uri> {
    let query = uri.query()?;
    let is_key = |pair: &&str| form_urlencoded::parse(pair.as_bytes()).any(|(name, _)| name == PARAMETER);
    if !query.split('&').any(|pair| is_key(&pair)) {
        return None;
    }
    let others: Vec<_> = query.split('&').filter(|pair| !is_key(pair)).collect();
    let path = match others.is_empty() {
        true => uri.path().to_owned(),
        false => format!("{}?{}", uri.path(), others.join("&")),
    };
    let mut parts = uri.clone().into_parts();
    // What is left of an address is one too; if not, it is better to have no query than to show the key.
    parts.path_and_query = path.parse().ok().or_else(|| uri.path().parse().ok());
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parameter_goes_and_the_others_stay_as_they_were_written() {
        for (uri, without) in [
            ("/reports?api_key=secret", Some("/reports")),
            ("/reports?a=1&api_key=secret&b=%20x", Some("/reports?a=1&b=%20x")),
            ("/reports?%61pi_key=secret&api_key", Some("/reports")),
            ("http://example.com/reports?api_key=secret", Some("http://example.com/reports")),
            ("/reports?a=1", None),
            ("/reports?xapi_key=1", None),
            ("/reports", None),
        ] {
            let found = without_parameter(&uri.parse().unwrap()).map(|uri| uri.to_string());
            assert_eq!(found.as_deref(), without, "{uri}");
        }
    }
}
