//! One request as an HTTP API knows it.

use std::net::IpAddr;

use bytes::Bytes;
use http::request::Parts;
use percent_encoding::percent_decode_str;
use time::OffsetDateTime;
use uuid::Uuid;

use super::super::request::{MultiValues, headers};

/// A request with everything that events are made of.
pub(super) struct Request {
    pub(super) id: String,
    pub(super) received: OffsetDateTime,
    pub(super) source: IpAddr,
    pub(super) method: String,
    /// The path as sent, still percent-encoded: routes are chosen by it.
    pub(super) path: String,
    /// The query as sent.
    pub(super) query: String,
    pub(super) headers: MultiValues,
    pub(super) body: Bytes,
}

impl Request {
    pub(super) fn new(parts: &Parts, body: Bytes, source: IpAddr) -> Self {
        Self {
            id: Uuid::new_v4().to_string(),
            received: OffsetDateTime::now_utc(),
            source,
            method: parts.method.as_str().to_owned(),
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            headers: headers(&parts.headers, source),
            body,
        }
    }

    /// The last value of a header, by its name in lower case.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|values| values.last()).map(String::as_str)
    }

    /// `rawPath`, which isn't raw: it is decoded, and ends where the decoded one has a question mark.
    pub(super) fn raw_path(&self) -> String {
        let decoded = decoded(&self.path);
        decoded.split_once('?').map(|(path, _)| path.to_owned()).unwrap_or(decoded)
    }
}

/// A path, or a segment of one, without percent-encoding.
pub(super) fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}
