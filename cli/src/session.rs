//! What a command works with: the API, the output, and whoever can be asked.

use std::time::Duration;

use serde_json::Value;

use crate::{
    args::Globals,
    client::{Answer, Call, Client, Settings},
    confirm::Asking,
    failure::Failure,
    hint::hint,
    output::{Clock, Form, Output, Table},
    profile::{Choice, Environment, File},
};

/// What a command works with.
#[derive(Debug)]
pub(crate) struct Session {
    client: Client,
    pub(crate) output: Output,
    pub(crate) asking: Asking,
    /// The profile whose key is used.
    pub(crate) profile: Option<String>,
    /// With which key, and where, for people.
    asked: String,
}

impl Session {
    /// The session that flags, environment and profiles make.
    ///
    /// # Errors
    /// What is missing.
    pub(crate) fn open(globals: &Globals) -> Result<Self, Failure> {
        let environment = Environment {
            url: globals.url.as_deref(),
            key: std::env::var("MBK_KEY").ok(),
            profile: globals.profile.as_deref(),
            insecure_http: globals.insecure_http,
        };
        let choice = Choice::make(&environment, File::of_user)?;
        Self::with(globals, choice)
    }

    /// The session of a choice that is made already.
    ///
    /// # Errors
    /// If TLS can't be set up.
    pub(crate) fn with(globals: &Globals, choice: Choice) -> Result<Self, Failure> {
        let (asked, profile) = (choice.told(), choice.profile.filter(|_| choice.key_of_profile));
        let timeout = Duration::from_secs(globals.timeout);
        let client = Client::new(Settings { origin: choice.origin, key: choice.key, timeout, verbose: globals.verbose })?;
        let (output, asking) = (Output::new(globals.json, globals.table), Asking::new(globals.yes));
        Ok(Self { client, output, asking, profile, asked })
    }

    /// Asks the API.
    ///
    /// # Errors
    /// What went wrong, with what to do next.
    pub(crate) async fn ask(&self, call: &Call) -> Result<Value, Failure> {
        self.client.ask(call).await.map_err(|failure| self.explained(failure))
    }

    /// Asks the API for what may hand out a secret.
    ///
    /// # Errors
    /// What went wrong, with what to do next.
    pub(crate) async fn send(&self, call: &Call) -> Result<Answer, Failure> {
        self.client.send(call).await.map_err(|failure| {
            let open = failure.is_open();
            let failure = self.explained(failure);
            match &call.once {
                // Whoever sends the same order with another text orders twice.
                Some(once) if open => failure.with_hint(format!(
                    "It may be done or not. Run the same command again with --idempotency-key {once}: then it is done once."
                )),
                _ => failure,
            }
        })
    }

    /// Asks the API for a text.
    ///
    /// # Errors
    /// What went wrong, with what to do next.
    pub(crate) async fn text(&self, call: &Call) -> Result<String, Failure> {
        self.client.text(call).await.map_err(|failure| self.explained(failure))
    }

    fn explained(&self, failure: Failure) -> Failure {
        failure.or_hint(|kind| hint(kind, &self.asked))
    }

    /// The clock, for whoever looks at the output.
    pub(crate) fn clock(&self) -> Clock {
        self.output.clock()
    }

    /// Prints a document as it is for programs, and as these tables for people.
    ///
    /// # Errors
    /// If it can't be written.
    pub(crate) fn show(&self, document: &Value, tables: impl FnOnce() -> Vec<Table>) -> Result<(), Failure> {
        if self.output.form == Form::Json {
            return self.output.json(document);
        }
        for (index, table) in tables().into_iter().enumerate() {
            if index > 0 {
                self.output.raw("")?;
            }
            self.output.table(table)?;
        }
        Ok(())
    }
}
