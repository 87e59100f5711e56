//! What keys may do, and how often: of a key, of a plan, of an owner.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand};

use crate::parse::{Limit, Owner, Seconds};

/// What keys and plans have in common.
#[derive(Args, Debug)]
pub(crate) struct Policy {
    /// What it may do (repeat): read, write, delete, admin, self:rotate, or an endpoint such as "GET /reports/{id}"
    #[arg(long)]
    pub(crate) scope: Vec<String>,
    /// How often it may be used (repeat): 5/minute; second, minute, hour, day or month
    #[arg(long, value_name = "NUMBER/PERIOD")]
    pub(crate) limit: Vec<Limit>,
    /// After how many days a new secret is due, or never
    #[arg(long, value_name = "DAYS", value_parser = days)]
    pub(crate) rotate_every: Option<Days>,
}

/// A number of days; none is never.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Days(pub(crate) Option<u32>);

fn days(text: &str) -> Result<Days, &'static str> {
    match text {
        "never" => Ok(Days(None)),
        days => days.parse().map(|days| Days(Some(days))).map_err(|_| "must be a number of days, or never"),
    }
}

/// `plans`
#[derive(Debug, Subcommand)]
pub(crate) enum PlansCommand {
    /// List all plans
    List,
    /// Show a plan
    Show {
        /// Its name
        name: String,
    },
    /// Put a plan, whole; keys that have been issued with it stay as they are
    Put(PutPlan),
}

/// `plans put`
#[derive(Args, Debug)]
pub(crate) struct PutPlan {
    /// Its name
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) policy: Policy,
    /// The plan as JSON, as the API takes it; flags go before it. - is standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
}

/// `limits`
#[derive(Debug, Subcommand)]
pub(crate) enum LimitsCommand {
    /// Show what an owner's keys share
    Show {
        /// The owner: user:ID or service:ID
        owner: Owner,
    },
    /// Put what an owner's keys share, whole
    Put(PutLimits),
}

/// `limits put`
#[derive(Args, Debug)]
#[command(group = ArgGroup::new("which").required(true).multiple(true).args(["limit", "none"]))]
pub(crate) struct PutLimits {
    /// The owner: user:ID or service:ID
    pub(crate) owner: Owner,
    /// How often all of them together may be used (repeat)
    #[arg(long, value_name = "NUMBER/PERIOD")]
    pub(crate) limit: Vec<Limit>,
    /// As often as each may by itself
    #[arg(long, conflicts_with = "limit")]
    pub(crate) none: bool,
}

/// `self`
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct OwnKey {
    #[command(subcommand)]
    pub(crate) command: Option<OwnCommand>,
}

/// What a key may do with itself.
#[derive(Debug, Subcommand)]
pub(crate) enum OwnCommand {
    /// Give the key in use a new secret; it needs the scope self:rotate
    Rotate(OwnRotation),
}

/// `self rotate`
#[derive(Args, Debug)]
pub(crate) struct OwnRotation {
    /// How long the old secret goes on: 24h, 7d, or 0 to end it now
    #[arg(long, value_name = "DURATION")]
    pub(crate) grace: Option<Seconds>,
    /// End the old secret with the first use of the new one
    #[arg(long)]
    pub(crate) until_first_use: bool,
    /// Keep the new secret in the profile, and don't print it
    #[arg(long, conflicts_with = "secret_only")]
    pub(crate) save: bool,
    /// Print the secret and nothing else, for a secret store
    #[arg(long, conflicts_with_all = ["json", "table"])]
    pub(crate) secret_only: bool,
    /// By what this rotation is recognised for a day, if it is sent again
    #[arg(long, value_name = "TEXT")]
    pub(crate) idempotency_key: Option<String>,
}
