//! Change: activate, pause, resume, end, close or purge a batch.
//!
//! What forbids claims bites at once and is answered when it is durable and every burst that could have seen the gate
//! open has ended: after the answer no claim succeeds on any core. What permits claims is an inflow: the
//! gate opens when the change is durable.

use std::sync::Arc;

use stockade_protocol::Status;
use stockade_protocol::batch::{Action, BatchInfo, State};

use super::aftermath::Item;
use super::batch::Batch;
use super::burst::Burst;
use crate::journal::{Control, StateCode};
use crate::types::BatchId;

/// What an action does to a batch in some state.
enum Step {
    /// It moves to another state.
    To(StateCode),
    /// It is forgotten.
    Forget,
    /// It is there already.
    Nothing,
    /// It cannot.
    Conflict,
}

impl Burst<'_> {
    /// Changes the state of a batch.
    pub fn change(&mut self, id: BatchId, action: Action) -> BatchInfo {
        let now_ms = self.now_ms();
        let Some(batch) = self.find_batch(id) else { return BatchInfo::refused(Status::BatchUnknown, id) };
        let mut control = batch.control.lock();
        let to = match step(batch.state(now_ms, control.state), action) {
            // A reservation that is under way must be able to end.
            Step::To(StateCode::Closed) if batch.tally().now().reserved > 0 => {
                return batch.info(Status::StateConflict, now_ms, &control);
            }
            Step::To(to) => to,
            Step::Nothing => return batch.info(Status::Done, now_ms, &control),
            Step::Conflict => return batch.info(Status::StateConflict, now_ms, &control),
            // Else its last records could come after the purge, or be taken for those of a batch that has its id next.
            Step::Forget if !control.is_shut => return BatchInfo::refused(Status::Overloaded, id),
            Step::Forget => {
                drop(control);
                return self.purge(batch);
            }
        };
        self.pass.mark();
        let version = control.next_version();
        control.state = to;
        match to {
            StateCode::Active => {
                let open = move |batch: &Batch| {
                    let control = batch.control.lock();
                    // A later change may have forbidden again what this one permits.
                    if control.version == version || control.state == StateCode::Active {
                        batch.set_gate(StateCode::Active);
                    }
                };
                self.aftermath.add(batch, Item::Other(Box::new(open)));
            }
            StateCode::Closed => {
                batch.set_gate(to);
                let (usage, epoch) = (Arc::clone(&self.engine.usage), self.pass.epoch());
                let close = move |batch: &Batch| {
                    let (claims, tally) = batch.users.close();
                    batch.keep_tally(tally);
                    usage.closed(batch.id, epoch, claims);
                    batch.control.lock().is_shut = true;
                };
                self.aftermath.add(batch, Item::Other(Box::new(close)));
            }
            StateCode::Draft | StateCode::Paused | StateCode::Ended => batch.set_gate(to),
        }
        self.pass.control(Control::Changed { batch: id, version, state: to, time_ms: now_ms }, None);
        self.pass.barrier();
        let info = batch.info(Status::Done, now_ms, &control);
        drop(control);
        info
    }

    /// Forgets a closed batch.
    fn purge(&mut self, batch: &Batch) -> BatchInfo {
        let control = batch.control.lock();
        if batch.is_hidden() {
            return BatchInfo::refused(Status::BatchUnknown, batch.id);
        }
        self.pass.mark();
        batch.set_gone();
        drop(control);
        let (usage, registry) = (Arc::clone(&self.engine.usage), Arc::clone(&self.engine.registry));
        let epoch = self.pass.epoch();
        let forget = move |batch: &Batch| {
            usage.purged(batch.id, epoch);
            // Its id may be used again only now that it is durable that it was given up.
            registry.remove(batch.id);
        };
        self.aftermath.add(batch, Item::Other(Box::new(forget)));
        self.pass.control(Control::Purged { batch: batch.id, time_ms: self.now_ms() }, None);
        self.pass.barrier();
        self.last = None;
        BatchInfo::refused(Status::Done, batch.id)
    }
}

fn step(state: State, action: Action) -> Step {
    match (action, state) {
        (Action::Activate, State::Draft) | (Action::Resume, State::Paused) => Step::To(StateCode::Active),
        (Action::Pause, State::Scheduled | State::Active) => Step::To(StateCode::Paused),
        (Action::End, State::Draft | State::Scheduled | State::Active | State::Paused) => Step::To(StateCode::Ended),
        (Action::Close, State::Ended) => Step::To(StateCode::Closed),
        (Action::Purge, State::Closed) => Step::Forget,
        (Action::Activate | Action::Resume, State::Scheduled | State::Active)
        | (Action::Pause, State::Paused)
        | (Action::End, State::Ended)
        | (Action::Close, State::Closed) => Step::Nothing,
        (Action::Activate, State::Paused | State::Ended | State::Closed)
        | (Action::Resume | Action::Pause, State::Draft | State::Ended | State::Closed)
        | (Action::End, State::Closed)
        | (Action::Close, State::Draft | State::Scheduled | State::Active | State::Paused)
        | (Action::Purge, State::Draft | State::Scheduled | State::Active | State::Paused | State::Ended) => {
            Step::Conflict
        }
    }
}
