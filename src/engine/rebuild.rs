//! Rebuild: from the journal's groups to the batches as they were. Used by recovery, which halts at the first
//! violation, and by `verify`, which reports them all.
//!
//! Replays outcomes, decides nothing. Every group is held against the promises: no serial twice, none beyond the total,
//! no user over the limit, no request twice.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use stockade_protocol::batch::Terms;

use super::batch::{Batch, BatchControl};
use super::fill::{Fill, Holders};
use crate::journal::{Control, GrantRun, Group, Replay, StateCode, Usage};
use crate::stock::{Issued, Pool, Run};
use crate::types::{BatchId, Epoch, TimeMs};
use crate::users::Users;

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

/// A batch under reconstruction.
struct Draft {
    created_ms: TimeMs,
    terms: Terms,
    control: BatchControl,
    /// The operation that set the state: a burst that began earlier may have decided later, so that its change lies in
    /// an earlier group.
    state_version: u32,
    issued: Issued,
    /// Grant records read, and units of those that a checkpoint left out.
    claims: u64,
    dropped_units: u64,
    /// The epoch in which it closed.
    closed_epoch: Epoch,
    holders: Arc<Holders>,
}

/// The state of all batches after the groups applied so far.
pub(super) struct Rebuild {
    batches: HashMap<BatchId, Draft, foldhash::fast::RandomState>,
    /// Batches that the last group closed.
    closing: Vec<BatchId>,
    users_shards_max: u32,
    fill: Fill,
    /// Latest time of any record.
    pub(super) last_ms: TimeMs,
    /// Claims applied.
    pub(super) records: u64,
    /// What was found, in order.
    pub(super) violations: Vec<Violation>,
}

/// Totals of one batch, for reports.
pub(super) struct BatchTotals {
    pub(super) batch: BatchId,
    pub(super) total: u32,
    pub(super) granted: u64,
    pub(super) users_units: u64,
}

impl Rebuild {
    pub(super) fn new(users_shards_max: u32) -> Self {
        let (batches, closing, violations) = (HashMap::default(), Vec::new(), Vec::new());
        Self { batches, closing, users_shards_max, fill: Fill::start(), last_ms: 0, records: 0, violations }
    }

    /// Applies one group, read from `bytes`. What it violates is in `violations` after [`Rebuild::conclude`].
    ///
    /// Within a group, creations and additions come first (grants that use them are in later groups), changes of state
    /// last (a batch that closes may have granted before in the same group). It may also have granted before in the
    /// group after: one core may still be in an epoch when another is in the next. So it is closed after that group.
    pub(super) fn apply(&mut self, group: &Group<'_>, bytes: &[u8]) {
        let (mut inflows, mut changes) = (group.controls.iter().collect::<Vec<_>>(), Vec::new());
        inflows.retain(|control| {
            let is_change = matches!(control, Control::Changed { .. });
            if is_change {
                changes.push(*control);
            }
            !is_change
        });
        inflows.sort_by_key(|control| version(control));
        changes.sort_by_key(|control| version(control));
        for control in inflows {
            self.control(group.epoch, control);
        }
        let closing = std::mem::take(&mut self.closing);
        let mut holders = Vec::new();
        for run in group.runs() {
            let Ok(run) = run else {
                self.violation(group.epoch, None, "the group contradicts itself".into());
                break;
            };
            holders.push(self.grants(group.epoch, &run));
        }
        if !holders.is_empty() {
            self.records += group.records() as u64;
            self.fill.group(bytes, holders);
        }
        self.close(&closing);
        for control in changes {
            self.control(group.epoch, control);
        }
        self.last_ms = self.last_ms.max(group.time_ms);
    }

    /// Whether something was violated so far.
    pub(super) fn has_failed(&self) -> bool {
        !self.violations.is_empty() || self.fill.has_failed()
    }

