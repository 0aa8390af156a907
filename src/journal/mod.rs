//! Journal: what was decided becomes durable, in groups.
//!
//! A core [enters](Journal::enter) the current epoch for one burst, hands in records, and leaves. The committer (one
//! plain thread) closes the epoch, waits until no core is inside, packs all records into one group, writes and syncs
//! it, makes inflows visible and announces the epoch as durable. Answers wait for that: see [`epochs`].
//!
//! Guarantees: the groups form a hash chain in epoch order; an inflow is visible only after it is durable; any error of
//! a write or sync ends all commits for good, since its outcome is unknown. What closed batches leave behind, a
//! [`checkpoint`] gives back. Only one module knows RocksDB: [`rocks`].

mod buffer;
mod chain;
mod checkpoint;
mod committer;
mod cue;
mod entrance;
mod epochs;
mod folder;
mod group;
mod ledger;
mod memory;
mod rocks;
mod space;
mod steward;
mod store;
mod sync;
mod waiter;

pub use buffer::Effect;
pub use chain::{Chain, ChainError};
pub use checkpoint::{
    Checkpointer, CheckpointerOptions, Depth, Head, Part, Replay, ReplayError, TakeError, Taken, Usage, replay, take,
};
pub use committer::{Committer, CommitterOptions};
pub use entrance::{Journal, Pass};
pub use epochs::Epochs;
pub use folder::{Folder, FolderError};
pub use group::{
    AS_BEFORE, ClaimRecord, ClaimRun, Control, CouponRecord, CouponRun, Encoder, Group, GroupError, Hash, NO_SERIAL,
    Portion, StateCode, Step,
};
pub use ledger::{Ledger, Mark};
pub use memory::{Faults, MemoryStore};
pub use rocks::{RocksCheckpoints, RocksOptions, RocksStore};
pub use space::Space;
pub use steward::{Steward, StewardOptions};
pub use store::{CheckpointStore, NullStore, Reader, Store, StoreError, Visit};
pub use waiter::Wake;
