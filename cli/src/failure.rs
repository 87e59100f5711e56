//! Why a command didn't do what it was asked for: a sentence, a way out, and an exit code.

use std::{fmt, io};

use crate::{client::Problem, exit::Exit};

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Kind {
    /// It can't be asked for like that; nothing was sent.
    #[error("{0}")]
    Usage(String),
    /// Somebody said no.
    #[error("Nothing was changed.")]
    Declined,
    /// The API said no, or that it failed.
    #[error("{0}")]
    Problem(Problem),
    /// Nobody could be asked: nothing was sent.
    #[error("{0}")]
    Unreachable(String),
    /// It was sent, and no answer came.
    #[error("{0}")]
    Lost(String),
    /// The answer isn't one of this API, and asking again would give the same.
    #[error("{0}")]
    Unintelligible(String),
    /// What was to be shown couldn't be.
    #[error("the output can't be written: {0}")]
    Output(io::Error),
    /// Of several things, some failed; each has been told of.
    #[error("{0}")]
    Partly(String),
    /// Ctrl-C.
    #[error("{0}")]
    Interrupted(String),
}

/// What went wrong, and what to do next.
#[derive(Debug)]
pub(crate) struct Failure {
    kind: Kind,
    hint: Option<String>,
}

impl Failure {
    /// A command that can't be.
    pub(crate) fn usage(text: impl Into<String>) -> Self {
        Kind::Usage(text.into()).into()
    }

    /// The same failure with what to do next, unless that is known already.
    #[must_use]
    pub(crate) fn or_hint(mut self, hint: impl FnOnce(&Kind) -> Option<String>) -> Self {
        self.hint = self.hint.or_else(|| hint(&self.kind));
        self
    }

    /// The same failure with a better thing to do next.
    #[must_use]
    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) const fn kind(&self) -> &Kind {
        &self.kind
    }

    pub(crate) fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// The problem that the API told of.
    pub(crate) const fn problem(&self) -> Option<&Problem> {
        match &self.kind {
            Kind::Problem(problem) => Some(problem),
            _ => None,
        }
    }

    /// Whether the API answered with that code.
    pub(crate) fn is(&self, code: &str) -> bool {
        self.problem().is_some_and(|problem| problem.code.as_deref() == Some(code))
    }

    /// Whether nobody knows if it was done.
    pub(crate) fn is_open(&self) -> bool {
        match &self.kind {
            Kind::Lost(_) => true,
            Kind::Problem(problem) => problem.status >= 500,
            _ => false,
        }
    }

    /// Whoever read the output wants no more of it, as after `| head`: that is no failure to tell of.
    pub(crate) fn is_broken_pipe(&self) -> bool {
        matches!(&self.kind, Kind::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }

    pub(crate) fn exit(&self) -> Exit {
        match &self.kind {
            Kind::Usage(_) | Kind::Output(_) => Exit::Usage,
            Kind::Problem(problem) if problem.status >= 500 => Exit::Unreachable,
            Kind::Problem(_) | Kind::Declined | Kind::Partly(_) => Exit::Refused,
            Kind::Unreachable(_) | Kind::Lost(_) | Kind::Unintelligible(_) => Exit::Unreachable,
            Kind::Interrupted(_) => Exit::Interrupted,
        }
    }
}

impl From<Kind> for Failure {
    fn from(kind: Kind) -> Self {
        Self { kind, hint: None }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Kind::Output(error).into()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)
    }
}
