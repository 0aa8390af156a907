//! Edit: other terms for a batch. What makes claims harder bites at once, on every core before the answer leaves; what
//! makes them easier is an inflow: it can be seen once it is durable.

use stockade_protocol::Status;
use stockade_protocol::batch::{BatchInfo, Edit, Fields, State, Terms};

use super::aftermath::Item;
use super::batch::Batch;
use super::burst::Burst;
use super::more::More;
use crate::journal::Control;
use crate::stock::Day;

impl Burst<'_> {
    /// Edits a batch.
    pub fn edit(&mut self, edit: &Edit) -> BatchInfo {
        let (id, now_ms) = (edit.batch(), self.now_ms());
        let new = match edit.terms() {
            Ok(new) => new,
            Err(status) => return BatchInfo::refused(status, id),
        };
        let Some(batch) = self.find_batch(id) else { return BatchInfo::refused(Status::BatchUnknown, id) };
        let mut control = batch.control.lock();
        let before = batch.terms(&control);
        let after = before.edited(edit.fields(), &new);
        let changed = before.differences(&after);
        let state = batch.state(now_ms, control.state);
        let status = if !after.window_is_possible() {
            Some(Status::TermsInvalid)
        } else if changed.is_empty() {
            Some(Status::Done)
        } else if edit.version() != 0 && edit.version() != control.version {
            Some(Status::BatchConflict)
        } else if !may_change(state).has(changed) {
            Some(Status::StateConflict)
        } else {
            None
        };
        if let Some(status) = status {
            return batch.info(status, now_ms, &control);
        }
        self.pass.mark();
        let version = control.next_version();
        control.name = after.name.as_str().into();
        let (harder, day) = (harder(&batch.effective_terms(&control), &after), batch.day_of(now_ms));
        set(batch, &harder, day);
        batch.note_total(&control);
        control.decided = Some(Box::new((version, after.clone())));
        let ease = move |batch: &Batch| {
            let mut control = batch.control.lock();
            // After a later edit, its terms count, once it is durable.
            if let Some(decided) = control.decided.take_if(|decided| decided.0 == version) {
                set(batch, &decided.1, day);
                batch.note_total(&control);
            }
        };
        self.aftermath.add(batch, Item::Other(Box::new(ease)));
        let terms = Box::new(after);
        let record = Control::Edited { batch: id, version, fields: changed, terms, time_ms: now_ms };
        self.pass.control(record, None);
        self.pass.barrier();
        let info = batch.info(Status::Done, now_ms, &control);
        drop(control);
        info
    }
}

/// The fields that may change in a state.
fn may_change(state: State) -> Fields {
    match state {
        State::Draft | State::Scheduled => Fields::ALL,
        State::Active | State::Paused => Fields::ALL.without(Fields::STARTS),
        State::Ended => Fields::NAME,
        State::Closed => Fields(0),
    }
}

/// Lets claims go by these terms. `day` is today.
fn set(batch: &Batch, terms: &Terms, day: Day) {
    batch.limits.set(Fields::ALL, terms);
    if batch.more.get().is_some() || More::is_needed(terms) {
        let more = batch.more();
        more.set(Fields::ALL, terms);
        more.set_day_limit(&batch.pool, day);
    }
}

/// Terms that forbid what either of two forbids. Only fields that differ matter.
fn harder(before: &Terms, after: &Terms) -> Terms {
    /// The lower one of two limits, where none is the highest.
    fn lower<T: Ord + Copy>(one: Option<T>, other: Option<T>) -> Option<T> {
        one.into_iter().chain(other).min()
    }
    let mut harder = after.clone();
    harder.per_user = lower(before.per_user, after.per_user);
    harder.per_user_day = lower(before.per_user_day, after.per_user_day);
    harder.per_day = lower(before.per_day, after.per_day);
    harder.quantity_max = lower(before.quantity_max, after.quantity_max);
    harder.holds.per_user = lower(before.holds.per_user, after.holds.per_user);
    harder.holds.share = lower(before.holds.share, after.holds.share);
    harder.starts_ms = before.starts_ms.max(after.starts_ms);
    harder.ends_ms = lower(before.ends_ms, after.ends_ms);
    harder.audience.all |= before.audience.all;
    harder.audience.none |= before.audience.none;
    // One of each: what they have in common is enough, else all of both.
    let (one, other) = (before.audience.any, after.audience.any);
    harder.audience.any = if one == 0 || other == 0 { one | other } else { one & other };
    if one & other == 0 && one != 0 && other != 0 {
        harder.audience.all |= one | other;
    }
    harder
}
