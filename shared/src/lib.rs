//! The library of the API-key system: everything that is not wiring.
//!
//! Rules are pure and take time and randomness as parameters: [`key`], [`path`], [`scope`], [`address`], [`limit`],
//! [`record`], [`decision`], [`rotation`]. Around them are [`store`], the only place that knows DynamoDB, [`secrets`],
//! the peppers, and what puts both to use: [`verify`] for the [`authenticator`], [`change`] and [`mint`] for management.
//! [`announce`] tells owners what became of their keys.

pub mod address;
pub mod advice;
pub mod afterwards;
pub mod announce;
pub mod audit;
pub mod authenticator;
pub mod aws;
pub mod base62;
pub mod change;
pub mod check;
pub mod config;
pub mod context;
pub mod cursor;
pub mod decision;
pub mod error;
mod extension;
pub mod host;
pub mod http;
pub mod id;
pub mod idempotency;
pub mod if_match;
pub mod imported;
pub mod input;
pub mod key;
pub mod key_context;
pub mod lambda;
pub mod limit;
#[cfg(feature = "middleware")]
pub mod middleware;
pub mod mint;
pub mod old_secret;
pub mod owner;
pub mod path;
pub mod plan;
pub mod presented;
pub mod record;
pub mod redact;
pub mod renew;
pub mod rotation;
#[cfg(test)]
mod sample;
pub mod schedule;
pub mod scope;
pub mod secrets;
pub mod shared_limits;
pub mod store;
pub mod telemetry;
pub mod time;
pub mod usage;
pub mod verify;
pub mod view;
pub mod webhook;
