//! A secret from generation to storage: `mbk_live_` + 32 base62 characters, its digest, its bcrypt hash and its hint.
//!
//! Never change the format, the digest's label or the length of existing secrets: every key in every table depends on them.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::{
    base62,
    error::Fault,
    host::Entropy,
    imported::{self, ImportPrefixes},
    telemetry,
};

/// Random characters of a secret: 32 of 62 give 190 bits.
pub const RANDOM_LENGTH: usize = 32;

/// The label that keeps lookup digests apart from anything else ever derived from a pepper.
const LOOKUP_LABEL: &[u8] = b"mbk/lookup/1";

/// Which kind of data a key is for; part of its text, so that a test key is recognised at sight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Environment {
    /// Real data.
    Live,
    /// Trials.
    Test,
}

impl Environment {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Live, Self::Test];

    /// `live` or `test`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Test => "test",
        }
    }

    /// The environment of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|environment| environment.as_str() == text)
    }
}

/// The stack's key prefix: 2 to 8 lower-case letters, `mbk` unless configured otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prefix(String);

impl Prefix {
    /// The prefix, if it is one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let valid = (2..=8).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_lowercase());
        valid.then(|| Self(text.to_owned()))
    }
}

/// How a presented text fails to be a secret; each way has a message of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// It doesn't begin with this stack's prefix.
    #[error("the key does not begin with this API's prefix")]
    Prefix,
    /// What follows the prefix is neither `live_` nor `test_`.
    #[error("the key names neither the live nor the test environment")]
    Environment,
    /// Not 32 random characters.
    #[error("the key does not have 32 characters after its environment")]
    Length,
    /// A character outside of base62.
    #[error("the key has a character other than a letter or a digit after its environment")]
    Alphabet,
    /// From elsewhere, and too short to be random, or longer than bcrypt takes.
    #[error("must have at least 16 bytes after its prefix, and at most 72 with it")]
    ImportedLength,
    /// From elsewhere, and not of visible ASCII characters.
    #[error("must have no other characters than visible ASCII ones")]
    ImportedAlphabet,
}

/// The fewest bytes after the prefix of a secret that was made elsewhere: enough to be random. Everybody knows the prefix.
pub const FEWEST_IMPORTED: usize = 16;

/// The most bytes of a secret that was made elsewhere: no more than bcrypt takes.
pub const MOST_IMPORTED: usize = 72;

/// How many random characters of this stack's own secrets a hint shows.
const HINTED: usize = 4;

/// A whole secret in plain text. It can't be printed or serialised by accident, and its memory is wiped.
pub struct Secret {
    text: Zeroizing<String>,
    /// How many bytes of it may be shown.
    hinted: usize,
}

impl Secret {
    /// A new secret.
    ///
    /// # Errors
    /// A [`Fault`] if there is no randomness.
    pub fn generate(prefix: &Prefix, environment: Environment, entropy: &dyn Entropy) -> Result<Self, Fault> {
        let random = base62::random(entropy, RANDOM_LENGTH)?;
        // Sized at once: growing would leave an unwiped copy behind.
        let mut text = Zeroizing::new(String::with_capacity(prefix.0.len() + 6 + RANDOM_LENGTH));
        for part in [prefix.0.as_str(), "_", environment.as_str(), "_", random.as_str()] {
            text.push_str(part);
        }
        let hinted = text.len() - RANDOM_LENGTH + HINTED;
        Ok(Self { text, hinted })
    }

    /// The secret that `text` is: one of this stack's, or one from elsewhere with an accepted prefix.
    ///
    /// # Errors
    /// The first way in which it is none.
    pub fn accept(prefix: &Prefix, imported: &ImportPrefixes, text: &str) -> Result<Self, Malformed> {
        match Self::parse(prefix, text) {
            Err(Malformed::Prefix) => Self::import(prefix, imported, text),
            own => own,
        }
    }

