//! What operators decided about a batch.

use std::collections::HashMap;

use stockade_protocol::batch::Terms;

use crate::journal::StateCode;
use crate::types::RequestId;

/// What operators decided about a batch, durable or about to be.
pub(super) struct BatchControl {
    pub(super) state: StateCode,
    /// Whether it is durable that the batch has closed: no record about it can come any more, but of its purge.
    pub(super) is_shut: bool,
    /// Whether it was created as a draft.
    pub(super) draft: bool,
    /// Operations so far; the creation is the first.
    pub(super) version: u32,
    /// Units at the beginning.
    pub(super) stock: u32,
    /// Units at the beginning and added since, less those withdrawn.
    pub(super) total: u32,
    pub(super) name: Box<str>,
    /// The terms that the last edit decided, with its number, as long as it is not durable: claims may not go by all of
    /// them yet.
    pub(super) decided: Option<Box<(u32, Terms)>>,
    /// Request ids of additions and withdrawals, and what became of them.
    #[expect(clippy::box_collection, reason = "few batches have any, and a million batches have this field")]
    supplies: Option<Box<HashMap<RequestId, Supply>>>,
}

/// An addition or a withdrawal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Supply {
    /// So many units were added.
    Added(u32),
    /// Of so many units that were asked for, so many were withdrawn.
    Withdrawn {
        /// Asked for.
        asked: u32,
        /// Taken.
        taken: u32,
    },
}

impl BatchControl {
    /// A new batch with these terms.
    pub(super) fn new(terms: &Terms) -> Self {
        let state = if terms.draft { StateCode::Draft } else { StateCode::Active };
        let (draft, stock, name) = (terms.draft, terms.stock, terms.name.as_str().into());
        Self { state, is_shut: false, draft, version: 1, stock, total: stock, name, decided: None, supplies: None }
    }

    /// What became of the addition or withdrawal with this request id, if there was one.
    pub(super) fn supply(&self, request: RequestId) -> Option<Supply> {
        self.supplies.as_ref().and_then(|supplies| supplies.get(&request).copied())
    }

    /// Number of additions and withdrawals so far.
    pub(super) fn supplies(&self) -> usize {
        self.supplies.as_ref().map_or(0, |supplies| supplies.len())
    }

    /// The number of the next operation.
    pub(super) fn next_version(&mut self) -> u32 {
        self.version += 1;
        self.version
    }

    /// Records an addition.
    pub(super) fn add(&mut self, request: RequestId, units: u32) {
        self.total += units;
        self.supplies.get_or_insert_default().insert(request, Supply::Added(units));
    }

    /// Records a withdrawal, or another piece of it.
    pub(super) fn withdraw(&mut self, request: RequestId, asked: u32, units: u32) {
        self.total -= units;
        let supply =
            self.supplies.get_or_insert_default().entry(request).or_insert(Supply::Withdrawn { asked, taken: 0 });
        if let Supply::Withdrawn { taken, .. } = supply {
            *taken += units;
        }
    }
}
