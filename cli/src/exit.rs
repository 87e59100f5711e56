//! How a run ends. Scripts decide by these numbers: they never change their meaning.

use std::process::ExitCode;

/// The exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// It is done.
    Done = 0,
    /// The API refused it, or `check` found that a request would be refused, or the question was answered with no.
    Refused = 1,
    /// It can't be asked for like that, and nothing was sent.
    Usage = 2,
    /// No answer, or one that is a fault of the other side: it may be done or not.
    Unreachable = 3,
    /// Ctrl-C, as shells have it.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
