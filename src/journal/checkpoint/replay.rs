//! Replay: everything that is kept, in order, every link checked: the checkpoint, if there is one, then the journal.

use std::fmt;

use super::head::{Head, genesis};
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
    let (mut chain, mut goes_on) = (Chain::new(store_id, witnessed), true);
    if let Some(bytes) = store.head().map_err(ReplayError::Store)? {
        let head = Head::decode(&bytes).ok_or(ReplayError::Chain(ChainError::Head))?;
        let generation = head.generation;
        let mut inner = Chain::of_checkpoint(genesis(store_id, generation));
        let read = &mut |visit: &mut Visit<'_>| store.for_each_of_checkpoint(generation, 0, visit);
        goes_on = links(read, &mut inner, replay, visit)?;
        let found = inner.last();
        // The chain's end stands for all of it.
        if goes_on && found != (Mark { epoch: head.replaced.epoch, hash: head.end }) {
            return Err(ReplayError::Chain(ChainError::Checkpoint { generation, last: found.epoch }));
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
