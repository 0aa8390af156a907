//! Rebuild: from the journal's groups to the batches as they were. Used by recovery, which halts at the first
//! violation, and by `verify`, which reports them all.
//!
//! Replays outcomes, decides nothing. Every group is held against the promises: no serial twice, none that no unit ever
//! had, no user over the limit, no request twice, nothing that happens to what is not there.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use stockade_protocol::batch::Terms;

use super::batch::Batch;
use super::clients::Clients;
use super::draft::{BatchTotals, Draft};
use super::fill::{Clocks, Fill, Holders};
use crate::journal::{ClaimRun, Control, CouponRun, Group, GroupError, Replay, StateCode, Usage};
use crate::types::{BatchId, Epoch, TimeMs};

/// Something in the journal that breaks a promise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The group's epoch; 0 for what concerns a batch as a whole.
    pub epoch: Epoch,
    /// The batch, where one can be named.
    pub batch: Option<BatchId>,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.batch {
            Some(batch) => write!(formatter, "epoch {}, batch {batch}: {}", self.epoch, self.what),
            None => write!(formatter, "epoch {}: {}", self.epoch, self.what),
        }
    }
}

/// The state of all batches after the groups applied so far.
pub(super) struct Rebuild {
    batches: HashMap<BatchId, Draft, foldhash::fast::RandomState>,
    /// Batches that the last group closed.
    closing: Vec<BatchId>,
    users_shards_max: u32,
    fill: Fill,
    clients: Clients,
    /// Batches that were purged, and when.
    purged: Vec<(BatchId, Epoch)>,
    /// Latest time of any record.
    pub(super) last_ms: TimeMs,
    /// Claims applied.
    pub(super) records: u64,
    /// What was found, in order.
    pub(super) violations: Vec<Violation>,
}

impl Rebuild {
    pub(super) fn new(users_shards_max: u32, clocks: Clocks) -> Self {
        Self {
            batches: HashMap::default(),
            closing: Vec::new(),
            users_shards_max,
            fill: Fill::start(clocks),
            clients: Clients::default(),
            purged: Vec::new(),
            last_ms: 0,
            records: 0,
            violations: Vec::new(),
        }
    }

    /// Applies one group, read from `bytes`. What it violates is in `violations` after [`Rebuild::conclude`].
    ///
    /// Within a group, creations, additions and names come first (records that use them are in later groups, or of the
    /// same burst), changes of state last (a batch that closes may have granted before in the same group). It may also
    /// have granted before in the group after: one core may still be in an epoch when another is in the next. So it is
    /// closed after that group.
    pub(super) fn apply(&mut self, group: &Group<'_>, bytes: &[u8]) {
        let is_change = |control: &&Control| {
            matches!(control, Control::Changed { .. } | Control::Purged { .. } | Control::Withdrawn { .. })
        };
        let (mut changes, mut inflows): (Vec<_>, Vec<_>) = group.controls.iter().partition(is_change);
        inflows.sort_by_key(|control| control.version());
        changes.sort_by_key(|control| control.version());
        for control in inflows {
            self.control(group.epoch, control);
        }
        let closing = std::mem::take(&mut self.closing);
        match self.runs(group) {
            Ok(holders) if !holders.is_empty() => {
                self.records += group.records() as u64;
                self.fill.group(bytes, holders);
            }
            Ok(_) => {}
            Err(_) => self.violation(group.epoch, None, "the group contradicts itself".into()),
        }
        self.close(&closing);
        for control in changes {
            self.control(group.epoch, control);
        }
    }

    /// Whether something was violated so far.
    pub(super) fn has_failed(&self) -> bool {
        !self.violations.is_empty() || self.fill.has_failed()
    }

    /// Checks each batch as a whole, and returns their totals in order of id.
    pub(super) fn conclude(&mut self) -> Vec<BatchTotals> {
        let closing = std::mem::take(&mut self.closing);
        self.close(&closing);
        let live = self.batches.values().filter(|draft| draft.claims > 0 && !draft.is_shut);
        let live = live.map(|draft| Arc::clone(&draft.holders)).collect::<Arc<[_]>>();
        self.violations.append(&mut self.fill.settle(&live));
        self.violations.sort_by_key(|violation| violation.epoch);
        let wrong = self.batches.iter().filter_map(|(id, draft)| Some((*id, draft.wrong()?)));
        let wrong = wrong.map(|(batch, what)| Violation { epoch: 0, batch: Some(batch), what });
        self.violations.extend(wrong);
        let mut totals = self.batches.iter().map(|(id, draft)| draft.totals(*id)).collect::<Vec<_>>();
        totals.sort_by_key(|totals| totals.batch);
        for totals in &totals {
            if let Some(what) = totals.disagreement() {
                self.violation(0, Some(totals.batch), what);
            }
        }
        totals
    }

    /// The finished batches, each of a place on the shelf. Call [`Rebuild::conclude`] first.
    pub(super) fn into_batches(
        self,
        cores: usize,
        now_ms: TimeMs,
    ) -> (Clients, impl Iterator<Item = (BatchId, impl FnOnce(u32) -> Batch)>) {
        let batches = self.batches.into_iter();
        (self.clients, batches.map(move |(id, draft)| (id, move |index| draft.into_batch(id, index, cores, now_ms))))
    }

