//! A secret that messages are signed with.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::{error::Fault, host::Entropy};

/// The fewest bytes of a key: what anybody could guess signs nothing.
const FEWEST_BYTES: usize = 16;

/// The most, which is what Secrets Manager has room for many of.
const MOST_BYTES: usize = 256;

/// Bytes of a key that is generated here: the middle of what Standard Webhooks allows.
const GENERATED_BYTES: usize = 32;

/// What a text of Standard Webhooks begins with.
pub(super) const PREFIX: &str = "whsec_";

/// A text that is no secret of its scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSecret {
    /// Not Base64, behind `whsec_` or without it.
    #[error("must be whsec_ and Base64 (RFC 4648)")]
    Encoding,
    /// Too short to be random, or too long.
    #[error("must stand for 16 to 256 bytes")]
    Length,
}

/// A key for HMAC-SHA256, ready for use. It can't be printed, and its state is wiped.
#[derive(Clone)]
pub struct SigningSecret(Hmac<Sha256>);

impl SigningSecret {
    pub(super) fn new(key: Vec<u8>) -> Result<Self, InvalidSecret> {
        let key = zeroize::Zeroizing::new(key);
        if !(FEWEST_BYTES..=MOST_BYTES).contains(&key.len()) {
            return Err(InvalidSecret::Length);
        }
        Hmac::new_from_slice(&key).map(Self).map_err(|_| InvalidSecret::Length)
    }

    pub(super) fn mac(&self, content: &[&[u8]]) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        content.iter().for_each(|piece| mac.update(piece));
        mac
    }
}

impl fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningSecret(…)")
    }
}

/// The key of schemes whose secrets are texts: those bytes.
pub(super) fn text_itself(text: &str) -> Result<Vec<u8>, InvalidSecret> {
    Ok(text.as_bytes().to_vec())
}

/// The text of a new secret of Standard Webhooks, to be shown once.
///
/// # Errors
/// A [`Fault`] if there is no randomness.
pub fn generate(entropy: &dyn Entropy) -> Result<zeroize::Zeroizing<String>, Fault> {
    let mut key = zeroize::Zeroizing::new([0; GENERATED_BYTES]);
    entropy.fill(key.as_mut())?;
    Ok(zeroize::Zeroizing::new(format!("{PREFIX}{}", STANDARD.encode(key.as_slice()))))
}
