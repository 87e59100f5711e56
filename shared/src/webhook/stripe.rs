//! [Stripe](https://docs.stripe.com/webhooks#verify-manually): `t=…,v1=…` in one header, over time and body. While a secret is rotated there
//! are several `v1`.

use http::HeaderMap;

use super::{
    Claim, Scheme,
    headers::{self, Malformed},
    secret::text_itself,
};

const SIGNATURE: &str = "stripe-signature";

/// A secret's key is its text, `whsec_` included: it isn't an encoding of anything, though it looks like one.
pub(super) const SCHEME: Scheme = Scheme { name: "stripe", key: text_itself, read };

fn read<'a>(headers: &'a HeaderMap, body: &'a [u8]) -> Result<Claim<'a>, Malformed> {
    let (mut time, mut signatures) = (None, Vec::new());
    for field in headers::only(headers, SIGNATURE)?.split(',') {
        match field.split_once('=').ok_or(Malformed::Form(SIGNATURE))? {
            ("t", text) if time.replace(text).is_some() => return Err(Malformed::Form(SIGNATURE)),
            ("v1", text) => signatures.push(headers::hexadecimal(text, SIGNATURE)?),
            // The time, which is kept; and other versions, such as those of test events.
            _ => {}
        }
    }
    let time = time.filter(|_| !signatures.is_empty()).ok_or(Malformed::Form(SIGNATURE))?;
    let at = headers::seconds(time, SIGNATURE)?;
    Ok(Claim { signatures, content: vec![time.as_bytes(), b".", body], at: Some(at), id: None })
}
