//! The condenser: takes groups in order and hands fewer, larger ones to a draft, without the records of closed batches.
//!
//! Nothing else is left out and nothing changes its order, so a replay meets the same operations and, of the batches
//! that live, the same claims. Of a closed batch's records their sums stay: the batch's books still balance. Of a
//! purged one nothing stays.

use std::collections::BTreeMap;

use super::fates::{Fate, Fates};
use super::head::genesis;

use crate::journal::group::{Control, Encoder, Group, GroupError, Hash, Portion};
use crate::journal::store::{CheckpointStore, StoreError};
use crate::types::{BatchId, Epoch, TimeMs};
use crate::users::Tally;

/// Bytes from which on a group of a checkpoint is full.
const GROUP_BYTES: usize = 1 << 20;

/// See the module.
pub(super) struct Condenser<'a> {
    draft: &'a dyn CheckpointStore,
    fates: &'a Fates,
    portion: Portion,
    /// Records left out since the last group: how many of claims, and their sums.
    dropped: BTreeMap<BatchId, (u64, Tally)>,
    encoder: Encoder,
    epoch: Epoch,
    pub(super) bytes: u64,
    pub(super) end: Hash,
    pub(super) last_ms: TimeMs,
}

impl<'a> Condenser<'a> {
    pub(super) fn new(draft: &'a dyn CheckpointStore, (store_id, generation): (u64, u64), fates: &'a Fates) -> Self {
        let (portion, dropped, encoder) = (Portion::default(), BTreeMap::new(), Encoder::default());
        let end = genesis(store_id, generation);
        Self { draft, fates, portion, dropped, encoder, epoch: 0, bytes: 0, end, last_ms: 0 }
    }

    /// Takes the next group.
    pub(super) fn add(&mut self, group: &Group<'_>) -> Result<(), StoreError> {
        let fits = group.records() == 0 || self.portion.spans(group.time_ms);
        if self.portion.bytes() >= GROUP_BYTES || !fits {
            self.hand_over()?;
        }
        self.epoch = group.epoch;
        let epoch = group.epoch;
        let wrong = |error: GroupError| StoreError { reason: format!("the group of epoch {epoch} {error}") };
        for run in group.claim_runs() {
            let run = run.map_err(wrong)?;
            self.last_ms = self.last_ms.max(run.time_ms);
            match self.fates.of(run.batch, epoch) {
                None => self.portion.claim_run(&run),
                Some(Fate::Closed) => {
                    let (claims, tally) = self.dropped.entry(run.batch).or_default();
                    *claims += run.len() as u64;
                    run.count(tally);
                }
                Some(Fate::Purged) => {}
            }
        }
        for run in group.coupon_runs() {
            let run = run.map_err(wrong)?;
            self.last_ms = self.last_ms.max(run.time_ms);
            match self.fates.of(run.batch, epoch) {
                None => self.portion.coupon_run(&run),
                Some(Fate::Closed) => run.count(&mut self.dropped.entry(run.batch).or_default().1),
                Some(Fate::Purged) => {}
            }
        }
        group.controls.iter().for_each(|control| self.control(control));
        Ok(())
    }

    /// Hands the last group over, which stands for the epoch of the last group taken, be it empty.
    pub(super) fn finish(&mut self) -> Result<(), StoreError> {
        self.hand_over()
    }

    fn control(&mut self, control: &Control) {
        self.last_ms = self.last_ms.max(control.time_ms().unwrap_or(0));
        let fate = control.batch().and_then(|batch| self.fates.of(batch, self.epoch));
        match control {
            _ if fate == Some(Fate::Purged) => {}
            Control::Dropped { batch, claims, tally } => {
                let dropped = self.dropped.entry(*batch).or_default();
                dropped.0 += claims;
                dropped.1.add(tally);
            }
            Control::Created { .. }
            | Control::Changed { .. }
            | Control::Edited { .. }
            | Control::Added { .. }
            | Control::Withdrawn { .. }
            | Control::Expired { .. }
            | Control::Purged { .. }
            | Control::Named { .. } => self.portion.control(control.clone()),
        }
    }

    fn hand_over(&mut self) -> Result<(), StoreError> {
        for (batch, (claims, tally)) in std::mem::take(&mut self.dropped) {
            self.portion.control(Control::Dropped { batch, claims, tally: Box::new(tally) });
        }
        let (bytes, hash) = self.encoder.encode(self.epoch, self.end, &[&self.portion]);
        self.draft.append(self.epoch, bytes)?;
        self.bytes += bytes.len() as u64;
        self.end = hash;
        self.portion.clear();
        Ok(())
    }
}
