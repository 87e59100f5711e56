//! The audit: every attempt with a key, and every change of one.
//!
//! An attempt is one line on standard output, written before its answer ([`crate::telemetry::report`]): that is the audit. The
//! table has a copy that can be queried, written after answers by a [`trail`]. A change is written down before its first step
//! and after its last one, as a [`change::Event`].

pub mod attempt;
mod buffer;
pub mod change;
pub mod copies;
pub mod difference;
pub mod row;
pub mod trail;
