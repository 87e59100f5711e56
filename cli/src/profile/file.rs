//! The file of profiles: `mbk/profiles.toml` in the user's folder for configuration, for the user's eyes only.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, ErrorKind, Write},
    path::{Path, PathBuf},
};

use etcetera::BaseStrategy;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{Key, Profile, Profiles};
use crate::{client::Origin, failure::Failure, secret::Secret};

/// Where the profiles are.
#[derive(Clone, Debug)]
pub(crate) struct File(PathBuf);

/// The file, as it is written.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Written {
    current: Option<String>,
    #[serde(default)]
    profiles: BTreeMap<String, Entry>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    url: String,
    /// Whether others between here and there may read the key.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    insecure_http: bool,
    /// None: it is in the keyring.
    key: Option<String>,
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entry").field("url", &self.url).finish_non_exhaustive()
    }
}

impl File {
    /// Where this user's profiles are.
    ///
    /// # Errors
    /// If nobody knows where the user's home is.
    pub(crate) fn of_user() -> Result<Self, Failure> {
        let base = etcetera::choose_base_strategy();
        let base = base.map_err(|error| Failure::usage(format!("there is no place for profiles: {error}")))?;
        Ok(Self(base.config_dir().join("mbk").join("profiles.toml")))
    }

    /// Profiles somewhere else.
    #[cfg(test)]
    pub(crate) const fn at(path: PathBuf) -> Self {
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// What is in it; nothing, if there is none.
    ///
    /// # Errors
    /// If others may read it, or if it can't be understood.
    pub(crate) fn read(&self) -> Result<Profiles, Failure> {
        let path = self.0.display();
        let mut file = match fs::File::open(&self.0) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Profiles::default()),
            Err(error) => return Err(Failure::usage(format!("{path} can't be read: {error}"))),
        };
        self.check(&file)?;
        let mut text = Zeroizing::new(String::new());
        io::Read::read_to_string(&mut file, &mut text)
            .map_err(|error| Failure::usage(format!("{path} can't be read: {error}")))?;
        // The parser's own message would show the line, which may be that of a key.
        let written: Written = toml::from_str(&text).map_err(|error| {
            let line = error.span().map_or(1, |span| text[..span.start].lines().count().max(1));
            Failure::usage(format!("{path} can't be understood, from line {line} on"))
                .with_hint("Correct it, or remove it and add the profiles again.")
        })?;
        let profile = |(name, Entry { url, insecure_http, key }): (String, Entry)| {
            let origin = Origin::read(&url, insecure_http);
            let origin = origin.map_err(|error| Failure::usage(format!("{path}: the url of {name} {error}")))?;
            let key = match key.map(Zeroizing::new) {
                Some(key) => {
                    Key::Here(Secret::read(&key).ok_or_else(|| Failure::usage(format!("{path}: the key of {name} is none")))?)
                }
                None => Key::Keyring,
            };
            Ok((name, Profile { origin, key }))
        };
        let all = written.profiles.into_iter().map(profile).collect::<Result<_, Failure>>()?;
        Ok(Profiles { current: written.current, all })
    }

    /// Puts `profiles` there, whole or not at all.
    ///
    /// # Errors
    /// If it can't be written.
    pub(crate) fn write(&self, profiles: &Profiles) -> Result<(), Failure> {
        let entry = |(name, profile): (&String, &Profile)| {
            let key = match &profile.key {
                Key::Here(secret) => Some(secret.expose().to_owned()),
                Key::Keyring => None,
            };
            let insecure_http = !profile.origin.is_encrypted() && !profile.origin.is_here();
            (name.clone(), Entry { url: profile.origin.to_string(), insecure_http, key })
        };
        let written = Written { current: profiles.current.clone(), profiles: profiles.all.iter().map(entry).collect() };
        let text = toml::to_string(&written).map(Zeroizing::new);
        let text = text.map_err(|error| Failure::usage(format!("the profiles can't be written: {error}")))?;
        self.replace(&text).map_err(|error| Failure::usage(format!("{} can't be written: {error}", self.0.display())))
    }

    fn replace(&self, text: &str) -> io::Result<()> {
        let folder = self.0.parent().unwrap_or(Path::new("."));
        create_private_folder(folder)?;
        let new = self.0.with_extension(format!("toml.{}", std::process::id()));
        let written = create_private_file(&new).and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        });
        let done = written.and_then(|()| fs::rename(&new, &self.0));
        if done.is_err() {
            let _ = fs::remove_file(&new);
        }
        done
    }

    /// Fails if anybody but its owner may read or write it.
    #[cfg(unix)]
    fn check(&self, file: &fs::File) -> Result<(), Failure> {
        use std::os::unix::fs::PermissionsExt;
        let path = self.0.display();
        let metadata = file.metadata().map_err(|error| Failure::usage(format!("{path} can't be read: {error}")))?;
        let mode = metadata.permissions().mode() & 0o777;
        if mode & 0o077 == 0 {
            return Ok(());
        }
        let failure = Failure::usage(format!("{path} has the mode {mode:o}: others on this machine may have read its keys"));
        Err(failure.with_hint(format!("`chmod 600 {path}`; and if there are others, rotate the keys: `mbk self rotate`.")))
    }

    #[cfg(not(unix))]
    #[expect(clippy::unused_self, reason = "elsewhere, a user's folder is the user's alone")]
    fn check(&self, _: &fs::File) -> Result<(), Failure> {
        Ok(())
    }
}

