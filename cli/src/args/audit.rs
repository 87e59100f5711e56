//! What was done: usage and audit.

use clap::{ArgGroup, Args};

use crate::parse::{Day, KeyId, Owner, Seconds};

/// `usage`
#[derive(Args, Debug)]
#[command(group = ArgGroup::new("whose").required(true).args(["id", "owner"]))]
pub(crate) struct Usage {
    /// Its id, key_…
    #[arg(value_name = "KEY")]
    pub(crate) id: Option<KeyId>,
    /// All keys of that owner
    #[arg(long)]
    pub(crate) owner: Option<Owner>,
    /// From that day on
    #[arg(long, value_name = "DAY")]
    pub(crate) from: Option<Day>,
    /// Up to that day
    #[arg(long, value_name = "DAY")]
    pub(crate) to: Option<Day>,
    /// By month instead of by day
    #[arg(long)]
    pub(crate) monthly: bool,
    /// As a table for a spreadsheet
    #[arg(long, conflicts_with_all = ["json", "table"])]
    pub(crate) csv: bool,
}

/// `audit`
#[derive(Args, Debug)]
pub(crate) struct Audit {
    /// The key whose uses are shown; without one, changes of keys are
    #[arg(value_name = "KEY")]
    pub(crate) id: Option<KeyId>,
    /// allowed, refused, or the code of a refusal such as rate_limited
    #[arg(long, requires = "id")]
    pub(crate) outcome: Option<String>,
    /// From that day on
    #[arg(long, value_name = "DAY", requires = "id", conflicts_with = "follow")]
    pub(crate) from: Option<Day>,
    /// Up to that day
    #[arg(long, value_name = "DAY", requires = "id", conflicts_with = "follow")]
    pub(crate) to: Option<Day>,
    /// The changes of that day (today, UTC)
    #[arg(long, value_name = "DAY", conflicts_with_all = ["id", "follow"])]
    pub(crate) day: Option<Day>,
    /// The most entries, newest first
    #[arg(long, value_name = "NUMBER", default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) limit: u64,
    /// Go on with what comes, oldest first, until Ctrl-C
    #[arg(long, short)]
    pub(crate) follow: bool,
    /// How often to look for what has come
    #[arg(long, value_name = "DURATION", default_value = "2s", requires = "follow")]
    pub(crate) interval: Seconds,
}
