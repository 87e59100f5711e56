//! One file per promise or journey.

mod audit;
mod bad_days;
mod bad_input;
mod calls;
mod counting;
mod crash;
mod engine_only;
mod events;
mod idempotency;
mod insights;
mod journey;
mod leaks;
mod limits;
mod lines;
mod listing;
mod outcomes;
mod peppers;
mod proxy;
mod races;
mod revocation;
mod rotation;
mod simulation;
mod stored_items;
mod stored_shapes;
mod unfinished;
mod usage;