#[cfg(unix)]
fn create_private_folder(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn create_private_folder(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)
}

/// A file that nobody else could have opened, at no moment.
#[cfg(unix)]
fn create_private_file(path: &Path) -> io::Result<fs::File> {
    use std::os::unix::fs::OpenOptionsExt;
    fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

#[cfg(not(unix))]
fn create_private_file(path: &Path) -> io::Result<fs::File> {
    fs::OpenOptions::new().write(true).create_new(true).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(folder: &tempfile::TempDir) -> File {
        File(folder.path().join("mbk").join("profiles.toml"))
    }

    fn profiles() -> Profiles {
        let key = Key::Here(Secret::read("mbk_live_0123456789abcdefghijklmnopqrstuv").unwrap());
        let profile = Profile { origin: "http://127.0.0.1:3000".parse().unwrap(), key };
        Profiles { current: Some("local".to_owned()), all: BTreeMap::from([("local".to_owned(), profile)]) }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let file = file(&folder);
        assert!(file.read().unwrap().all.is_empty());
        file.write(&profiles()).unwrap();
        file.write(&profiles()).unwrap();
        let read = file.read().unwrap();
        assert_eq!(read.current.as_deref(), Some("local"));
        assert_eq!(read.all["local"].key("local").unwrap(), profiles().all["local"].key("local").unwrap());
        assert_eq!(fs::read_dir(folder.path().join("mbk")).unwrap().count(), 1, "no half-written file is left");
    }

    #[test]
    fn a_broken_file_is_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        let file = file(&folder);
        file.write(&profiles()).unwrap();
        let text = fs::read_to_string(file.path()).unwrap().replace("key = ", "key == ");
        file.replace(&text).unwrap();
        let failure = file.read().unwrap_err();
        assert!(failure.to_string().contains("from line"), "{failure}");
        assert!(!format!("{failure:?}").contains("0123456789"), "{failure:?}");
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_may_read_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let file = file(&folder);
        file.write(&profiles()).unwrap();
        assert_eq!(fs::metadata(file.path()).unwrap().permissions().mode() & 0o777, 0o600);
        fs::set_permissions(file.path(), fs::Permissions::from_mode(0o640)).unwrap();
        let failure = file.read().unwrap_err();
        assert!(failure.to_string().contains("has the mode 640"), "{failure}");
        assert!(failure.hint().unwrap().starts_with("`chmod 600 "), "{failure:?}");
    }
}
