//! A burst: the requests that one core decides together.

use super::Engine;
use super::batch::Batch;
use super::shelf::Place;
use super::sight::Sight;
use crate::journal::Pass;
use crate::types::{BatchId, Epoch, TimeMs};

/// One core's stay in an epoch. Decide requests, then [`leave`](Burst::leave) and let the answers wait for the epoch
/// that it returns.
pub struct Burst<'a> {
    pub(super) engine: &'a Engine,
    pub(super) pass: Pass<'a>,
    pub(super) core: usize,
    pub(super) last: Option<InBurst<'a>>,
    /// The batch that was looked up last, for claims further on.
    pub(super) sighted: Option<(BatchId, &'a Place)>,
}

/// The batch that the last request named: requests of one burst mostly name the same.
pub(super) struct InBurst<'a> {
    pub(super) batch: &'a Batch,
    /// Units that were claimable when the burst first looked, less what it drew since: a hint for the answers that does
    /// not touch the other cores' buckets for every claim.
    pub(super) remaining: u32,
}

impl<'a> Burst<'a> {
    pub(super) fn new(engine: &'a Engine, core: usize) -> Self {
        let pass = engine.journal.enter(core, engine.now_ms());
        Self { engine, pass, core, last: None, sighted: None }
    }

    /// The time at which everything in this burst is decided.
    #[must_use]
    pub fn now_ms(&self) -> TimeMs {
        self.pass.time_ms()
    }

    /// How many more claims this core may decide in this epoch.
    #[must_use]
    pub fn room(&self) -> usize {
        self.pass.room()
    }

    /// The epoch that this burst is in.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.pass.epoch()
    }

    /// Ends the burst. Its answers may leave when the returned epoch is durable.
    #[must_use]
    pub fn leave(self) -> Epoch {
        self.pass.leave()
    }

    /// The batch with this id, if claims can see it, together with the pass.
    pub(super) fn find(&mut self, id: BatchId) -> Option<(&mut InBurst<'a>, &mut Pass<'a>)> {
        self.find_sighted(id, &Sight::default())
    }

    /// The same for a batch that may have been looked up before.
    #[inline]
    pub(super) fn find_sighted(&mut self, id: BatchId, sight: &Sight<'a>) -> Option<(&mut InBurst<'a>, &mut Pass<'a>)> {
        if self.last.as_ref().is_none_or(|last| last.batch.id != id) {
            let batch = match sight.batch {
                Some(batch) => batch,
                None => self.engine.registry.find(id)?,
            };
            let remaining = batch.pool.units_hint();
            self.last = Some(InBurst { batch, remaining });
        }
        let last = self.last.as_mut().filter(|last| !last.batch.is_hidden())?;
        Some((last, &mut self.pass))
    }

    /// The batch with this id, if it can be seen.
    pub(super) fn find_batch(&mut self, id: BatchId) -> Option<&'a Batch> {
        self.find(id).map(|(in_burst, _)| in_burst.batch)
    }
}
