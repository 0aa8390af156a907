//! The condenser: takes groups in order and hands fewer, larger ones to a draft, without the records of closed batches.
//!
//! Nothing else is left out and nothing changes its order, so a replay meets the same operations and, of the batches
//! that live, the same claims. Of a closed batch's records their sums stay: the batch's books still balance. Of a
//! purged one nothing stays, unless it was created in a base that is not read: then its operations must stay, the purge
//! itself too.

use std::collections::{BTreeMap, HashMap};

use super::fates::{Fate, Fates};
use super::head::genesis;
use super::replay::Depth;

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
    depth: Depth,
    /// Of the batches with a fate, the epoch in which the first of this id was created, of those that were read.
    created: HashMap<BatchId, Epoch, foldhash::fast::RandomState>,
    portion: Portion,
    /// Records left out since the last group: how many of claims, and their sums.
    dropped: BTreeMap<BatchId, (u64, Tally)>,
    encoder: Encoder,
    /// Of the last group taken, and of the last one handed over.
    epoch: Epoch,
    handed_over: Epoch,
    /// A batch was purged in it whose operations stay.
    keeps_purge: bool,
    pub(super) bytes: u64,
    pub(super) end: Hash,
    pub(super) last_ms: TimeMs,
}

impl<'a> Condenser<'a> {
    pub(super) fn new(
        draft: &'a dyn CheckpointStore,
        (store_id, generation): (u64, u64),
        (fates, depth): (&'a Fates, Depth),
    ) -> Self {
        let (portion, dropped, encoder) = (Portion::default(), BTreeMap::new(), Encoder::default());
        let (end, created) = (genesis(store_id, generation), HashMap::default());
        Self {
            draft,
            fates,
            depth,
            created,
            portion,
            dropped,
            encoder,
            epoch: 0,
            handed_over: 0,
            keeps_purge: false,
            bytes: 0,
            end,
            last_ms: 0,
        }
    }

    /// The epoch in which a batch that ended was created, if that was read.
    pub(super) fn created(&self, batch: BatchId) -> Option<Epoch> {
        self.created.get(&batch).copied()
    }

    /// Whether a batch that ended was created in a base that is not read.
    fn began_before(&self, batch: BatchId) -> bool {
        self.depth == Depth::Recent && !self.created.contains_key(&batch)
    }

    /// Takes the next group.
    pub(super) fn add(&mut self, group: &Group<'_>) -> Result<(), StoreError> {
        let fits = group.records() == 0 || self.portion.spans(group.time_ms);
        if self.portion.bytes() >= GROUP_BYTES || !fits {
            self.hand_over()?;
        }
        self.epoch = group.epoch;
        for control in &group.controls {
            if let Control::Created { batch, .. } = control
                && self.fates.of(*batch, group.epoch).is_some()
            {
                self.created.entry(*batch).or_insert(group.epoch);
            }
        }
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
        // The id of a batch that was purged may be used again in the next group, and within one the order of operations
        // on a batch is that of their kinds.
        if self.keeps_purge { self.hand_over() } else { Ok(()) }
    }

    /// Hands the last group over, which stands for the epoch of the last group taken, be it empty.
    pub(super) fn finish(&mut self) -> Result<(), StoreError> {
        if self.handed_over == self.epoch { Ok(()) } else { self.hand_over() }
    }

    fn control(&mut self, control: &Control) {
        self.last_ms = self.last_ms.max(control.time_ms().unwrap_or(0));
        let batch = control.batch().filter(|batch| self.fates.of(*batch, self.epoch) == Some(Fate::Purged));
        let (is_purged, began_before) = (batch.is_some(), batch.is_some_and(|batch| self.began_before(batch)));
        match control {
            _ if is_purged && !began_before => {}
            Control::Dropped { .. } if is_purged => {}
            Control::Dropped { batch, claims, tally } => {
                let dropped = self.dropped.entry(*batch).or_default();
                dropped.0 += claims;
                dropped.1.add(tally);
            }
            Control::Purged { .. } => {
                self.keeps_purge = true;
                self.portion.control(control.clone());
            }
            Control::Created { .. }
            | Control::Changed { .. }
            | Control::Edited { .. }
            | Control::Added { .. }
            | Control::Withdrawn { .. }
            | Control::Expired { .. }
            | Control::Named { .. } => self.portion.control(control.clone()),
        }
    }

    fn hand_over(&mut self) -> Result<(), StoreError> {
        // Before the operations: what was left out came before a purge that stays.
        let dropped = std::mem::take(&mut self.dropped).into_iter();
        self.portion.controls_before(dropped.map(|(batch, (claims, tally))| Control::Dropped {
            batch,
            claims,
            tally: Box::new(tally),
        }));
        let (bytes, hash) = self.encoder.encode(self.epoch, self.end, &[&self.portion]);
        self.draft.append(self.epoch, bytes)?;
        (self.handed_over, self.keeps_purge) = (self.epoch, false);
        self.bytes += bytes.len() as u64;
        self.end = hash;
        self.portion.clear();
        Ok(())
    }
}