    /// Checks each batch as a whole, and returns their totals in order of id.
    pub(super) fn conclude(&mut self) -> Vec<BatchTotals> {
        let closing = std::mem::take(&mut self.closing);
        self.close(&closing);
        let live = self.batches.values().filter(|draft| draft.claims > 0);
        let live = live.map(|draft| Arc::clone(&draft.holders)).collect::<Vec<_>>().into_iter();
        self.violations.append(&mut self.fill.settle(live));
        self.violations.sort_by_key(|violation| violation.epoch);
        let dropped = self.batches.iter().filter_map(|(id, draft)| Some((*id, draft.wrongly_dropped()?)));
        let dropped = dropped.map(|(batch, what)| Violation { epoch: 0, batch: Some(batch), what });
        self.violations.extend(dropped);
        let mut totals = self.batches.iter().map(|(id, draft)| draft.totals(*id)).collect::<Vec<_>>();
        totals.sort_by_key(|totals| totals.batch);
        for totals in &totals {
            if totals.users_units != totals.granted {
                let what =
                    format!("{} serials were issued, but users hold {} units", totals.granted, totals.users_units);
                self.violation(0, Some(totals.batch), what);
            }
        }
        totals
    }

    /// The finished batches, their stock split over `cores` buckets. Call [`Rebuild::conclude`] first.
    pub(super) fn into_batches(self, cores: usize) -> impl Iterator<Item = Batch> {
        self.batches.into_iter().map(move |(id, mut draft)| {
            let pool = Pool::new(cores, draft.free());
            let (total, left) = (u64::from(draft.control.total), u64::from(pool.units()));
            let granted = draft.issued.units() + draft.dropped_units;
            assert_eq!(granted + left, total, "batch {id}: issued and free serials are the total");
            let state = draft.control.state;
            let holders = Arc::into_inner(draft.holders).expect("the threads that filled it have ended");
            let batch = Batch::hidden(id, draft.created_ms, &draft.terms, pool, holders.users, draft.control);
            batch.set_gate(state);
            batch
        })
    }

    /// What of all that was read is still needed.
    pub(super) fn usage(&self, read: &Replay) -> Usage {
        let usage = Usage::of(read.groups, read.bytes);
        let closed = self.batches.iter().filter(|(_, draft)| draft.control.state == StateCode::Closed);
        closed.for_each(|(id, draft)| usage.closed(*id, draft.closed_epoch, draft.claims));
        usage
    }

    /// Units whose grants a checkpoint left out.
    pub(super) fn counted_units(&self) -> u64 {
        self.batches.values().map(|draft| draft.dropped_units).sum()
    }

    /// Number of batches.
    pub(super) fn batches(&self) -> usize {
        self.batches.len()
    }

    fn control(&mut self, epoch: Epoch, control: &Control) {
        match control {
            Control::Created { batch, time_ms, stock, per_user, starts_ms, ends_ms, state, name } => {
                self.last_ms = self.last_ms.max(*time_ms);
                if self.batches.contains_key(batch) {
                    return self.violation(epoch, Some(*batch), "is created a second time".into());
                }
                let terms = Terms {
                    stock: *stock,
                    per_user: *per_user,
                    starts_ms: *starts_ms,
                    ends_ms: *ends_ms,
                    draft: *state == StateCode::Draft,
                    name: name.clone(),
                };
                let holders = Holders {
                    batch: *batch,
                    users: Users::new(*stock, self.users_shards_max),
                    per_user: *per_user,
                    held_units: AtomicU64::new(0),
                };
                let draft = Draft {
                    created_ms: *time_ms,
                    control: BatchControl::new(&terms),
                    state_version: 1,
                    terms,
                    issued: Issued::default(),
                    claims: 0,
                    dropped_units: 0,
                    closed_epoch: 0,
                    holders: Arc::new(holders),
                };
                self.batches.insert(*batch, draft);
            }
            Control::Changed { batch, version, state, time_ms } => {
                self.last_ms = self.last_ms.max(*time_ms);
                let Some(draft) = self.draft(epoch, *batch) else { return };
                draft.control.version = draft.control.version.max(*version);
                if *version > draft.state_version {
                    draft.state_version = *version;
                    draft.control.state = *state;
                }
                if *state == StateCode::Closed {
                    draft.closed_epoch = epoch;
                    self.closing.push(*batch);
                }
            }
            Control::Added { batch, version, request, units, time_ms } => {
                self.last_ms = self.last_ms.max(*time_ms);
                let Some(draft) = self.draft(epoch, *batch) else { return };
                if draft.control.total.checked_add(*units).is_none() {
                    return self.violation(epoch, Some(*batch), format!("{units} added units pass the last serial"));
                }
                draft.control.add(*request, *units);
                draft.control.inflow = 0;
                draft.control.version = draft.control.version.max(*version);
            }
            Control::Dropped { batch, units, .. } => {
                let Some(draft) = self.draft(epoch, *batch) else { return };
                draft.dropped_units += units;
            }
        }
    }

