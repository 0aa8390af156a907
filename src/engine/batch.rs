//! One batch in memory.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};

use parking_lot::Mutex;
use stockade_protocol::Status;
use stockade_protocol::batch::{BatchInfo, State, Terms};

use super::control::BatchControl;
use super::limits::Limits;
use super::more::More;
use crate::journal::StateCode;
use crate::stock::{Day, Pool, Run, Serials};
use crate::types::{BatchId, TimeMs};
use crate::users::{Tally, Users};

/// The gate of a batch whose creation is not durable yet: for claims it does not exist.
const HIDDEN: u8 = 0;
/// The gate of a batch that was purged: the same, for good.
const GONE: u8 = u8::MAX;

/// A batch: its terms, its stock, its users.
pub(super) struct Batch {
    pub(super) id: BatchId,
    pub(super) created_ms: TimeMs,
    /// Its place on the shelf.
    pub(super) index: u32,
    /// What claims go by: [`HIDDEN`], [`GONE`] or a [`StateCode`]. A change that forbids is stored here before it is
    /// durable, one that permits only after. Written under `control`; read by every claim.
    gate: AtomicU8,
    /// Units that come, or come back, and whose record is not durable yet: in no place. Raised by any core, lowered
    /// under `control`.
    pending: AtomicU32,
    pub(super) serials: Serials,
    pub(super) limits: Limits,
    pub(super) pool: Pool,
    pub(super) users: Users,
    /// What few batches have.
    pub(super) more: OnceLock<Box<More>>,
    pub(super) control: Mutex<BatchControl>,
}

/// What a batch is made of.
pub(super) struct Parts {
    pub(super) id: BatchId,
    pub(super) created_ms: TimeMs,
    pub(super) serials_end: u32,
    pub(super) pool: Pool,
    pub(super) users: Users,
    pub(super) more: Option<Box<More>>,
    pub(super) control: BatchControl,
}

impl Batch {
    /// A batch that claims cannot see yet.
    pub(super) fn hidden(index: u32, terms: &Terms, parts: Parts) -> Self {
        let Parts { id, created_ms, serials_end, pool, users, more, control } = parts;
        let filled = OnceLock::new();
        if let Some(more) = more {
            let _it_was_empty = filled.set(more);
        }
        Self {
            id,
            created_ms,
            index,
            gate: AtomicU8::new(HIDDEN),
            pending: AtomicU32::new(0),
            serials: Serials::from(serials_end),
            limits: Limits::new(terms),
            pool,
            users,
            more: filled,
            control: Mutex::new(control),
        }
    }

    pub(super) fn is_hidden(&self) -> bool {
        matches!(self.gate.load(Ordering::Acquire), HIDDEN | GONE)
    }

    /// Lets claims go by `state`. The caller holds `control`, or is the only one who knows the batch.
    pub(super) fn set_gate(&self, state: StateCode) {
        // Sequentially consistent with the epochs' pins: a burst that enters after an answer to this change has waited
        // for its epoch sees it.
        self.gate.store(state as u8, Ordering::SeqCst);
    }

    /// Hides the batch for good. The caller holds `control`.
    pub(super) fn set_gone(&self) {
        self.gate.store(GONE, Ordering::SeqCst);
    }

    /// Why no claim is granted at `now_ms`, or `None` if one may be.
    pub(super) fn refusal(&self, now_ms: TimeMs) -> Option<Status> {
        let Some(state) = StateCode::from_number(self.gate.load(Ordering::SeqCst)) else {
            return Some(Status::BatchUnknown);
        };
        match state {
            StateCode::Closed => Some(Status::Closed),
            StateCode::Ended => Some(Status::Ended),
            StateCode::Draft | StateCode::Active | StateCode::Paused if self.limits.has_ended(now_ms) => {
                Some(Status::Ended)
            }
            StateCode::Draft => Some(Status::BatchDraft),
            StateCode::Paused => Some(Status::Paused),
            StateCode::Active if self.limits.has_not_begun(now_ms) => Some(Status::NotStarted),
            StateCode::Active => None,
        }
    }

    /// What few batches have, made now if it was not there.
    pub(super) fn more(&self) -> &More {
        self.more.get_or_init(|| Box::new(More::default()))
    }

    /// The day of an instant.
    #[inline]
    pub(super) fn day_of(&self, time_ms: TimeMs) -> Day {
        match self.more.get() {
            Some(more) => more.calendar.day_of(time_ms),
            None => super::calendar::Calendar::Utc.day_of(time_ms),
        }
    }

    /// Units come in once a record is durable: until then they are in no place.
    pub(super) fn announce(&self, units: u32) {
        self.pending.fetch_add(units, Ordering::AcqRel);
    }