    /// The secret from elsewhere that `text` is.
    ///
    /// # Errors
    /// The first way in which it is none; one that could be this stack's own is none.
    pub fn import(prefix: &Prefix, imported: &ImportPrefixes, text: &str) -> Result<Self, Malformed> {
        let own = text.strip_prefix(prefix.0.as_str()).is_some_and(|rest| rest.starts_with('_'));
        let accepted = imported.of(text).filter(|_| !own).ok_or(Malformed::Prefix)?;
        let rest = text.len() - accepted.len();
        if rest < FEWEST_IMPORTED || text.len() > MOST_IMPORTED {
            return Err(Malformed::ImportedLength);
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Malformed::ImportedAlphabet);
        }
        let hinted = accepted.len() + imported::shown(rest);
        Ok(Self { text: Zeroizing::new(text.to_owned()), hinted })
    }

    /// The secret of this stack's own that `text` is.
    ///
    /// # Errors
    /// The first way in which it is none.
    pub fn parse(prefix: &Prefix, text: &str) -> Result<Self, Malformed> {
        let rest = text.strip_prefix(prefix.0.as_str()).and_then(|rest| rest.strip_prefix('_'));
        let (name, random) = rest.ok_or(Malformed::Prefix)?.split_once('_').ok_or(Malformed::Environment)?;
        Environment::parse(name).ok_or(Malformed::Environment)?;
        if random.chars().count() != RANDOM_LENGTH {
            return Err(Malformed::Length);
        }
        if !base62::is_base62(random) {
            return Err(Malformed::Alphabet);
        }
        Ok(Self { text: Zeroizing::new(text.to_owned()), hinted: text.len() - RANDOM_LENGTH + HINTED })
    }

    /// The plain text: for the one response that hands it out, and for nothing that is kept.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// What may be shown of it: its prefix and the first few characters after that, as `mbk_live_Ab3C…`.
    #[must_use]
    pub fn hint(&self) -> String {
        format!("{}…", &self.text[..self.hinted])
    }

    /// The name under which its alias is stored: HMAC-SHA256 under a pepper that only Secrets Manager has.
    #[must_use]
    pub fn digest(&self, pepper: &Pepper) -> Digest {
        Digest(pepper.mac(LOOKUP_LABEL, self.text.as_bytes()))
    }

    /// Its bcrypt hash, of all of it: no secret is longer than the 72 bytes that bcrypt takes. Computed on a blocking thread
    /// because it takes tens of milliseconds of CPU.
    ///
    /// # Errors
    /// A [`Fault`] if there is no randomness for the salt, or the cost is out of bcrypt's range.
    pub async fn hash(&self, cost: u32) -> Result<Hash, Fault> {
        let text = self.text.clone();
        telemetry::cost::bcrypt_run();
        let hashed = tokio::task::spawn_blocking(move || bcrypt::hash(text.as_bytes(), cost)).await;
        hashed.map_err(|error| Fault::new("bcrypt.aborted", error))?.map(Hash).map_err(|error| Fault::new("bcrypt.failed", error))
    }

    /// Whether `hash` is this secret's; the comparison inside bcrypt takes constant time.
    ///
    /// # Errors
    /// A [`Fault`] if the stored hash is not a bcrypt hash.
    pub async fn verify(&self, hash: &Hash) -> Result<bool, Fault> {
        let (text, hash) = (self.text.clone(), hash.0.clone());
        telemetry::cost::bcrypt_run();
        let verified = tokio::task::spawn_blocking(move || bcrypt::verify(text.as_bytes(), &hash)).await;
        verified
            .map_err(|error| Fault::new("bcrypt.aborted", error))?
            .map_err(|_| Fault::corrupt("alias", "the hash is not one of bcrypt's"))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({})", self.hint())
    }
}

/// A pepper: 64 random characters that exist only in Secrets Manager and, as a keyed state, in memory.
#[derive(Clone)]
pub struct Pepper(Hmac<Sha256>);

