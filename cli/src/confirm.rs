//! Asking before something that can't be undone.

use std::io::IsTerminal;

use dialoguer::{Confirm, Input};

use crate::failure::{Failure, Kind};

/// How questions are answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asking {
    /// `--yes`: with yes.
    Agreed,
    /// By whoever sits at the terminal.
    Somebody,
    /// Nobody is there.
    Nobody,
}

impl Asking {
    /// As `--yes` and the terminal have it.
    pub(crate) fn new(agreed: bool) -> Self {
        match (agreed, std::io::stdin().is_terminal() && std::io::stderr().is_terminal()) {
            (true, _) => Self::Agreed,
            (false, true) => Self::Somebody,
            (false, false) => Self::Nobody,
        }
    }

    /// Goes on only if the answer to `question` is yes.
    ///
    /// # Errors
    /// That it is no, or that nobody can be asked.
    pub(crate) fn confirm(self, question: &str) -> Result<(), Failure> {
        self.ask(|| Confirm::new().with_prompt(question).default(false).interact(), question)
    }

    /// Goes on only if `word` is typed: for what touches many keys at once.
    ///
    /// # Errors
    /// That it isn't, or that nobody can be asked.
    pub(crate) fn confirm_by(self, question: &str, word: &str) -> Result<(), Failure> {
        let ask = || {
            let typed = Input::<String>::new().with_prompt(format!("{question} Type {word} to do so")).allow_empty(true);
            typed.interact_text().map(|typed| typed.trim() == word)
        };
        self.ask(ask, question)
    }

    fn ask(self, ask: impl FnOnce() -> dialoguer::Result<bool>, question: &str) -> Result<(), Failure> {
        match self {
            Self::Agreed => Ok(()),
            Self::Nobody => {
                let failure = Failure::usage(format!("this needs a yes, and there is no terminal to ask on: {question}"));
                Err(failure.with_hint("Add --yes, if that is what is meant."))
            }
            Self::Somebody => match ask() {
                Ok(true) => Ok(()),
                Ok(false) => Err(Kind::Declined.into()),
                Err(_) => Err(Kind::Interrupted("Nothing was changed.".to_owned()).into()),
            },
        }
    }
}
