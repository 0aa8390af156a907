//! One batch in memory.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU8, Ordering};

use parking_lot::Mutex;
use stockade_protocol::Status;
use stockade_protocol::batch::{BatchInfo, State, Terms};

use super::terms::KeptTerms;
use crate::journal::StateCode;
use crate::stock::{Pool, Run};
use crate::types::{BatchId, RequestId, TimeMs};
use crate::users::Users;

/// The gate of a batch whose creation is not durable yet: for claims it does not exist.
const HIDDEN: u8 = 0;

/// A batch: its terms, its stock, its users.
pub(super) struct Batch {
    pub(super) id: BatchId,
    pub(super) created_ms: TimeMs,
    pub(super) terms: KeptTerms,
    /// What claims go by: [`HIDDEN`] or a [`StateCode`]. A change that forbids is stored here before it is durable, one
    /// that permits only after. Written under `control`; read by every claim.
    gate: AtomicU8,
    pub(super) pool: Pool,
    pub(super) users: Users,
    pub(super) control: Mutex<BatchControl>,
}

/// What operators decided about a batch, durable or about to be.
pub(super) struct BatchControl {
    pub(super) state: StateCode,
    /// Operations so far; the creation is the first.
    pub(super) version: u32,
    /// Units at the beginning and added since.
    pub(super) total: u32,
    /// Added units whose record is not durable yet: not in the pool.
    pub(super) inflow: u32,
    /// Request ids of additions, and their units.
    #[expect(clippy::box_collection, reason = "few batches have any, and a million batches have this field")]
    additions: Option<Box<HashMap<RequestId, u32>>>,
}

impl Batch {
    /// A batch that claims cannot see yet.
    pub(super) fn hidden(
        id: BatchId,
        created_ms: TimeMs,
        terms: &Terms,
        pool: Pool,
        users: Users,
        control: BatchControl,
    ) -> Self {
        let gate = AtomicU8::new(HIDDEN);
        Self { id, created_ms, terms: KeptTerms::new(terms), gate, pool, users, control: Mutex::new(control) }
    }

    pub(super) fn is_hidden(&self) -> bool {
        self.gate.load(Ordering::Acquire) == HIDDEN
    }

    /// Lets claims go by `state`. The caller holds `control`, or is the only one who knows the batch.
    pub(super) fn set_gate(&self, state: StateCode) {
        // Sequentially consistent with the epochs' pins: a burst that enters after an answer to this change has waited
        // for its epoch sees it.
        self.gate.store(state as u8, Ordering::SeqCst);
    }

    /// Why no claim is granted at `now_ms`, or `None` if one may be.
    pub(super) fn refusal(&self, now_ms: TimeMs) -> Option<Status> {
        let Some(state) = StateCode::from_number(self.gate.load(Ordering::SeqCst)) else {
            return Some(Status::BatchUnknown);
        };
        match state {
            StateCode::Closed => Some(Status::Closed),
            StateCode::Ended => Some(Status::Ended),
            StateCode::Draft | StateCode::Active | StateCode::Paused
                if self.terms.ends_ms().is_some_and(|end| now_ms >= end) =>
            {
                Some(Status::Ended)
            }
            StateCode::Draft => Some(Status::BatchDraft),
            StateCode::Paused => Some(Status::Paused),
            StateCode::Active if self.terms.starts_ms().is_some_and(|start| now_ms < start) => Some(Status::NotStarted),
            StateCode::Active => None,
        }
    }

    /// The answer to an operation, with the batch as it is.
    pub(super) fn info(&self, status: Status, now_ms: TimeMs, control: &BatchControl) -> BatchInfo {
        let mut info = BatchInfo::about(status, self.id, self.state(now_ms, control.state), self.terms.name());
        let remaining = self.pool.units() + control.inflow;
        info.total.set(control.total);
        info.remaining.set(remaining);
        info.granted.set(control.total - remaining);
        info.per_user.set(self.terms.per_user().unwrap_or(0));
        info.starts_ms.set(self.terms.starts_ms().unwrap_or(0));
        info.ends_ms.set(self.terms.ends_ms().unwrap_or(0));
        info.created_ms.set(self.created_ms);
        info
    }

    /// The state that people see: what operators decided, moved along by the window.
    pub(super) fn state(&self, now_ms: TimeMs, decided: StateCode) -> State {
        let ended = self.terms.ends_ms().is_some_and(|end| now_ms >= end);
        let early = self.terms.starts_ms().is_some_and(|start| now_ms < start);
        match decided {
            StateCode::Closed => State::Closed,
            StateCode::Ended => State::Ended,
            StateCode::Draft | StateCode::Active | StateCode::Paused if ended => State::Ended,
            StateCode::Draft => State::Draft,
            StateCode::Paused => State::Paused,
            StateCode::Active if early => State::Scheduled,
            StateCode::Active => State::Active,
        }
    }
}

impl BatchControl {
    /// A new batch with these terms.
    pub(super) fn new(terms: &Terms) -> Self {
        let state = if terms.draft { StateCode::Draft } else { StateCode::Active };
        Self { state, version: 1, total: terms.stock, inflow: 0, additions: None }
    }

    /// Units of the addition with this request id, if there was one.
    pub(super) fn addition(&self, request: RequestId) -> Option<u32> {
        self.additions.as_ref().and_then(|additions| additions.get(&request).copied())
    }

    /// Number of additions so far.
    pub(super) fn additions(&self) -> usize {
        self.additions.as_ref().map_or(0, |additions| additions.len())
    }

    /// The number of the next operation.
    pub(super) fn next_version(&mut self) -> u32 {
        self.version += 1;
        self.version
    }

    /// Decides an addition: the run of serials that it brings.
    pub(super) fn add(&mut self, request: RequestId, units: u32) -> Run {
        let run = Run::new(self.total, units);
        self.total = run.end();
        self.inflow += units;
        self.additions.get_or_insert_default().insert(request, units);
        run
    }
}
