//! What is written on a command line: each a type that can't be wrong, with one sentence for whoever wrote it wrongly.

mod id;
mod limit;
mod metadata;
mod owner;
mod when;

pub(crate) use id::KeyId;
pub(crate) use limit::Limit;
pub(crate) use metadata::Member;
pub(crate) use owner::Owner;
pub(crate) use when::{Day, Moment, Seconds, When};

/// Why a text isn't what it should be.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Misspelled(pub(crate) &'static str);
