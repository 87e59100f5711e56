//! The command line. Its texts are the help, the completions and the manual page.

use clap::{Args, Parser, Subcommand};

mod audit;
mod keys;
mod policy;
mod profiles;

pub(crate) use audit::{Audit, Usage};
pub(crate) use keys::{Check, Id, Import, Issue, List, Revoke, Rotate, Update};
pub(crate) use policy::{LimitsCommand, OwnCommand, OwnKey, OwnRotation, PlansCommand, Policy, PutPlan};
pub(crate) use profiles::{AddProfile, ProfileCommand};

/// Exit codes, for the help.
const EXIT_CODES: &str = "Exit codes: 0 done; 1 refused; 2 it can't be asked for like that, nothing was sent; 3 no usable answer; \
                          130 interrupted.\nWithout a terminal, output is JSON.";

/// API keys from a terminal: issue, rotate, stop, bill, audit.
#[derive(Debug, Parser)]
#[command(name = "mbk", version, max_term_width = 110, after_help = EXIT_CODES, arg_required_else_help = true)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) globals: Globals,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command takes.
#[derive(Args, Debug)]
#[command(next_help_heading = "For every command")]
pub(crate) struct Globals {
    /// The profile to use, instead of the one in use
    #[arg(long, global = true, env = "MBK_PROFILE", hide_env_values = true, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// Where the API is; the key comes from MBK_KEY, or from a profile of the same server
    #[arg(long, global = true, env = "MBK_URL", hide_env_values = true, value_name = "URL")]
    pub(crate) url: Option<String>,
    /// Answer in JSON, as the API does
    #[arg(long, global = true, conflicts_with = "table")]
    pub(crate) json: bool,
    /// Answer in tables, even without a terminal
    #[arg(long, global = true)]
    pub(crate) table: bool,
    /// Don't ask before what can't be undone
    #[arg(long, short, global = true)]
    pub(crate) yes: bool,
    /// Say on standard error what is asked, and how and when it is answered
    #[arg(long, short, global = true)]
    pub(crate) verbose: bool,
    /// How long one try may take
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = 35, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub(crate) timeout: u64,
    /// Send the key over http:// to another machine: whoever is between can read it
    #[arg(long, global = true)]
    pub(crate) insecure_http: bool,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Issue a key, and print its secret, once
    Issue(Box<Issue>),
    /// List an owner's keys, or an environment's by status
    List(List),
    /// Show a key
    Show(Id),
    /// Change a key: what is given changes, all else stays
    Update(Box<Update>),
    /// Give a key a new secret, and print it, once
    Rotate(Rotate),
    /// Refuse a key for now
    Disable(Id),
    /// Let a disabled key in again
    Enable(Id),
    /// Refuse a key for good, or all keys of an owner
    Revoke(Revoke),
    /// How often a key, or an owner's keys, were used
    Usage(Usage),
    /// Who used a key, or without one, who changed what
    Audit(Audit),
    /// Would a request pass? Exits with 1 if it wouldn't
    Check(Check),
    /// What a key has more of than it uses
    Advice(Id),
    /// Import secrets from elsewhere, line by line
    Import(Import),
    /// Plans that keys are issued with
    #[command(subcommand)]
    Plans(PlansCommand),
    /// Limits that an owner's keys share
    #[command(subcommand)]
    Limits(LimitsCommand),
    /// What the key in use is; any key may ask
    #[command(name = "self")]
    Own(OwnKey),
    /// Where APIs are, and the keys to them
    #[command(subcommand)]
    Profile(ProfileCommand),
    /// Print completions for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    Man,
}
