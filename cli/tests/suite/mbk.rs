//! The binary, as a script calls it: with an environment of its own, and with everything kept that it ever said.

use std::{
    cell::RefCell,
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

/// The binary, for one API and one user.
pub(crate) struct Mbk {
    pub(crate) home: TempDir,
    url: Option<String>,
    key: Option<String>,
    /// What it has said that must have no secret in it.
    said: RefCell<Vec<String>>,
    /// Every secret that was handed out or in.
    secrets: RefCell<Vec<String>>,
}

/// What came of a run.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    /// The one document that was printed.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }
}

impl Mbk {
    /// For that API, with that key in the environment.
    pub(crate) fn new(url: &str, key: &str) -> Self {
        let mbk = Self { url: Some(url.to_owned()), key: Some(key.to_owned()), ..Self::without_environment() };
        mbk.knows(key);
        mbk
    }

    /// Without anything in the environment.
    pub(crate) fn without_environment() -> Self {
        let home = tempfile::tempdir().unwrap();
        Self { home, url: None, key: None, said: RefCell::default(), secrets: RefCell::default() }
    }

    /// A secret that must never be printed.
    pub(crate) fn knows(&self, secret: &str) {
        self.secrets.borrow_mut().push(secret.to_owned());
    }

    pub(crate) fn config(&self) -> std::path::PathBuf {
        self.home.path().join("config/mbk/profiles.toml")
    }

    /// The command, not yet started.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mbk"));
        command.args(arguments).current_dir(self.home.path());
        for name in ["MBK_PROFILE", "MBK_URL", "MBK_KEY", "MBK_OUTPUT", "NO_COLOR", "CLICOLOR_FORCE", "HTTP_PROXY", "http_proxy"]
        {
            command.env_remove(name);
        }
        command.env("HOME", self.home.path()).env("XDG_CONFIG_HOME", self.home.path().join("config"));
        for (name, value) in [("MBK_URL", &self.url), ("MBK_KEY", &self.key)] {
            if let Some(value) = value {
                command.env(name, value);
            }
        }
        command
    }

    /// Runs it; it has no secret to print.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        self.run_with(arguments, "")
    }

    /// The same with something on standard input.
    pub(crate) fn run_with(&self, arguments: &[&str], input: &str) -> Ran {
        let ran = run(&mut self.command(arguments), input);
        self.said.borrow_mut().extend([ran.out.clone(), ran.err.clone()]);
        ran
    }

    /// Runs what must work, and gives its document.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let ran = self.run(arguments);
        assert_eq!(ran.code, 0, "{arguments:?}: {ran:?}");
        ran.json()
    }

    /// Runs what hands out a secret: that must be on standard output once, and nowhere else.
    pub(crate) fn handed_out(&self, arguments: &[&str]) -> (Value, String) {
        let ran = run(&mut self.command(arguments), "");
        assert_eq!(ran.code, 0, "{arguments:?}: {ran:?}");
        let document = ran.json();
        let secret = document["secret"].as_str().expect("a secret").to_owned();
        assert_eq!(ran.out.matches(&secret).count(), 1);
        self.said.borrow_mut().extend([ran.err, ran.out.replace(&secret, "")]);
        self.knows(&secret);
        (document, secret)
    }

    /// No secret was printed, but where it was handed out.
    pub(crate) fn assert_silent(&self) {
        let (said, secrets) = (self.said.borrow(), self.secrets.borrow());
        assert!(!said.is_empty() && !secrets.is_empty());
        for secret in secrets.iter() {
            // Nor most of one.
            let most = &secret[..secret.len() * 2 / 3];
            let leaked = said.iter().find(|said| said.contains(most));
            assert!(leaked.is_none(), "{secret} in {leaked:?}");
        }
    }

    /// Writes a file where the command runs.
    pub(crate) fn file(&self, name: &str, content: &str) {
        std::fs::write(self.home.path().join(Path::new(name)), content).unwrap();
    }
}

fn run(command: &mut Command, input: &str) -> Ran {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A command that reads nothing may have ended already.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
}