impl Pepper {
    /// The shortest pepper that is accepted, in bytes: as many as SHA-256 has.
    pub const SHORTEST: usize = 32;

    /// The pepper of that text, unless it is too short to be one.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let keyed = Hmac::new_from_slice(text.as_bytes()).ok()?;
        (text.len() >= Self::SHORTEST).then_some(Self(keyed))
    }

    /// What may be stored to recognise this pepper again; it says nothing about the pepper itself.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        base62::encode(&self.mac(b"mbk/fingerprint/1", b""))
    }

    fn mac(&self, label: &[u8], message: &[u8]) -> [u8; 32] {
        let mut mac = self.0.clone();
        mac.update(label);
        mac.update(message);
        mac.finalize().into_bytes().into()
    }
}

impl fmt::Debug for Pepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pepper(…)")
    }
}

/// A secret's lookup digest under one pepper. Useless without the pepper, yet nothing that logs need.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The 43 base62 characters that name the alias item.
    #[must_use]
    pub fn encoded(&self) -> String {
        base62::encode(&self.0)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest(…)")
    }
}

/// The highest cost of a hash. A higher one, which only damage can be, would keep a processor busy for hours.
pub const HIGHEST_COST: u32 = 15;

/// A secret's bcrypt hash.
#[derive(Clone, PartialEq, Eq)]
pub struct Hash(String);

