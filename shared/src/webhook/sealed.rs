//! What Secrets Manager keeps of an endpoint: all that its receiver has to know. The table has nothing of it.

use std::fmt;

use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use super::{Scheme, SigningSecret};
use crate::{error::Fault, id::EndpointId, time::Timestamp};

/// An endpoint's scheme and its secrets, newest first. It can't be printed.
pub struct Sealed {
    /// How its messages are signed.
    pub scheme: &'static Scheme,
    /// What they may be signed with.
    pub secrets: Vec<SealedSecret>,
}

/// One secret, as a text.
pub struct SealedSecret {
    /// Its number: the first one has 1, and none is used twice.
    pub number: u32,
    /// Its text, as the sender knows it.
    pub text: Zeroizing<String>,
    /// Until when it counts; none: until it is rotated.
    pub ends_at: Option<Timestamp>,
}

impl Sealed {
    /// The name of the endpoint's secret in Secrets Manager. `prefix` is the same for all of a stack.
    #[must_use]
    pub fn name(prefix: &str, endpoint: &EndpointId) -> String {
        format!("{prefix}{endpoint}")
    }

    /// Reads what is stored.
    ///
    /// # Errors
    /// A [`Fault`] that says what is wrong with it, but nothing of its content.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let fault = |what| Fault::new("webhook.secret_damaged", what);
        let document = serde_json::from_str::<Map<String, Value>>(text).map_err(|_| fault("not a JSON object"))?;
        let name = document.get("scheme").and_then(Value::as_str);
        let scheme = name.and_then(Scheme::named).ok_or_else(|| fault("no scheme that is known here"))?;
        let listed = document.get("secrets").and_then(Value::as_array).ok_or_else(|| fault("no list of secrets"))?;
        let secrets = listed.iter().map(read).collect::<Option<Vec<_>>>().ok_or_else(|| fault("not a secret in the list"))?;
        for secret in &secrets {
            scheme.secret(&secret.text).map_err(|_| fault("a secret that its scheme has no use for"))?;
        }
        Ok(Self { scheme, secrets })
    }

    /// The text to store.
    #[must_use]
    pub fn text(&self) -> Zeroizing<String> {
        let secrets = self.secrets.iter().map(|SealedSecret { number, text, ends_at }| {
            json!({ "number": number, "secret": text.as_str(), "ends_at": ends_at.map(Timestamp::secs) })
        });
        let document = json!({ "scheme": self.scheme.name, "secrets": secrets.collect::<Vec<_>>() });
        Zeroizing::new(document.to_string())
    }

    /// The secrets that count at `now`, ready for use.
    #[must_use]
    pub fn live(&self, now: Timestamp) -> Vec<SigningSecret> {
        let live = self.secrets.iter().filter(|secret| secret.ends_at.is_none_or(|end| now < end));
        live.filter_map(|secret| self.scheme.secret(&secret.text).ok()).collect()
    }
}

fn read(listed: &Value) -> Option<SealedSecret> {
    let number = listed.get("number")?.as_u64()?.try_into().ok()?;
    let text = Zeroizing::new(listed.get("secret")?.as_str()?.to_owned());
    let ends_at = match listed.get("ends_at")? {
        Value::Null => None,
        end => Some(Timestamp::from_secs(end.as_u64()?)),
    };
    Some(SealedSecret { number, text, ends_at })
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed({:?}, {} secrets)", self.scheme, self.secrets.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
    const SECRET: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZg==";

    fn sealed(ends_at: Option<Timestamp>) -> Sealed {
        let secret = |number, ends_at| SealedSecret { number, text: Zeroizing::new(SECRET.to_owned()), ends_at };
        Sealed { scheme: SCHEME, secrets: vec![secret(2, None), secret(1, ends_at)] }
    }

    const SCHEME: &Scheme = super::super::SCHEMES[0];

    #[test]
    fn what_is_stored_is_read_back_and_nothing_of_it_is_printed() {
        let stored = sealed(Some(NOW)).text();
        let read = Sealed::parse(&stored).unwrap();
        assert_eq!(read.text().as_str(), stored.as_str());
        assert_eq!(format!("{read:?}"), "Sealed(standard, 2 secrets)");
    }

    #[test]
    fn a_secret_counts_until_the_second_at_which_it_ends() {
        for (ends_at, live) in [(None, 2), (Some(NOW.plus(1)), 2), (Some(NOW), 1)] {
            assert_eq!(sealed(ends_at).live(NOW).len(), live, "{ends_at:?}");
        }
    }

    #[test]
    fn damage_is_named_without_what_is_damaged() {
        for (text, what) in [
            ("", "not a JSON object"),
            (r#"{"scheme": "morse", "secrets": []}"#, "no scheme that is known here"),
            (r#"{"scheme": "github"}"#, "no list of secrets"),
            (r#"{"scheme": "github", "secrets": ["s3cret"]}"#, "not a secret in the list"),
            (
                r#"{"scheme": "github", "secrets": [{"number": 1, "secret": "s3cret", "ends_at": null}]}"#,
                "a secret that its scheme has no use for",
            ),
        ] {
            let fault = Sealed::parse(text).unwrap_err();
            assert_eq!((fault.code, fault.detail.as_str()), ("webhook.secret_damaged", what));
        }
    }
}
