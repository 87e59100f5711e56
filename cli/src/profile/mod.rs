//! Profiles: where an API is, and the key to it, under a name.

use std::collections::BTreeMap;

mod choice;
mod file;
#[cfg(feature = "keyring")]
mod keyring;

pub(crate) use choice::{Choice, Environment};
pub(crate) use file::File;

use crate::{
    client::Origin,
    failure::{Failure, Kind},
    secret::Secret,
};

/// Where a profile's key is kept.
#[derive(Clone, Debug)]
pub(crate) enum Key {
    /// In the file itself, which nobody else may read.
    Here(Secret),
    /// In the operating system's keyring.
    Keyring,
}

/// A profile.
#[derive(Clone, Debug)]
pub(crate) struct Profile {
    pub(crate) origin: Origin,
    pub(crate) key: Key,
}

/// All profiles, and which is used when none is named.
#[derive(Clone, Debug, Default)]
pub(crate) struct Profiles {
    pub(crate) current: Option<String>,
    pub(crate) all: BTreeMap<String, Profile>,
}

impl Profiles {
    /// The profile of that name.
    ///
    /// # Errors
    /// That there is none, with those that there are.
    pub(crate) fn named(&self, name: &str) -> Result<&Profile, Failure> {
        self.all.get(name).ok_or_else(|| {
            let names: Vec<_> = self.all.keys().map(String::as_str).collect();
            let hint = match names[..] {
                [] => "`mbk profile add NAME --url URL` makes one.".to_owned(),
                _ => format!("There are: {}.", names.join(", ")),
            };
            Failure::usage(format!("there is no profile {name}")).with_hint(hint)
        })
    }
}

impl Profile {
    /// Its key, from wherever it is.
    ///
    /// # Errors
    /// That the keyring hasn't got it, or doesn't open.
    pub(crate) fn key(&self, name: &str) -> Result<Secret, Failure> {
        match &self.key {
            Key::Here(secret) => Ok(secret.clone()),
            Key::Keyring => from_keyring(name),
        }
    }
}

/// Keeps a key where it is kept best: in the keyring if this build and this machine have one.
pub(crate) fn keep(name: &str, secret: Secret) -> Key {
    #[cfg(feature = "keyring")]
    if keyring::put(name, &secret).is_ok() {
        return Key::Keyring;
    }
    let _ = name;
    Key::Here(secret)
}

/// Forgets what was kept elsewhere than in the file.
///
/// # Errors
/// That the keyring doesn't open: the key would stay in it.
pub(crate) fn forget(name: &str, key: &Key) -> Result<(), Failure> {
    #[cfg(feature = "keyring")]
    if matches!(key, Key::Keyring) {
        return keyring::remove(name).map_err(|error| locked(name, &error));
    }
    let _ = (name, key);
    Ok(())
}

#[cfg(feature = "keyring")]
fn from_keyring(name: &str) -> Result<Secret, Failure> {
    keyring::get(name).map_err(|error| locked(name, &error))
}

#[cfg(not(feature = "keyring"))]
fn from_keyring(name: &str) -> Result<Secret, Failure> {
    let failure =
        Failure::from(Kind::Usage(format!("the key of the profile {name} is in the keyring, which this build can't open")));
    Err(failure.with_hint("Install with `--features keyring`, or set MBK_KEY."))
}

#[cfg(feature = "keyring")]
fn locked(name: &str, error: &str) -> Failure {
    let failure = Failure::from(Kind::Usage(format!("the keyring doesn't give the key of the profile {name}: {error}")));
    failure.with_hint("Unlock it, or set MBK_KEY.")
}
