//! Ids of keys and of webhook endpoints: permanent, public, and never derived from a secret.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::{base62, error::Fault, host::Entropy};

const RANDOM_LENGTH: usize = 22;

macro_rules! id {
    ($(#[$documentation:meta])* $name:ident, $prefix:literal) => {
        $(#[$documentation])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(String);

        impl $name {
            /// A new id.
            ///
            /// # Errors
            /// A [`Fault`] if there is no randomness.
            pub fn generate(entropy: &dyn Entropy) -> Result<Self, Fault> {
                Ok(Self(format!("{}{}", $prefix, base62::random(entropy, RANDOM_LENGTH)?.as_str())))
            }

            /// The id that `text` is, if it is one.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                let random = text.strip_prefix($prefix)?;
                (random.len() == RANDOM_LENGTH && base62::is_base62(random)).then(|| Self(text.to_owned()))
            }

            /// Its text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }
    };
}

id! {
    /// A key's permanent identity: `key_` and 22 random base62 characters. Rotating never changes it.
    KeyId, "key_"
}

id! {
    /// A webhook endpoint's permanent identity, and the end of its address: `hook_` and 22 random base62 characters. It is never
    /// used again, so nothing that was sent to an endpoint arrives at another one of the same name.
    EndpointId, "hook_"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::Host;

    #[test]
    fn ids_parse_back_and_nothing_else_does() {
        let id = KeyId::generate(Host::system().entropy.as_ref()).unwrap();
        assert_eq!(KeyId::parse(id.as_str()), Some(id));
        for bad in
            ["", "key_", "key_short", "key_0123456789012345678901-", "KEY_0123456789012345678901", "key_01234567890123456789012"]
        {
            assert_eq!(KeyId::parse(bad), None, "{bad}");
        }
    }
}
