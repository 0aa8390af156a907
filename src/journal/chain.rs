//! The chain of groups as it is read back: every link is checked.

use std::fmt;

use xxhash_rust::xxh3::xxh3_128;

use super::group::{Group, GroupError, Hash};
use super::ledger::Mark;
use crate::types::Epoch;

/// Follows the groups of a store from the first to the last, and holds them against the ledger.
pub struct Chain {
    last: Mark,
    ledger: Option<Mark>,
}

/// Where the chain is broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChainError {
    /// A group that cannot be read.
    Group {
        /// Its epoch.
        epoch: Epoch,
        /// What is wrong with it.
        error: GroupError,
    },
    /// A group does not follow the one before it: something between them is missing or was exchanged.
    Broken {
        /// The last epoch that is in order.
        after: Epoch,
        /// The epoch that does not follow.
        epoch: Epoch,
    },
    /// The group at this epoch is another one than the ledger witnessed.
    Exchanged {
        /// The epoch.
        epoch: Epoch,
    },
    /// The head of the checkpoint is damaged.
    Head,
    /// The checkpoint is not the one that its head names: groups of it are missing, or another's are there.
    Checkpoint {
        /// Its number.
        generation: u64,
        /// The last epoch found in it.
        last: Epoch,
    },
    /// Groups that were acknowledged are missing at the end.
    Missing {
        /// The last epoch found.
        last: Epoch,
        /// The last epoch that the ledger witnessed.
        witnessed: Epoch,
    },
}

impl ChainError {
    /// The epoch that it is about, if it is about one.
    #[must_use]
    pub fn epoch(&self) -> Option<Epoch> {
        match self {
            ChainError::Group { epoch, .. } | ChainError::Broken { epoch, .. } | ChainError::Exchanged { epoch } => {
                Some(*epoch)
            }
            ChainError::Checkpoint { last, .. } | ChainError::Missing { last, .. } => Some(*last),
            ChainError::Head => None,
        }
    }
}

impl Chain {
    /// The chain of the store with this id: its first group names the id's hash as its predecessor, so that groups of
    /// another store never fit. `ledger` is the last group known to be durable, if one is.
    #[must_use]
    pub fn new(store_id: u64, ledger: Option<Mark>) -> Self {
        let genesis = xxh3_128(&store_id.to_le_bytes()).to_le_bytes();
        Self { last: Mark { epoch: 0, hash: genesis }, ledger }
    }

    /// The chain of a part of a checkpoint, behind the epoch `after`, whose first group names `genesis`.
    #[must_use]
    pub(super) fn of_checkpoint(after: Epoch, genesis: Hash) -> Self {
        Self { last: Mark { epoch: after, hash: genesis }, ledger: None }
    }

    /// Goes on after `replaced`, the last group that a checkpoint stands for.
    ///
    /// # Errors
    /// When it is not the group that the ledger witnessed.
    pub(super) fn go_on_after(&mut self, replaced: Mark) -> Result<(), ChainError> {
        if self.ledger.is_some_and(|mark| mark.epoch == replaced.epoch && mark.hash != replaced.hash) {
            return Err(ChainError::Exchanged { epoch: replaced.epoch });
        }
        self.last = replaced;
        Ok(())
    }

    /// Reads the next group.
    ///
    /// # Errors
    /// When it is damaged, or does not follow the one before.
    pub fn next<'a>(&mut self, epoch: Epoch, bytes: &'a [u8]) -> Result<Group<'a>, ChainError> {
        let group = Group::decode(bytes).map_err(|error| ChainError::Group { epoch, error })?;
        if group.epoch != epoch || epoch <= self.last.epoch || group.previous != self.last.hash {
            return Err(ChainError::Broken { after: self.last.epoch, epoch });
        }
        let exchanged = self.ledger.is_some_and(|mark| mark.epoch == epoch && mark.hash != group.hash);
        // The ledger's epoch was skipped: the group that it witnessed is not in the chain.
        let skipped = self.ledger.is_some_and(|mark| self.last.epoch < mark.epoch && mark.epoch < epoch);
        if exchanged || skipped {
            return Err(ChainError::Exchanged { epoch });
        }
        self.last = Mark { epoch, hash: group.hash };
        Ok(group)
    }

    /// The last group read, after holding it against the ledger.
    ///
    /// # Errors
    /// When the ledger witnessed a later one.
    pub fn finish(&self) -> Result<Mark, ChainError> {
        match self.ledger {
            Some(witness) if witness.epoch > self.last.epoch => {
                Err(ChainError::Missing { last: self.last.epoch, witnessed: witness.epoch })
            }
            Some(_) | None => Ok(self.last),
        }
    }

    /// The last group read.
    #[must_use]
    pub fn last(&self) -> Mark {
        self.last
    }
}

impl fmt::Display for ChainError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ChainError::Group { epoch, error } => write!(formatter, "the group of epoch {epoch} {error}"),
            ChainError::Broken { after, epoch } => write!(
                formatter,
                "the group of epoch {epoch} does not follow that of epoch {after}: a group between them is missing or \
                 was exchanged"
            ),
            ChainError::Exchanged { epoch } => {
                write!(formatter, "the group of epoch {epoch} is not the one that the commit ledger witnessed")
            }
            ChainError::Head => formatter.write_str("the head of the checkpoint is damaged, or of a newer format"),
            ChainError::Checkpoint { generation, last } => write!(
                formatter,
                "checkpoint {generation} is not the one that its head names (it ends at epoch {last}): groups of it \
                 are missing or were exchanged"
            ),
            ChainError::Missing { last, witnessed } => write!(
                formatter,
                "the journal ends at epoch {last}, but the commit ledger witnessed epoch {witnessed}: acknowledged \
                 groups are missing"
            ),
        }
    }
}

impl std::error::Error for ChainError {}
