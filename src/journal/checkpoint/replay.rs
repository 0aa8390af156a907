//! Replay: everything that is kept, in order, every link checked: the checkpoint, if there is one, then the journal.

use std::fmt;

use super::head::{Head, Part, genesis};
use crate::journal::chain::{Chain, ChainError};
use crate::journal::group::Group;
use crate::journal::ledger::Mark;
use crate::journal::store::{Reader, StoreError, Visit};
use crate::types::TimeMs;

/// How far a replay came.
#[derive(Clone, Copy, Debug, Default)]
pub struct Replay {
    /// The last group in order; none before the first.
    pub last: Option<Mark>,
    /// The checkpoint, if there is one.
    pub head: Option<Head>,
    /// Groups read.
    pub groups: u64,
    /// Bytes of them.
    pub bytes: u64,
    /// Those of the base of the checkpoint.
    pub base_bytes: u64,
}

impl Replay {
    /// Latest time of what the checkpoint left out.
    #[must_use]
    pub fn last_ms(&self) -> TimeMs {
        self.head.map_or(0, |head| head.last_ms)
    }
}

/// Why what is kept cannot be replayed to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReplayError {
    /// The store cannot be read.
    Store(StoreError),
    /// A link is broken.
    Chain(ChainError),
}

/// What of a checkpoint is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// What came after its base.
    Recent,
    /// All.
    Whole,
}

/// Calls `visit` for each group, until it answers false. What was in order before an error has been visited; `replay`
/// is told how far it came in any case.
///
/// # Errors
/// When the store cannot be read, a link is broken, or what the ledger witnessed is missing.
pub fn replay(
    store: &dyn Reader,
    store_id: u64,
    witnessed: Option<Mark>,
    replay: &mut Replay,
    visit: &mut dyn FnMut(&Group<'_>, &[u8]) -> bool,
) -> Result<(), ReplayError> {
    replay_to(Depth::Whole, store, store_id, witnessed, replay, visit)
}

/// The same, of this depth.
pub(super) fn replay_to(
    depth: Depth,
    store: &dyn Reader,
    store_id: u64,
    witnessed: Option<Mark>,
    replay: &mut Replay,
    visit: &mut dyn FnMut(&Group<'_>, &[u8]) -> bool,
) -> Result<(), ReplayError> {
    let (mut chain, mut goes_on) = (Chain::new(store_id, witnessed), true);
    if let Some(bytes) = store.head().map_err(ReplayError::Store)? {
        let head = Head::decode(&bytes).ok_or(ReplayError::Chain(ChainError::Head))?;
        let mut after = 0;
        for Part { generation, end } in head.parts() {
            let is_base = generation == head.first_part().generation;
            if goes_on && !(is_base && depth == Depth::Recent) {
                let mut inner = Chain::of_checkpoint(after, genesis(store_id, generation));
                let read = &mut |visit: &mut Visit<'_>| store.for_each_of_checkpoint(generation, 0, visit);
                goes_on = links(read, &mut inner, replay, visit)?;
                // The chain's end stands for all of it.
                let last = inner.last();
                if goes_on && last != end {
                    return Err(ReplayError::Chain(ChainError::Checkpoint { generation, last: last.epoch }));
                }
            }
            if is_base {
                replay.base_bytes = replay.bytes;
            }
            after = end.epoch;
        }
        chain.go_on_after(head.replaced).map_err(ReplayError::Chain)?;
        (replay.head, replay.last) = (Some(head), Some(head.replaced));
    }
    if goes_on {
        let after = chain.last().epoch;
        goes_on = links(&mut |visit: &mut Visit<'_>| store.for_each(after, visit), &mut chain, replay, visit)?;
    }
    if goes_on { chain.finish().map(|_last| ()).map_err(ReplayError::Chain) } else { Ok(()) }
}

/// Follows one chain. False when the visitor wants no more.
fn links(
    read: &mut dyn FnMut(&mut Visit<'_>) -> Result<(), StoreError>,
    chain: &mut Chain,
    replay: &mut Replay,
    visit: &mut dyn FnMut(&Group<'_>, &[u8]) -> bool,
) -> Result<bool, ReplayError> {
    let (mut broken, mut goes_on) = (None, true);
    let result = read(&mut |epoch, bytes| {
        replay.groups += 1;
        replay.bytes += bytes.len() as u64;
        match chain.next(epoch, bytes) {
            Ok(group) => {
                replay.last = Some(chain.last());
                goes_on = visit(&group, bytes);
            }
            Err(error) => broken = Some(error),
        }
        goes_on && broken.is_none()
    });
    result.map_err(ReplayError::Store)?;
    broken.map_or(Ok(goes_on), |error| Err(ReplayError::Chain(error)))
}

impl fmt::Display for ReplayError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReplayError::Store(error) => error.fmt(formatter),
            ReplayError::Chain(error) => error.fmt(formatter),
        }
    }
}

impl std::error::Error for ReplayError {}
