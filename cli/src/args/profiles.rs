//! Profiles.

use clap::{Args, Subcommand};

/// `profile`
#[derive(Debug, Subcommand)]
pub(crate) enum ProfileCommand {
    /// Add a profile; the key is asked for, or read from standard input
    Add(AddProfile),
    /// List profiles
    List,
    /// Use a profile from now on
    Use {
        /// Its name
        name: String,
    },
    /// Remove a profile, and the key with it
    Remove {
        /// Its name
        name: String,
    },
}

/// `profile add`; its address is the flag that every command takes.
#[derive(Args, Debug)]
pub(crate) struct AddProfile {
    /// Its name
    pub(crate) name: String,
    /// In the place of one of that name
    #[arg(long)]
    pub(crate) replace: bool,
    /// Keep it without asking the API whether the key is good
    #[arg(long)]
    pub(crate) unchecked: bool,
}
