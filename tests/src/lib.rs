//! What the tests share: a stack of the real template on an embedded engine, instances of the real functions with clocks
//! and wires of their own, and the events that API Gateway would send them.

pub mod clock;
pub mod event;
mod http_server;
pub mod instance;
pub mod lines;
pub mod openapi;
pub mod process;
pub mod proxy;
pub mod recorded;
pub mod runbook;
pub mod simulation;
pub mod stack;
pub mod wire;

pub use clock::{Clock, NOW};
pub use instance::{Answer, Instance};
pub use lines::Lines;
pub use stack::{Issued, Stack};
pub use wire::Wire;
