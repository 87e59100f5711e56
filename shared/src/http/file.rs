//! What is the same for everybody, and changes only with the code: pages, and descriptions of the API.

use std::borrow::Cow;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use lambda_http::Request;
use sha2::{Digest, Sha256};

use super::{Document, Reply};
use crate::base62;

/// A text of some media type. Caches may keep it and have to ask each time whether it is still the same, unless its own
/// `Cache-Control` says otherwise.
#[derive(Clone, Debug)]
pub struct File {
    pub(super) content_type: &'static str,
    pub(super) body: Cow<'static, str>,
    pub(super) headers: HeaderMap,
}

impl File {
    /// A file of that media type.
    #[must_use]
    pub fn new(content_type: &'static str, body: impl Into<Cow<'static, str>>) -> Self {
        let body = body.into();
        let digest = base62::encode(&Sha256::digest(body.as_bytes()).into());
        let mut headers = HeaderMap::from_iter([(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"))]);
        headers.extend(HeaderValue::from_str(&format!("\"{digest}\"")).map(|tag| (header::ETAG, tag)));
        Self { content_type, body, headers }
    }

    /// The file with another header, in place of one of that name.
    #[must_use]
    pub fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// 200 and the file, or 304 if the caller has it already.
    #[must_use]
    pub fn answer(&self, request: &Request) -> Reply {
        let known = request.headers().get_all(header::IF_NONE_MATCH).iter().filter_map(|line| line.to_str().ok());
        let tag = self.headers.get(header::ETAG).and_then(|tag| tag.to_str().ok());
        if tag.is_some_and(|tag| known.into_iter().any(|line| names(line, tag))) {
            let unchanged = Self { body: Cow::Borrowed(""), ..self.clone() };
            return Reply { status: StatusCode::NOT_MODIFIED, document: Document::File(unchanged), version: None };
        }
        Reply { status: StatusCode::OK, document: Document::File(self.clone()), version: None }
    }
}

/// Whether a line of `If-None-Match` names the tag (RFC 9110, section 13.1.2): the comparison is weak, and our tags hold no comma.
fn names(line: &str, tag: &str) -> bool {
    line.split(',').map(str::trim).any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_that_has_it_gets_nothing_again() {
        let file = File::new("text/plain", "a");
        let tag = file.headers[header::ETAG].to_str().unwrap().to_owned();
        let status = |lines: &[&str]| {
            let mut request = Request::default();
            for line in lines {
                request.headers_mut().append(header::IF_NONE_MATCH, line.parse().unwrap());
            }
            let reply = file.answer(&request);
            let Document::File(answered) = reply.document else { panic!("a file") };
            assert_eq!(answered.body.is_empty(), reply.status == StatusCode::NOT_MODIFIED);
            assert_eq!(answered.headers[header::ETAG], *tag, "a 304 says it again");
            reply.status.as_u16()
        };
        for known in [tag.clone(), format!("W/{tag}"), format!("\"x\", {tag}"), "*".to_owned()] {
            assert_eq!(status(&[&known]), 304, "{known}");
        }
        assert_eq!(status(&["\"x\"", &tag]), 304);
        let other = File::new("text/plain", "b");
        for unknown in ["\"x\"", "", tag.trim_matches('"'), other.headers[header::ETAG].to_str().unwrap()] {
            assert_eq!(status(&[unknown]), 200, "{unknown}");
        }
        assert_eq!(status(&[]), 200);
    }

    #[test]
    fn a_header_takes_the_place_of_one_of_its_name() {
        let file = File::new("text/plain", "a");
        assert_eq!(file.headers[header::CACHE_CONTROL], "no-cache");
        let file = file.with(header::CACHE_CONTROL, HeaderValue::from_static("max-age=1"));
        assert_eq!(file.headers.get_all(header::CACHE_CONTROL).iter().collect::<Vec<_>>(), ["max-age=1"]);
    }
}
