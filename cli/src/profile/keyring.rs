//! Keys in the operating system's keyring: Keychain, Credential Manager, or the Secret Service of a desktop.

use keyring::v1::Entry;

use crate::secret::Secret;

const SERVICE: &str = "mbk";

pub(super) fn get(name: &str) -> Result<Secret, String> {
    let text = entry(name)?.get_password().map_err(|error| error.to_string())?;
    Secret::read(&text).ok_or_else(|| "what is in it is no key".to_owned())
}

pub(super) fn put(name: &str, secret: &Secret) -> Result<(), String> {
    entry(name)?.set_password(secret.expose()).map_err(|error| error.to_string())
}

pub(super) fn remove(name: &str) -> Result<(), String> {
    entry(name)?.delete_credential().map_err(|error| error.to_string())
}

fn entry(name: &str) -> Result<Entry, String> {
    Entry::new(SERVICE, name).map_err(|error| error.to_string())
}
