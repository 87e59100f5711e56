//! Which API is asked, with which key: flags before the environment, and that before profiles. A key goes only to the server that it was
//! given for.

use super::{File, Profiles};
use crate::{client::Origin, failure::Failure, secret::Secret};

/// What the flags and the environment say.
#[derive(Debug)]
pub(crate) struct Environment<'a> {
    /// `--url` or `MBK_URL`.
    pub(crate) url: Option<&'a str>,
    /// `MBK_KEY`. It is no flag: everybody on a machine can see what programs are called with.
    pub(crate) key: Option<String>,
    /// `--profile` or `MBK_PROFILE`.
    pub(crate) profile: Option<&'a str>,
    /// `--insecure-http`.
    pub(crate) insecure_http: bool,
}

/// Which API is asked, with which key.
#[derive(Debug)]
pub(crate) struct Choice {
    pub(crate) origin: Origin,
    pub(crate) key: Secret,
    /// The profile that either of them is of.
    pub(crate) profile: Option<String>,
    /// Whether the key is the profile's.
    pub(crate) key_of_profile: bool,
}

impl Choice {
    /// What is meant. The file is only looked at if it is needed.
    ///
    /// # Errors
    /// That something is missing, or that a profile's key would go to another server than the profile's.
    pub(crate) fn make(environment: &Environment<'_>, file: impl FnOnce() -> Result<File, Failure>) -> Result<Self, Failure> {
        let url = environment.url.map(|url| Origin::read(url, environment.insecure_http)).transpose();
        let url = url.map_err(|error| Failure::usage(format!("the URL {error}")))?;
        let key = environment.key.as_deref().filter(|key| !key.is_empty());
        let key = key.map(|key| Secret::read(key).ok_or_else(|| Failure::usage("MBK_KEY holds no key"))).transpose()?;
        if let (Some(origin), Some(key)) = (&url, &key) {
            return Ok(Self { origin: origin.clone(), key: key.clone(), profile: None, key_of_profile: false });
        }
        let profiles = file()?.read()?;
        let name = name(environment.profile, &profiles, url.is_some())?;
        let profile = profiles.named(&name)?;
        if let (Some(url), None) = (&url, &key)
            && !url.is_same_server(&profile.origin)
        {
            let text = format!("the key of the profile {name} is for {}, and not for {url}", profile.origin);
            return Err(Failure::usage(text).with_hint("Set MBK_KEY as well, or make a profile for that address."));
        }
        let key_of_profile = key.is_none();
        let key = key.map_or_else(|| profile.key(&name), Ok)?;
        Ok(Self { origin: url.unwrap_or_else(|| profile.origin.clone()), key, profile: Some(name), key_of_profile })
    }

    /// With which key, and where, for people.
    pub(crate) fn told(&self) -> String {
        match &self.profile {
            Some(name) if self.key_of_profile => format!("the key of the profile {name} at {}", self.origin),
            _ => format!("MBK_KEY at {}", self.origin),
        }
    }
}

fn name(asked: Option<&str>, profiles: &Profiles, has_url: bool) -> Result<String, Failure> {
    let name = asked.or(profiles.current.as_deref());
    name.map(ToOwned::to_owned).ok_or_else(|| {
        let missing = if has_url { "there is no key to ask with" } else { "there is no API to ask" };
        let failure = Failure::usage(format!("{missing}: no profile is in use, and MBK_URL and MBK_KEY are not both set"));
        failure.with_hint("`mbk profile add NAME --url URL` asks for the key, and keeps both.")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profiles_key_goes_to_its_server_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = File::at(folder.path().join("profiles.toml"));
        let key = super::super::Key::Here(Secret::read("profiles-key").unwrap());
        let profile = super::super::Profile { origin: "http://127.0.0.1:3000".parse().unwrap(), key };
        let all = [("local".to_owned(), profile)].into();
        file.write(&Profiles { current: Some("local".to_owned()), all }).unwrap();
        let choose = |url, key: Option<&str>, profile| {
            let environment = Environment { url, key: key.map(ToOwned::to_owned), profile, insecure_http: false };
            let choice = Choice::make(&environment, || Ok(file.clone()));
            choice.map(|choice| format!("{} {}", choice.origin, choice.key.expose())).map_err(|failure| failure.to_string())
        };
        let (here, elsewhere) = (Some("http://127.0.0.1:3000/live"), Some("http://127.0.0.1:4000"));
        assert_eq!(choose(None, None, None).unwrap(), "http://127.0.0.1:3000 profiles-key");
        assert_eq!(choose(here, None, None).unwrap(), "http://127.0.0.1:3000/live profiles-key");
        assert_eq!(choose(None, Some("k"), None).unwrap(), "http://127.0.0.1:3000 k");
        assert_eq!(choose(elsewhere, Some("k"), None).unwrap(), "http://127.0.0.1:4000 k");
        assert!(choose(elsewhere, None, None).unwrap_err().contains("and not for"));
        assert!(choose(None, None, Some("other")).unwrap_err().contains("no profile other"));
        assert!(choose(None, Some("a b"), None).unwrap_err().contains("MBK_KEY holds no key"));
    }

    #[test]
    fn without_profiles_it_says_what_is_missing() {
        let folder = tempfile::tempdir().unwrap();
        let file = File::at(folder.path().join("profiles.toml"));
        for (url, missing) in [(None, "no API to ask"), (Some("https://api.example.com"), "no key to ask with")] {
            let environment = Environment { url, key: None, profile: None, insecure_http: false };
            let failure = Choice::make(&environment, || Ok(file.clone())).unwrap_err();
            assert!(failure.to_string().contains(missing), "{failure}");
        }
    }
}
