//! Stock: the counting. A batch's units are serial numbers; a claim draws the next ones.
//!
//! [`Pool`] holds the serials of one batch that nobody has: one [`bucket`] per core, and a few spare runs for what
//! flowed in later. [`DayLimit`] keeps back what may not be taken today. No I/O, no async, no knowledge of users. All
//! atomics come through [`sync`], so that loom can explore the interleavings (`tests/loom`).
//!
//! Guarantees: a serial is drawn at most once; a refusal is given only when, at one instant during the call, fewer
//! units than asked for were claimable.

mod bucket;
mod certificate;
mod day_limit;
mod issued;
mod pool;
mod run;
mod serials;
mod sync;

pub use day_limit::{Day, DayLimit, Short};
pub use issued::Issued;
pub use pool::{Mode, Pool};
pub use run::{Run, Runs};
pub use serials::Serials;
