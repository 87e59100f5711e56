//! `mbk`: issue, look at, rotate, stop and bill API keys from a terminal or a script.
//!
//! It speaks HTTP to the management API, as `docs/api.md` has it, and links nothing of what is behind it: whatever it can do, any
//! other client can do as well. It never enters a Lambda.
//!
//! A secret is printed in one place: by the command that has just received it. What the API answers is cleared of secrets when it
//! comes in (`client`), so nothing else has one to print.

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches};

mod args;
mod client;
mod commands;
mod confirm;
mod exit;
mod failure;
mod guard;
mod hint;
mod output;
mod parse;
mod plain;
mod profile;
mod secret;
mod session;

use args::Arguments;
use exit::Exit;
use failure::Failure;
use guard::Guard;

/// The command line, for completions, the manual page, and whoever holds the documentation to it.
#[must_use]
pub fn command() -> clap::Command {
    Arguments::command()
}

/// Runs what the process was called with. What ends badly says so on standard error, with what to do next.
#[must_use]
pub fn run() -> ExitCode {
    let arguments = match command().try_get_matches().and_then(|matches| Arguments::from_arg_matches(&matches)) {
        Ok(arguments) => arguments,
        Err(error) => return misspelled(&error).into(),
    };
    match commands::run(&arguments) {
        Ok(exit) => exit.into(),
        Err(failure) => {
            report(&failure);
            failure.exit().into()
        }
    }
}

/// Help and version are no errors. An error repeats what was written, which may be a secret in the wrong place.
fn misspelled(error: &clap::Error) -> Exit {
    if !error.use_stderr() {
        let _ = error.print();
        return Exit::Done;
    }
    let text = Guard::default().cut(&error.to_string()).into_owned();
    output::complain(text.trim_end());
    Exit::Usage
}

fn report(failure: &Failure) {
    if failure.is_broken_pipe() {
        return;
    }
    let label = terminal::style("error:").red().bold().for_stderr();
    output::complain(&format!("{label} {failure}"));
    if let Some(hint) = failure.hint() {
        output::complain(&format!("  {} {hint}", terminal::style("what to do:").bold().for_stderr()));
    }
}