impl Hash {
    /// The hash that a stored text is, if it is one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let parts: bcrypt::HashParts = text.parse().ok()?;
        (parts.get_cost() <= HIGHEST_COST).then(|| Self(text.to_owned()))
    }

    /// For the store, and for nothing else.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hash(…)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::host::Host;

    fn prefix() -> Prefix {
        Prefix::parse("mbk").unwrap()
    }

    fn pepper(letter: &str, length: usize) -> Pepper {
        Pepper::new(&letter.repeat(length)).unwrap()
    }

    fn secret() -> Secret {
        Secret::parse(&prefix(), &format!("mbk_live_{}", "Ab3C".repeat(8))).unwrap()
    }

    #[test]
    fn generated_secrets_parse_and_differ() {
        let host = Host::system();
        for environment in [Environment::Live, Environment::Test] {
            let one = Secret::generate(&prefix(), environment, host.entropy.as_ref()).unwrap();
            let other = Secret::generate(&prefix(), environment, host.entropy.as_ref()).unwrap();
            assert_ne!(one.expose(), other.expose());
            assert_eq!(one.expose().len(), 41);
            assert!(Secret::parse(&prefix(), one.expose()).is_ok());
        }
    }

    #[test]
    fn each_way_to_be_malformed_has_its_own_error() {
        let random = "a".repeat(32);
        for (text, expected) in [
            (String::new(), Malformed::Prefix),
            (format!("sk_live_{random}"), Malformed::Prefix),
            (format!("MBK_live_{random}"), Malformed::Prefix),
            (format!("mbklive_{random}"), Malformed::Prefix),
            (format!("mbk_{random}"), Malformed::Environment),
            (format!("mbk_prod_{random}"), Malformed::Environment),
            (format!("mbk_LIVE_{random}"), Malformed::Environment),
            ("mbk_live_".to_owned(), Malformed::Length),
            (format!("mbk_live_{}", "a".repeat(31)), Malformed::Length),
            (format!("mbk_live_{random}a"), Malformed::Length),
            (format!("mbk_live_{}-", "a".repeat(31)), Malformed::Alphabet),
            (format!("mbk_live_{}é", "a".repeat(31)), Malformed::Alphabet),
            (format!("mbk_live_{}\n", "a".repeat(31)), Malformed::Alphabet),
        ] {
            assert_eq!(Secret::parse(&prefix(), &text).unwrap_err(), expected, "{text:?}");
        }
    }

    #[test]
    fn prefixes_are_two_to_eight_lower_case_letters() {
        for (text, valid) in [
            ("mbk", true),
            ("ab", true),
            ("abcdefgh", true),
            ("a", false),
            ("abcdefghi", false),
            ("Mbk", false),
            ("m1", false),
            ("", false),
        ] {
            assert_eq!(Prefix::parse(text).is_some(), valid, "{text}");
        }
    }

    #[test]
    fn nothing_prints_what_must_stay_secret() {
        let pepper = pepper("x", 64);
        assert_eq!(format!("{:?}", secret()), "Secret(mbk_live_Ab3C…)");
        assert_eq!(format!("{pepper:?} {:?} {:?}", secret().digest(&pepper), Hash("$2b$".into())), "Pepper(…) Digest(…) Hash(…)");
    }

    #[test]
    fn digests_follow_rfc_2104_for_short_and_long_peppers() {
        // Computed with Python's hmac module: the format of every stored alias, never to change.
        for (length, expected) in
            [(64, "Kr6LNAlt7MnPc0nYCLiazmp5mzxSjVAwkAGeF2ioymz"), (100, "xstmUVlRIRgE2noV8XX9nJjpO6vwbt5qa6fvFY9PWad")]
        {
            assert_eq!(secret().digest(&pepper("x", length)).encoded(), expected);
        }
    }

    #[tokio::test]
    async fn only_the_secret_itself_fits_its_hash() {
        let hash = secret().hash(4).await.unwrap();
        assert!(hash.expose().starts_with("$2b$04$"));
        assert!(secret().verify(&hash).await.unwrap());
        let other = Secret::parse(&prefix(), &format!("mbk_live_{}D", &"Ab3C".repeat(8)[..31])).unwrap();
        assert!(!other.verify(&hash).await.unwrap());
        assert!(secret().verify(&Hash("nonsense".into())).await.is_err());
    }

    #[test]
    fn a_secret_from_elsewhere_has_an_accepted_prefix_and_fits_into_bcrypt() {
        let imported = ImportPrefixes::parse("acme_,mbk_x,mbk").unwrap();
        let accept = |text: &str| Secret::accept(&prefix(), &imported, text).map(|secret| secret.hint());
        assert_eq!(accept("acme_0123456789abcdef").as_deref(), Ok("acme_0123…"));
        assert!(accept(&format!("acme_{}", "~".repeat(67))).is_ok());
        for (text, expected) in [
            ("acme_0123456789abcde".to_owned(), Malformed::ImportedLength),
            (format!("acme_{}", "~".repeat(68)), Malformed::ImportedLength),
            ("acme_0123456789 bcdef".to_owned(), Malformed::ImportedAlphabet),
            ("acme_0123456789\u{e9}bcdef".to_owned(), Malformed::ImportedAlphabet),
            ("other_0123456789abcdef".to_owned(), Malformed::Prefix),
            // Whatever is configured, what looks like this stack's own has to be one.
            (format!("mbk_x{}", "a".repeat(40)), Malformed::Environment),
            ("mbk_live_0123".to_owned(), Malformed::Length),
        ] {
            assert_eq!(accept(&text), Err(expected), "{text}");
        }
    }

    #[tokio::test]
    async fn every_byte_of_the_longest_secret_counts() {
        let imported = ImportPrefixes::parse("acme_").unwrap();
        let secret = |last: char| Secret::accept(&prefix(), &imported, &format!("acme_{}{last}", "x".repeat(66))).unwrap();
        let hash = secret('a').hash(4).await.unwrap();
        assert!(secret('a').verify(&hash).await.unwrap() && !secret('b').verify(&hash).await.unwrap());
    }

    proptest! {
        #[test]
        fn no_text_makes_parsing_panic(text in any::<String>(), tail in ".{0,40}") {
            let _ = Secret::parse(&prefix(), &text);
            let _ = Secret::parse(&prefix(), &format!("mbk_live_{tail}"));
        }
    }
}