    /// What of all that was read is still needed.
    pub(super) fn usage(&self, read: &Replay) -> Usage {
        let usage = Usage::of(read);
        let closed = self.batches.iter().filter(|(_, draft)| draft.is_closed());
        closed.for_each(|(id, draft)| usage.closed(*id, draft.closed_epoch, draft.claims));
        self.purged.iter().for_each(|(id, epoch)| usage.purged(*id, *epoch));
        usage
    }

    /// Units whose records a checkpoint left out.
    pub(super) fn counted_units(&self) -> u64 {
        self.batches.values().map(Draft::dropped_units).sum()
    }

    /// Number of batches.
    pub(super) fn batches(&self) -> usize {
        self.batches.len()
    }

    fn control(&mut self, epoch: Epoch, control: &Control) {
        self.last_ms = self.last_ms.max(control.time_ms().unwrap_or(0));
        let wrong = match control {
            Control::Created { batch, time_ms, terms } => self.create(*batch, *time_ms, terms),
            Control::Named { client, name } => {
                let is_new = self.clients.recall(*client, name);
                if is_new { Ok(()) } else { Err(format!("client {client} is named again, or out of turn")) }
            }
            Control::Purged { batch, .. } => {
                // Its id may be used again from the next group on.
                self.closing.retain(|closing| closing != batch);
                self.close(&[*batch]);
                let closed = self.batches.remove(batch).filter(Draft::is_closed);
                self.purged.push((*batch, epoch));
                closed.map(|_| ()).ok_or_else(|| "is purged without having been closed".to_owned())
            }
            Control::Changed { batch, .. }
            | Control::Edited { batch, .. }
            | Control::Added { batch, .. }
            | Control::Withdrawn { batch, .. }
            | Control::Expired { batch, .. }
            | Control::Dropped { batch, .. } => self.operate(epoch, *batch, control),
        };
        if let Err(what) = wrong {
            self.violation(epoch, control.batch(), what);
        }
    }

    fn create(&mut self, batch: BatchId, time_ms: TimeMs, terms: &Terms) -> Result<(), String> {
        if self.batches.contains_key(&batch) {
            return Err("is created a second time".into());
        }
        let draft = Draft::new(batch, time_ms, terms, self.users_shards_max);
        let draft = draft.ok_or_else(|| format!("has the time zone {}, which there is not", terms.zone))?;
        self.batches.insert(batch, draft);
        Ok(())
    }

    fn operate(&mut self, epoch: Epoch, batch: BatchId, control: &Control) -> Result<(), String> {
        let draft = self.batches.get_mut(&batch).ok_or("is used before it was created")?;
        match control {
            Control::Changed { version, state, .. } => {
                draft.set_state(*version, *state);
                if *state == StateCode::Closed {
                    draft.closed_epoch = epoch;
                    self.closing.push(batch);
                }
            }
            Control::Edited { version, fields, terms, time_ms, .. } => {
                draft.edit(*version, *fields, terms, *time_ms);
            }
            Control::Added { version, request, run, .. } => draft.add(*version, *request, *run)?,
            Control::Withdrawn { version, request, asked, run, .. } => {
                draft.withdraw(*version, *request, *asked, *run)?;
            }
            Control::Dropped { tally, .. } => draft.drop_sums(tally),
            Control::Expired { coupons, .. } => draft.expired += u64::from(*coupons),
            Control::Created { .. } | Control::Named { .. } | Control::Purged { .. } => {}
        }
        Ok(())
    }

    /// Notes the serials of all runs; returns the tables that their users belong to.
    ///
    /// Coupons first: a checkpoint joins groups, so a unit that was returned in one of them may be taken by a claim of
    /// the same group.
    fn runs(&mut self, group: &Group<'_>) -> Result<Vec<Option<Arc<Holders>>>, GroupError> {
        let (mut holders, mut of_coupons) = (Vec::new(), Vec::new());
        for run in group.coupon_runs() {
            let run = run?;
            self.last_ms = self.last_ms.max(run.time_ms);
            of_coupons.push(self.coupon_run(group.epoch, &run));
        }
        for run in group.claim_runs() {
            let run = run?;
            self.last_ms = self.last_ms.max(run.time_ms);
            holders.push(self.claim_run(group.epoch, &run));
        }
        holders.append(&mut of_coupons);
        Ok(holders)
    }

    fn claim_run(&mut self, epoch: Epoch, run: &ClaimRun<'_>) -> Option<Arc<Holders>> {
        let noted = match self.batches.get_mut(&run.batch) {
            Some(draft) => draft.claim_run(run).map(|()| Arc::clone(&draft.holders)),
            None => Err("is used before it was created".to_owned()),
        };
        noted.map_err(|what| self.violation(epoch, Some(run.batch), what)).ok()
    }

    fn coupon_run(&mut self, epoch: Epoch, run: &CouponRun<'_>) -> Option<Arc<Holders>> {
        let noted = match self.batches.get_mut(&run.batch) {
            Some(draft) => draft.coupon_run(run).map(|()| Arc::clone(&draft.holders)),
            None => Err("is used before it was created".to_owned()),
        };
        noted.map_err(|what| self.violation(epoch, Some(run.batch), what)).ok()
    }

    fn close(&mut self, batches: &[BatchId]) {
        for batch in batches {
            let Some(draft) = self.batches.get_mut(batch).filter(|draft| !draft.is_shut) else { continue };
            draft.is_shut = true;
            draft.holders.users.close();
            if draft.claims > 0 {
                self.fill.close(&draft.holders);
            }
        }
    }

    fn violation(&mut self, epoch: Epoch, batch: Option<BatchId>, what: String) {
        self.violations.push(Violation { epoch, batch, what });
    }
}
