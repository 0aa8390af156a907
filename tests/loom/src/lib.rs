//! The counting code and the epochs under loom.
//!
//! The very sources of `src/stock` and `src/journal` are compiled here with `cfg(loom)` and run in every interleaving,
//! and with every stale value that the memory model lets a load return, up to the number of preemptions that each model
//! names. `LOOM_MAX_PREEMPTIONS` replaces that number. Loom takes a sequentially consistent access for acquire and
//! release, so code that needs more says it with a fence; and it never lets a load see a store of its own future.

#![cfg(test)]
#![expect(
    clippy::arc_with_non_send_sync,
    reason = "loom's Arc and cells are its own; its threads are not the system's"
)]

mod explore;
pub mod journal;
#[path = "../../../src/prefetch.rs"]
pub mod prefetch;
pub mod stock;
#[path = "../../../src/types.rs"]
pub mod types;
