//! `mbk profile`: where APIs are, and the keys to them.

use std::io::{IsTerminal, Read};

use serde_json::{Value, json};
use tokio::runtime::Runtime;
use zeroize::Zeroizing;

use crate::{
    args::{AddProfile, Globals, ProfileCommand},
    client::{Call, Origin},
    confirm::Asking,
    exit::Exit,
    failure::{Failure, Kind},
    output::{Output, Table, complain, text, words},
    plain::plain,
    profile::{self, Choice, File, Key, Profile, Profiles},
    secret::Secret,
    session::Session,
};

/// The most bytes of a key on standard input.
const LONGEST_KEY: u64 = 4096;

pub(super) fn run(globals: &Globals, command: &ProfileCommand, runtime: &Runtime) -> Result<Exit, Failure> {
    let file = File::of_user()?;
    let mut profiles = file.read()?;
    match command {
        ProfileCommand::Add(add) => self::add(globals, add, &mut profiles, runtime)?,
        ProfileCommand::List => return list(globals, &profiles),
        ProfileCommand::Use { name } => {
            profiles.named(name)?;
            profiles.current = Some(name.clone());
        }
        ProfileCommand::Remove { name } => {
            let profile = profiles.named(name)?;
            let question = format!("Remove the profile {name} ({}), and its key with it?", profile.origin);
            Asking::new(globals.yes).confirm(&question)?;
            profile::forget(name, &profile.key)?;
            profiles.all.remove(name);
            profiles.current = profiles.current.take().filter(|current| current != name);
        }
    }
    file.write(&profiles)?;
    complain(&match command {
        ProfileCommand::Remove { name } => format!("The profile {name} is removed."),
        ProfileCommand::Use { name } => format!("The profile {name} is in use."),
        ProfileCommand::Add(AddProfile { name, .. }) => match &profiles.all.get(name).map(|profile| &profile.key) {
            Some(Key::Keyring) => format!("The profile {name} is in use; its key is in the keyring."),
            _ => format!("The profile {name} is in use; its key is in {}.", file.path().display()),
        },
        ProfileCommand::List => return Ok(Exit::Done),
    });
    Ok(Exit::Done)
}

fn add(globals: &Globals, add: &AddProfile, profiles: &mut Profiles, runtime: &Runtime) -> Result<(), Failure> {
    let name = &add.name;
    let valid = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if name.is_empty() || !name.bytes().all(valid) {
        return Err(Failure::usage("a profile's name has letters, digits, hyphens, dots and underscores"));
    }
    let present = profiles.all.get(name);
    if present.is_some() && !add.replace {
        return Err(
            Failure::usage(format!("there is a profile {name} already")).with_hint("Add --replace, if that is what is meant.")
        );
    }
    let origin = match (&globals.url, present) {
        (Some(url), _) => Origin::read(url, globals.insecure_http).map_err(|error| Failure::usage(format!("the URL {error}")))?,
        (None, Some(profile)) => profile.origin.clone(),
        (None, None) => return Err(Failure::usage("a profile needs --url: where the API is")),
    };
    let key = ask_for_key(name)?;
    if !add.unchecked {
        let choice = Choice { origin: origin.clone(), key: key.clone(), profile: Some(name.clone()), key_of_profile: true };
        let session = Session::with(globals, choice)?;
        let own = runtime.block_on(session.ask(&Call::get(&["self"])));
        let own = own.map_err(|failure| match failure.kind() {
            Kind::Problem(problem) if problem.status == 401 => failure.with_hint("Nothing was kept. Copy the key again, whole."),
            _ => failure,
        })?;
        complain(&greeting(&own));
    }
    let key = profile::keep(name, key);
    profiles.all.insert(name.clone(), Profile { origin, key });
    profiles.current = Some(name.clone());
    Ok(())
}

/// A key is never an argument: everybody on a machine can see those.
fn ask_for_key(name: &str) -> Result<Secret, Failure> {
    let text = if std::io::stdin().is_terminal() {
        let typed = dialoguer::Password::new().with_prompt(format!("Key of the profile {name} (it isn't shown)")).interact();
        Zeroizing::new(typed.map_err(|_| Failure::from(Kind::Interrupted("Nothing was kept.".to_owned())))?)
    } else {
        let mut text = Zeroizing::new(String::new());
        let read = std::io::stdin().lock().take(LONGEST_KEY).read_to_string(&mut text);
        read.map_err(|error| Failure::usage(format!("no key can be read from standard input: {error}")))?;
        text
    };
    Secret::read(&text)
        .ok_or_else(|| Failure::usage("that is no key: one word of visible characters").with_hint("Type or pipe it in, alone."))
}

/// What a key is, in a sentence.
fn greeting(own: &Value) -> String {
    let owner = format!("{}:{}", text(&own["owner"]["type"]), text(&own["owner"]["id"]));
    let told = format!("The key is {} of {owner}, with the scopes {}.", text(&own["name"]), words(&own["scopes"], "none"));
    plain(&told).into_owned()
}

fn list(globals: &Globals, profiles: &Profiles) -> Result<Exit, Failure> {
    let is_current = |name: &String| profiles.current.as_ref() == Some(name);
    let place = |profile: &Profile| if matches!(profile.key, Key::Keyring) { "keyring" } else { "file" };
    let entries = profiles.all.iter().map(|(name, profile)| {
        json!({ "name": name, "url": profile.origin.to_string(), "key": place(profile), "current": is_current(name) })
    });
    let document = json!({ "profiles": entries.collect::<Vec<_>>() });
    let output = Output::new(globals.json, globals.table);
    if output.form == crate::output::Form::Json {
        output.json(&document)?;
        return Ok(Exit::Done);
    }
    let mut table = Table::new(&["profile", "url", "key", "in use"]);
    for (name, profile) in &profiles.all {
        let mark = if is_current(name) { "yes" } else { "" };
        table.row([name.as_str(), &profile.origin.to_string(), place(profile), mark]);
    }
    output.table(table)?;
    Ok(Exit::Done)
}

/// Puts a new key into a profile.
///
/// # Errors
/// If it can't be kept.
pub(super) fn save(name: &str, secret: &Secret) -> Result<(), Failure> {
    let file = File::of_user()?;
    let mut profiles = file.read()?;
    let origin = profiles.named(name)?.origin.clone();
    profiles.all.insert(name.to_owned(), Profile { origin, key: profile::keep(name, secret.clone()) });
    file.write(&profiles)
}
