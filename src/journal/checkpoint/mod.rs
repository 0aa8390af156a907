//! Checkpoints: the oldest part of the journal, written once more without what nobody needs any longer.
//!
//! A checkpoint holds the groups up to an epoch, joined into large ones, less the claims of batches that have closed.
//! Replayed, it gives the same state. It is drafted beside the running journal, made durable, then *installed* by one
//! small record, its [`Head`]: until then the journal is read from its beginning, from then on the checkpoint is read
//! and the journal only after it. A crash at any moment leaves one or the other. What was replaced is deleted last.
//!
//! A checkpoint's groups form a chain of their own; the head names its end, and the group that it replaced last, so
//! that the journal's chain goes on behind it without a gap.
//!
//! Most checkpoints stand on an earlier one, their *base*, and repeat nothing of it: they are the second of two parts,
//! each a chain. When half of the base is dead, or half as much has come after it, all is written once more as the next
//! base ([`Usage`]). So what is needed for long is written seldom.

mod checkpointer;
mod condenser;
mod fates;
mod head;
mod replay;
mod usage;

pub use checkpointer::{Checkpointer, CheckpointerOptions, TakeError, Taken, take};
pub use head::{Head, Part};
pub use replay::{Depth, Replay, ReplayError, replay};
pub use usage::Usage;
