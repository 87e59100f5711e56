//! [Standard Webhooks](https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md), with symmetric
//! signatures: `v1` and Base64, of id, time and body.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::HeaderMap;

use super::{
    Claim, Scheme,
    headers::{self, Malformed},
    secret::{InvalidSecret, PREFIX},
};

pub(super) const ID: &str = "webhook-id";
pub(super) const TIMESTAMP: &str = "webhook-timestamp";
pub(super) const SIGNATURE: &str = "webhook-signature";

/// The version of symmetric signatures.
pub(super) const VERSION: &str = "v1";

/// The most characters of an id.
const LONGEST_ID: usize = 128;

pub(super) const SCHEME: Scheme = Scheme { name: "standard", key, read };

fn key(text: &str) -> Result<Vec<u8>, InvalidSecret> {
    STANDARD.decode(text.strip_prefix(PREFIX).unwrap_or(text)).map_err(|_| InvalidSecret::Encoding)
}

fn read<'a>(headers: &'a HeaderMap, body: &'a [u8]) -> Result<Claim<'a>, Malformed> {
    let id = headers::only(headers, ID)?;
    if !is_id(id) {
        return Err(Malformed::Form(ID));
    }
    let time = headers::only(headers, TIMESTAMP)?;
    let at = headers::seconds(time, TIMESTAMP)?;
    // Signatures of other versions may stand beside ours.
    let ours = headers::only(headers, SIGNATURE)?.split(' ').filter_map(|signature| match signature.split_once(',') {
        Some((VERSION, text)) => Some(STANDARD.decode(text)),
        _ => None,
    });
    let signatures = ours.collect::<Result<Vec<_>, _>>().map_err(|_| Malformed::Form(SIGNATURE))?;
    if signatures.is_empty() {
        return Err(Malformed::Form(SIGNATURE));
    }
    Ok(Claim { signatures, content: content(id, time, body).to_vec(), at: Some(at), id: Some(id) })
}

/// What is signed, piece after piece.
pub(super) const fn content<'a>(id: &'a str, time: &'a str, body: &'a [u8]) -> [&'a [u8]; 5] {
    [id.as_bytes(), b".", time.as_bytes(), b".", body]
}

/// Without a full stop: with one, two readings of what is signed would have the same signature.
pub(super) fn is_id(id: &str) -> bool {
    (1..=LONGEST_ID).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'.')
}
