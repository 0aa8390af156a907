//! The epochs, the waiters and the committer's cue of `src/journal`, and their models.
//!
//! The cores' buffers and the store are not here: a model stands in for them with a [`Cell`](loom::cell::Cell), which
//! tells a data race, or an atomic that only the right order makes visible.

#[path = "../../../../src/journal/cue.rs"]
mod cue;
#[path = "../../../../src/journal/epochs.rs"]
mod epochs;
#[path = "../../../../src/journal/sync.rs"]
mod sync;
#[path = "../../../../src/journal/waiter.rs"]
mod waiter;

mod desk;

mod barrier;
mod chain;
mod clock;
mod collecting;
mod dependencies;
mod sleeping;
mod waking;

pub use epochs::Epochs;
pub use waiter::Wake;