    /// Notes the serials of a run; returns the table that its users belong to.
    fn grants(&mut self, epoch: Epoch, run: &GrantRun<'_>) -> Option<Arc<Holders>> {
        self.last_ms = self.last_ms.max(run.time_ms);
        let noted = match self.batches.get_mut(&run.batch) {
            Some(draft) => draft.issue(run).map(|()| Arc::clone(&draft.holders)),
            None => Err("is used before it was created".to_owned()),
        };
        noted.map_err(|what| self.violation(epoch, Some(run.batch), what)).ok()
    }

    fn close(&self, batches: &[BatchId]) {
        for draft in batches.iter().filter_map(|batch| self.batches.get(batch)) {
            if draft.issued.units() > 0 {
                self.fill.close(&draft.holders);
            } else {
                // The threads have nothing of this batch: no need to tell them.
                draft.holders.users.close();
            }
        }
    }

    fn draft(&mut self, epoch: Epoch, batch: BatchId) -> Option<&mut Draft> {
        if !self.batches.contains_key(&batch) {
            self.violation(epoch, Some(batch), "is used before it was created".into());
        }
        self.batches.get_mut(&batch)
    }

    fn violation(&mut self, epoch: Epoch, batch: Option<BatchId>, what: String) {
        self.violations.push(Violation { epoch, batch, what });
    }
}

impl Draft {
    fn issue(&mut self, grants: &GrantRun<'_>) -> Result<(), String> {
        let run = grants.serials();
        self.claims += grants.len() as u64;
        if run.end() > self.control.total {
            return Err(format!("serial {} is beyond the total of {}: oversold", run.end() - 1, self.control.total));
        }
        if !self.issued.insert(run) {
            return Err(format!("a serial of {}..{} is issued a second time", run.first, run.end()));
        }
        Ok(())
    }

    fn totals(&self, batch: BatchId) -> BatchTotals {
        let closed = self.control.state == StateCode::Closed;
        let holders = &self.holders;
        let users_units = if closed { holders.held_units.load(Ordering::Relaxed) } else { holders.users.units() };
        let (granted, users_units) = (self.issued.units() + self.dropped_units, users_units + self.dropped_units);
        BatchTotals { batch, total: self.control.total, granted, users_units }
    }

    /// What a checkpoint left out belongs to a closed batch, and is not more than there was.
    fn wrongly_dropped(&self) -> Option<String> {
        let (dropped, closed) = (self.dropped_units, self.control.state == StateCode::Closed);
        if dropped > 0 && !closed {
            return Some(format!("a checkpoint left {dropped} of its units out, but it is not closed"));
        }
        let granted = dropped + self.issued.units();
        (granted > u64::from(self.control.total))
            .then(|| format!("{granted} units were granted of {}: oversold", self.control.total))
    }

    /// The serials that nobody holds. Those of a closed batch are only counted: which they are, a checkpoint forgets.
    fn free(&mut self) -> Vec<Run> {
        if self.dropped_units == 0 {
            return self.issued.free(self.control.total).collect();
        }
        let granted = u32::try_from(self.issued.units() + self.dropped_units).expect("it was checked");
        vec![Run::new(granted, self.control.total - granted)]
    }
}

fn version(control: &Control) -> u32 {
    match control {
        Control::Created { .. } | Control::Dropped { .. } => 1,
        Control::Changed { version, .. } | Control::Added { version, .. } => *version,
    }
}
