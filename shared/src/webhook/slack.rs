//! [Slack](https://docs.slack.dev/authentication/verifying-requests-from-slack): version, time and body.

use http::HeaderMap;

use super::{
    Claim, Scheme,
    headers::{self, Malformed},
    secret::text_itself,
};

const TIMESTAMP: &str = "x-slack-request-timestamp";
const SIGNATURE: &str = "x-slack-signature";

pub(super) const SCHEME: Scheme = Scheme { name: "slack", key: text_itself, read };

fn read<'a>(headers: &'a HeaderMap, body: &'a [u8]) -> Result<Claim<'a>, Malformed> {
    let time = headers::only(headers, TIMESTAMP)?;
    let at = headers::seconds(time, TIMESTAMP)?;
    let signature = headers::only(headers, SIGNATURE)?.strip_prefix("v0=").ok_or(Malformed::Form(SIGNATURE))?;
    let signatures = vec![headers::hexadecimal(signature, SIGNATURE)?];
    Ok(Claim { signatures, content: vec![b"v0:", time.as_bytes(), b":", body], at: Some(at), id: None })
}
