//! `mbk` itself, against the real local system on a port of its own, and against servers that mean no good.

mod api;
mod documented;
#[cfg(unix)]
mod follow;
mod hostile;
mod import;
mod journey;
mod lost;
mod mbk;
mod profiles;
mod raw_server;
#[cfg(unix)]
mod terminal;
