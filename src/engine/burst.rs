//! A burst: the requests that one core decides together.

use std::mem::take;

use stockade_protocol::Status;

use super::Engine;
use super::aftermath::Aftermath;
use super::batch::Batch;
use super::more::{Counts, counted};
use super::shelf::Place;
use super::sight::Sight;
use crate::journal::Pass;
use crate::stock::Day;
use crate::types::{BatchId, ClientNumber, Epoch, TimeMs};
use crate::users::Moment;

/// One core's stay in an epoch. Decide requests, then [`leave`](Burst::leave) and let the answers wait for the epoch
/// that it returns.
pub struct Burst<'a> {
    pub(super) engine: &'a Engine,
    pub(super) pass: Pass<'a>,
    pub(super) core: usize,
    pub(super) last: Option<InBurst<'a>>,
    /// The batch that was looked up last, for claims further on.
    pub(super) sighted: Option<(BatchId, &'a Place)>,
    pub(super) aftermath: Aftermath,
    /// On whose behalf.
    pub(super) client: ClientNumber,
    durable: Epoch,
    /// The running clock, if it was read.
    running_ms: Option<TimeMs>,
}

/// The batch that the last request named: requests of one burst mostly name the same.
pub(super) struct InBurst<'a> {
    pub(super) batch: &'a Batch,
    /// Units that were claimable when the burst first looked, less what it drew since: a hint for the answers that does
    /// not touch the other cores' buckets for every claim.
    pub(super) remaining: u32,
    pub(super) day: Day,
    /// Claims refused, by status.
    refusals: Counts,
    has_refused: bool,
}

impl<'a> Burst<'a> {
    pub(super) fn new(engine: &'a Engine, core: usize) -> Self {
        let pass = engine.journal.enter(core, || engine.now_ms());
        let durable = pass.durable();
        let (aftermath, client) = (Aftermath::default(), 0);
        Self { engine, pass, core, last: None, sighted: None, aftermath, client, durable, running_ms: None }
    }

    /// Says on whose behalf the requests from here on are decided.
    pub fn act_for(&mut self, client: ClientNumber) {
        self.client = client;
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
    pub fn leave(mut self) -> Epoch {
        self.forget_last();
        if let Some(effect) = take(&mut self.aftermath).into_effect(&self.engine.registry) {
            self.pass.effect(effect);
        }
        self.pass.leave()
    }

    /// The server's running clock, which no change of the wall clock moves; read once per burst.
    pub(super) fn running_ms(&mut self) -> TimeMs {
        *self.running_ms.get_or_insert_with(|| self.engine.clock.running_ms())
    }

    /// When and where something of the last batch is decided.
    pub(super) fn moment(&self, day: Day) -> Moment {
        let core = u16::try_from(self.core).expect("there are at most CORES_MAX");
        Moment { day, epoch: self.pass.epoch(), durable: self.durable, core }
    }

    /// The batch with this id, if claims can see it.
    pub(super) fn find(&mut self, id: BatchId) -> Option<&mut InBurst<'a>> {
        self.find_sighted(id, &Sight::default())
    }

    /// The same for a batch that may have been looked up before.
    #[inline]
    pub(super) fn find_sighted(&mut self, id: BatchId, sight: &Sight<'a>) -> Option<&mut InBurst<'a>> {
        if self.last.as_ref().is_none_or(|last| last.batch.id != id) {
            let batch = match sight.batch {
                Some(batch) => batch,
                None => self.engine.registry.find(id)?,
            };
            self.forget_last();
            let (remaining, day) = (batch.pool.units_hint(), batch.day_of(self.now_ms()));
            self.last = Some(InBurst { batch, remaining, day, refusals: Counts::default(), has_refused: false });
        }
        self.last.as_mut().filter(|last| !last.batch.is_hidden())
    }

    /// The batch with this id, if it can be seen.
    pub(super) fn find_batch(&mut self, id: BatchId) -> Option<&'a Batch> {
        self.find(id).map(|in_burst| in_burst.batch)
    }

    fn forget_last(&mut self) {
        if let Some(last) = self.last.take().filter(|last| last.has_refused) {
            last.batch.more().count_refusals(&last.refusals);
        }
    }
}

impl InBurst<'_> {
    /// Counts a refusal of the batch.
    #[inline]
    pub(super) fn refuse(&mut self, status: Status) {
        if let Some(at) = counted(status) {
            self.refusals[at] += 1;
            self.has_refused = true;
        }
    }
}
