//! What is done with single keys.

use std::{net::IpAddr, path::PathBuf};

use clap::{ArgGroup, Args};

use super::Policy;
use crate::parse::{KeyId, Limit, Member, Moment, Owner, Seconds, When};

/// A key.
#[derive(Args, Debug)]
pub(crate) struct Id {
    /// Its id, key_…
    #[arg(value_name = "KEY")]
    pub(crate) id: KeyId,
}

/// `issue`
#[derive(Args, Debug)]
pub(crate) struct Issue {
    /// What it is for, for people
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Whose it is: user:ID or service:ID
    #[arg(long)]
    pub(crate) owner: Option<Owner>,
    /// live or test
    #[arg(long, visible_alias = "env", value_parser = ["live", "test"])]
    pub(crate) environment: Option<String>,
    /// The plan that it takes scopes, limits and rotation from
    #[arg(long, value_name = "NAME")]
    pub(crate) plan: Option<String>,
    #[command(flatten)]
    pub(crate) policy: Policy,
    /// Addresses and networks that it may be used from (repeat)
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) ip: Vec<String>,
    /// When its secret ends: 90d, 2027-01-31, or a moment
    #[arg(long, value_name = "WHEN")]
    pub(crate) expires: Option<Moment>,
    /// Something to remember it by (repeat)
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) metadata: Vec<Member>,
    /// Count its uses against its owner's limits too
    #[arg(long)]
    pub(crate) shared_limits: bool,
    /// The order as JSON, as the API takes it; flags go before it. - is standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Print the secret and nothing else, for a secret store
    #[arg(long, conflicts_with_all = ["json", "table"])]
    pub(crate) secret_only: bool,
    /// By what this order is recognised for a day, if it is sent again
    #[arg(long, value_name = "TEXT")]
    pub(crate) idempotency_key: Option<String>,
}

/// `list`
#[derive(Args, Debug)]
pub(crate) struct List {
    /// Keys of that owner
    #[arg(long, conflicts_with_all = ["environment", "status"])]
    pub(crate) owner: Option<Owner>,
    /// Keys of that environment (live, unless an owner is given)
    #[arg(long, visible_alias = "env", value_parser = ["live", "test"])]
    pub(crate) environment: Option<String>,
    /// With that status (active)
    #[arg(long, value_parser = ["active", "disabled", "revoked"])]
    pub(crate) status: Option<String>,
    /// The most keys
    #[arg(long, value_name = "NUMBER", default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) limit: u64,
    /// Where a list before ended: its next_cursor
    #[arg(long, allow_hyphen_values = true)]
    pub(crate) cursor: Option<String>,
}

/// `update`
#[derive(Args, Debug)]
pub(crate) struct Update {
    #[command(flatten)]
    pub(crate) id: Id,
    /// What it is for, for people
    #[arg(long)]
    pub(crate) name: Option<String>,
    #[command(flatten)]
    pub(crate) policy: Policy,
    /// No limits of its own
    #[arg(long, conflicts_with = "limit")]
    pub(crate) no_limits: bool,
    /// Addresses and networks that it may be used from (repeat): all of them
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) ip: Vec<String>,
    /// From anywhere
    #[arg(long, conflicts_with = "ip")]
    pub(crate) no_ips: bool,
    /// When its newest secret ends: 90d, 2027-01-31, a moment, or never
    #[arg(long, value_name = "WHEN")]
    pub(crate) expires: Option<When>,
    /// Something to remember it by (repeat): all of it
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) metadata: Vec<Member>,
    /// Whether its uses count against its owner's limits too
    #[arg(long, value_name = "true|false")]
    pub(crate) shared_limits: Option<bool>,
    /// Only if it still has this version
    #[arg(long, value_name = "VERSION")]
    pub(crate) if_version: Option<u64>,
}

/// `rotate`
#[derive(Args, Debug)]
pub(crate) struct Rotate {
    #[command(flatten)]
    pub(crate) id: Id,
    /// How long the old secret goes on: 24h, 7d, or 0 to end it now
    #[arg(long, value_name = "DURATION")]
    pub(crate) grace: Option<Seconds>,
    /// End the old secret with the first use of the new one
    #[arg(long)]
    pub(crate) until_first_use: bool,
    /// When the new secret ends: 90d, 2027-01-31, a moment, or never
    #[arg(long, value_name = "WHEN")]
    pub(crate) expires: Option<When>,
    /// Even if both secrets may be in use: ends the older one now
    #[arg(long)]
    pub(crate) force: bool,
    /// Only if it still has this version
    #[arg(long, value_name = "VERSION")]
    pub(crate) if_version: Option<u64>,
    /// Print the secret and nothing else, for a secret store
    #[arg(long, conflicts_with_all = ["json", "table"])]
    pub(crate) secret_only: bool,
    /// By what this rotation is recognised for a day, if it is sent again
    #[arg(long, value_name = "TEXT")]
    pub(crate) idempotency_key: Option<String>,
}

/// `revoke`
#[derive(Args, Debug)]
#[command(group = ArgGroup::new("whose").required(true).args(["id", "owner"]))]
pub(crate) struct Revoke {
    /// Its id, key_…
    #[arg(value_name = "KEY")]
    pub(crate) id: Option<KeyId>,
    /// All keys of that owner
    #[arg(long)]
    pub(crate) owner: Option<Owner>,
    /// Why, for the audit
    #[arg(long)]
    pub(crate) reason: String,
}

/// `check`
#[derive(Args, Debug)]
pub(crate) struct Check {
    #[command(flatten)]
    pub(crate) id: Id,
    /// The request's method
    #[arg(long, default_value = "GET")]
    pub(crate) method: String,
    /// The request's path, without a query
    #[arg(long)]
    pub(crate) path: String,
    /// Where it comes from
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) ip: Option<IpAddr>,
    /// With which of its secrets (the newest)
    #[arg(long, value_name = "NUMBER")]
    pub(crate) generation: Option<u64>,
    /// A request to the management API
    #[arg(long)]
    pub(crate) management: bool,
}

/// `import`
#[derive(Args, Debug)]
pub(crate) struct Import {
    /// CSV with a heading, or JSON lines as the API takes them. - is standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// What the file is in; without this, what its name ends in
    #[arg(long, value_parser = ["csv", "jsonl"])]
    pub(crate) format: Option<String>,
    /// live or test, where a line doesn't say
    #[arg(long, visible_alias = "env", value_parser = ["live", "test"])]
    pub(crate) environment: Option<String>,
    /// The owner, where a line doesn't say
    #[arg(long)]
    pub(crate) owner: Option<Owner>,
    /// The plan, where a line doesn't say
    #[arg(long, value_name = "NAME")]
    pub(crate) plan: Option<String>,
    /// What it may do, where a line doesn't say (repeat)
    #[arg(long)]
    pub(crate) scope: Vec<String>,
    /// How often it may be used, where a line doesn't say (repeat)
    #[arg(long, value_name = "NUMBER/PERIOD")]
    pub(crate) limit: Vec<Limit>,
    /// How many lines are sent at a time
    #[arg(long, value_name = "NUMBER", default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=32))]
    pub(crate) parallel: u8,
}
