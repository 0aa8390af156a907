//! The condenser: takes groups in order and hands fewer, larger ones to a draft, without the claims of closed batches.
//!
//! Nothing else is left out and nothing changes its order, so a replay meets the same operations and, of the batches
//! that live, the same claims. Of a closed batch's claims their numbers stay: the batch's books still balance.

use std::collections::{BTreeMap, HashSet};

use super::head::genesis;
use crate::journal::group::{Encoder, Group, Hash};
use crate::journal::portion::Portion;
use crate::journal::record::Control;
use crate::journal::store::{CheckpointStore, StoreError};
use crate::types::{BatchId, Epoch, TimeMs};

/// Bytes from which on a group of a checkpoint is full.
const GROUP_BYTES: usize = 1 << 20;

/// See the module.
pub(super) struct Condenser<'a> {
    draft: &'a dyn CheckpointStore,
    closed: &'a HashSet<BatchId, foldhash::fast::RandomState>,
    portion: Portion,
    /// Claims left out since the last group, and their units.
    dropped: BTreeMap<BatchId, (u64, u64)>,
    encoder: Encoder,
    epoch: Epoch,
    pub(super) bytes: u64,
    pub(super) end: Hash,
    pub(super) last_ms: TimeMs,
}

impl<'a> Condenser<'a> {
    pub(super) fn new(
        draft: &'a dyn CheckpointStore,
        (store_id, generation): (u64, u64),
        closed: &'a HashSet<BatchId, foldhash::fast::RandomState>,
    ) -> Self {
        let (portion, dropped, encoder) = (Portion::default(), BTreeMap::new(), Encoder::default());
        let end = genesis(store_id, generation);
        Self { draft, closed, portion, dropped, encoder, epoch: 0, bytes: 0, end, last_ms: 0 }
    }

    /// Takes the next group.
    pub(super) fn add(&mut self, group: &Group<'_>) -> Result<(), StoreError> {
        let fits = group.records() == 0 || self.portion.spans(group.time_ms);
        if self.portion.bytes() >= GROUP_BYTES || !fits {
            self.hand_over()?;
        }
        self.epoch = group.epoch;
        for run in group.runs() {
            let run =
                run.map_err(|error| StoreError { reason: format!("the group of epoch {} {error}", self.epoch) })?;
            self.last_ms = self.last_ms.max(run.time_ms);
            if self.closed.contains(&run.batch) {
                self.leave_out(run.batch, run.len() as u64, u64::from(run.serials().count));
            } else {
                self.portion.run(&run);
            }
        }
        for control in &group.controls {
            match control {
                Control::Dropped { batch, claims, units } => self.leave_out(*batch, *claims, *units),
                Control::Created { time_ms, .. }
                | Control::Changed { time_ms, .. }
                | Control::Added { time_ms, .. } => {
                    self.last_ms = self.last_ms.max(*time_ms);
                    self.portion.control(control.clone());
                }
            }
        }
        Ok(())
    }

    /// Hands the last group over, which stands for the epoch of the last group taken, be it empty.
    pub(super) fn finish(&mut self) -> Result<(), StoreError> {
        self.hand_over()
    }

    fn leave_out(&mut self, batch: BatchId, claims: u64, units: u64) {
        let dropped = self.dropped.entry(batch).or_default();
        *dropped = (dropped.0 + claims, dropped.1 + units);
    }

    fn hand_over(&mut self) -> Result<(), StoreError> {
        let dropped = std::mem::take(&mut self.dropped).into_iter();
        for (batch, (claims, units)) in dropped {
            self.portion.control(Control::Dropped { batch, claims, units });
        }
        let (bytes, hash) = self.encoder.encode(self.epoch, self.end, &[&self.portion]);
        self.draft.append(self.epoch, bytes)?;
        self.bytes += bytes.len() as u64;
        self.end = hash;
        self.portion.clear();
        Ok(())
    }
}
