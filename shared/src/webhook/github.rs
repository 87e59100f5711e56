//! [GitHub](https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries): the body, and nothing but the body. The id
//! of a delivery isn't signed, and so is no id here.

use http::HeaderMap;

use super::{
    Claim, Scheme,
    headers::{self, Malformed},
    secret::text_itself,
};

const SIGNATURE: &str = "x-hub-signature-256";

pub(super) const SCHEME: Scheme = Scheme { name: "github", key: text_itself, read };

fn read<'a>(headers: &'a HeaderMap, body: &'a [u8]) -> Result<Claim<'a>, Malformed> {
    let signature = headers::only(headers, SIGNATURE)?.strip_prefix("sha256=").ok_or(Malformed::Form(SIGNATURE))?;
    let signatures = vec![headers::hexadecimal(signature, SIGNATURE)?];
    Ok(Claim { signatures, content: vec![body], at: None, id: None })
}