    /// What follows from the total changes with it. The caller holds `control`.
    pub(super) fn note_total(&self, control: &BatchControl) {
        self.more.get().into_iter().for_each(|more| more.set_total(control.total));
    }

    /// Keeps what became of the units of a batch that closes.
    pub(super) fn keep_tally(&self, tally: Tally) {
        if tally != (Tally { claimed: tally.claimed, ..Tally::default() }) {
            let more = self.more();
            more.note_move();
            let _closes_once = more.closed.set(Box::new(tally));
        }
    }

    /// Whether a unit with this serial was ever taken, as far as that can be told from what is left.
    pub(super) fn was_taken(&self, serial: u32) -> bool {
        let withheld = self.more.get().and_then(|more| more.day_limit.get()).is_some_and(|limit| limit.holds(serial));
        serial < self.serials.end() && !withheld && !self.pool.holds(serial)
    }

    /// Makes announced units claimable. Of units that come back, `taken` is the day on which they were taken. The
    /// caller holds `control`.
    pub(super) fn let_in(&self, run: Run, taken: Option<Day>) {
        self.pending.fetch_sub(run.count, Ordering::AcqRel);
        match self.more.get().and_then(|more| more.day_limit.get()) {
            Some(day_limit) => day_limit.add(&self.pool, run, taken),
            None => self.pool.add(run),
        }
    }

    /// Units that nobody has: in the pool, kept back for later days, or on their way in. The caller holds `control`.
    pub(super) fn remaining(&self) -> u32 {
        let withheld = self.more.get().and_then(|more| more.day_limit.get()).map_or(0, |limit| limit.withheld_units());
        let withheld = u32::try_from(withheld).expect("fewer units than serials");
        self.pool.units() + withheld + self.pending.load(Ordering::Acquire)
    }

    /// What became of the units that were ever taken: shard by shard, not at one instant.
    pub(super) fn tally(&self) -> Tally {
        let closed = self.more.get().and_then(|more| more.closed.get());
        closed.map_or_else(|| self.users.tally(), |tally| **tally)
    }

    /// The answer to an operation, with the batch as it is.
    pub(super) fn info(&self, status: Status, now_ms: TimeMs, control: &BatchControl) -> BatchInfo {
        let terms = self.terms(control);
        let mut info = BatchInfo::about(status, self.id, self.state(now_ms, control.state), &terms);
        let units = |units: u64| u32::try_from(units).unwrap_or(u32::MAX);
        // Where nothing but claims happened, all that is not left is granted, and nobody needs to be asked.
        let now = self.more.get().filter(|more| more.has_moves()).map(|_| self.tally().now()).unwrap_or_default();
        let (remaining, held, voided) = (self.remaining(), units(now.reserved), units(now.voided));
        info.total.set(control.total);
        info.remaining.set(remaining);
        info.held.set(held);
        info.voided.set(voided);
        // Counted a moment apart, the numbers add up all the same.
        info.granted.set(control.total.saturating_sub(remaining).saturating_sub(held).saturating_sub(voided));
        info.created_ms.set(self.created_ms);
        info.version.set(control.version);
        let day_limit = self.more.get().and_then(|more| more.day_limit.get());
        info.day_units.set(day_limit.map_or(0, |limit| units(limit.taken(&self.pool, self.day_of(now_ms)))));
        info
    }

    /// The batch's terms as operators decided them; `stock` as at the beginning.
    pub(super) fn terms(&self, control: &BatchControl) -> Terms {
        control.decided.as_ref().map_or_else(|| self.effective_terms(control), |decided| decided.1.clone())
    }

    /// The terms that claims go by.
    pub(super) fn effective_terms(&self, control: &BatchControl) -> Terms {
        let name = control.name.as_ref().to_owned();
        let mut terms = Terms { stock: control.stock, draft: control.draft, name, ..Terms::default() };
        self.limits.write_to(&mut terms);
        self.more.get().into_iter().for_each(|more| more.write_to(&mut terms));
        terms
    }

    /// The state that people see: what operators decided, moved along by the window.
    pub(super) fn state(&self, now_ms: TimeMs, decided: StateCode) -> State {
        match decided {
            StateCode::Closed => State::Closed,
            StateCode::Ended => State::Ended,
            StateCode::Draft | StateCode::Active | StateCode::Paused if self.limits.has_ended(now_ms) => State::Ended,
            StateCode::Draft => State::Draft,
            StateCode::Paused => State::Paused,
            StateCode::Active if self.limits.has_not_begun(now_ms) => State::Scheduled,
            StateCode::Active => State::Active,
        }
    }
}
