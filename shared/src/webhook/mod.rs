//! Webhook signatures: verified over the raw bytes, before anything of them is read, and made for those that we send.
//!
//! What the schemes have in common is here: HMAC-SHA256 over a content, one or several signatures, perhaps a time. What differs is
//! one file for each: which headers, how a secret becomes a key, what exactly is signed. To add one, add a file and its place in
//! [`SCHEMES`].

use std::fmt;

use hmac::Mac;
use http::HeaderMap;
use sha2::{Digest, Sha256};

use crate::time::Timestamp;

mod github;
mod headers;
mod sealed;
mod secret;
mod sign;
mod slack;
mod standard;
mod stripe;

pub use headers::Malformed;
pub use sealed::{Sealed, SealedSecret};
pub use secret::{InvalidSecret, SigningSecret, generate};
pub use sign::{Signed, sign};

/// How far a signed time may be from ours, either way, in seconds: what every scheme that has one recommends.
pub const TOLERANCE_SECONDS: u64 = 300;

/// Every scheme.
pub const SCHEMES: [&Scheme; 4] = [&standard::SCHEME, &github::SCHEME, &stripe::SCHEME, &slack::SCHEME];

/// A way to sign webhooks.
pub struct Scheme {
    /// Its name, as endpoints name it.
    pub name: &'static str,
    /// The key that a secret's text stands for.
    key: fn(&str) -> Result<Vec<u8>, InvalidSecret>,
    /// What its headers claim of a body.
    read: for<'a> fn(&'a HeaderMap, &'a [u8]) -> Result<Claim<'a>, Malformed>,
}

/// What a message claims, and nothing has proved yet.
struct Claim<'a> {
    /// Signatures, one of which must fit.
    signatures: Vec<Vec<u8>>,
    /// What they are said to sign, piece after piece.
    content: Vec<&'a [u8]>,
    /// The time that is among it.
    at: Option<Timestamp>,
    /// The id that is among it.
    id: Option<&'a str>,
}

/// A message whose signature fits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// What tells the message from every other one: its id if that is signed, or else the digest of what is, in hexadecimal.
    pub message: String,
    /// When it was signed, if the scheme says so.
    pub at: Option<Timestamp>,
}

/// Why a message is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Its headers can't be read.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// No secret made any of its signatures.
    #[error("the signature does not fit the message: it was signed with another secret, or changed on its way")]
    Signature,
    /// The signature fits, but was made too long ago, or in the future.
    #[error("the message was signed more than five minutes before or after now")]
    Stale,
}

impl Scheme {
    /// The scheme of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        SCHEMES.into_iter().find(|scheme| scheme.name == name)
    }

    /// Verifies a message at `now`: one of its signatures must be of one of `secrets`, made within [`TOLERANCE_SECONDS`] if it says
    /// when. Every signature is compared with every secret, in constant time.
    ///
    /// # Errors
    /// [`Refused`]. That a message is stale is told only of one whose signature fits.
    pub fn verify(
        &self,
        secrets: &[SigningSecret],
        headers: &HeaderMap,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Verified, Refused> {
        let claim = (self.read)(headers, body)?;
        let mut fits = false;
        for secret in secrets {
            let mac = secret.mac(&claim.content);
            for signature in &claim.signatures {
                fits |= mac.clone().verify_slice(signature).is_ok();
            }
        }
        if !fits {
            return Err(Refused::Signature);
        }
        let seconds = |at: Timestamp| at.until(now).max(now.until(at));
        if claim.at.is_some_and(|at| seconds(at) > TOLERANCE_SECONDS) {
            return Err(Refused::Stale);
        }
        let message = claim.id.map_or_else(|| digest(&claim.content), ToOwned::to_owned);
        Ok(Verified { message, at: claim.at })
    }

    /// A secret of this scheme.
    ///
    /// # Errors
    /// [`InvalidSecret`], which says what one looks like.
    pub fn secret(&self, text: &str) -> Result<SigningSecret, InvalidSecret> {
        SigningSecret::new((self.key)(text)?)
    }
}

impl fmt::Debug for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl PartialEq for Scheme {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

fn digest(content: &[&[u8]]) -> String {
    let mut digest = Sha256::new();
    content.iter().for_each(|piece| digest.update(piece));
    base16ct::lower::encode_string(&digest.finalize())
}

#[cfg(test)]
mod tests;
