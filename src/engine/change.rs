//! Change: activate, pause, resume, end or close a batch.
//!
//! What forbids claims bites at once and is answered when it is durable and every burst that could have seen the gate
//! open has ended: after the answer no claim succeeds on any core. What permits claims is an inflow: the
//! gate opens when the change is durable.

use std::sync::Arc;

use stockade_protocol::Status;
use stockade_protocol::batch::{Action, BatchInfo, State};

use super::batch::Batch;
use super::burst::Burst;
use crate::journal::{Control, Effect, StateCode};
use crate::types::BatchId;

/// What an action does to a batch in some state.
enum Step {
    /// It moves to another state.
    To(StateCode),
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
            Step::To(to) => to,
            Step::Nothing => return batch.info(Status::Done, now_ms, &control),
            Step::Conflict => return batch.info(Status::StateConflict, now_ms, &control),
        };
        self.pass.mark();
        let version = control.next_version();
        control.state = to;
        let registry = Arc::clone(&self.engine.registry);
        let changed = move |change: &dyn Fn(&Batch)| change(registry.find(id).expect("batches stay"));
        let effect: Option<Effect> = match to {
            StateCode::Active => Some(Box::new(move || {
                changed(&|batch| {
                    let control = batch.control.lock();
                    // A later change may have forbidden again what this one permits.
                    if control.version == version || control.state == StateCode::Active {
                        batch.set_gate(StateCode::Active);
                    }
                });
            })),
            StateCode::Closed => {
                batch.set_gate(to);
                let (usage, epoch) = (Arc::clone(&self.engine.usage), self.pass.epoch());
                Some(Box::new(move || changed(&|batch| usage.closed(id, epoch, batch.users.close()))))
            }
            StateCode::Draft | StateCode::Paused | StateCode::Ended => {
                batch.set_gate(to);
                None
            }
        };
        self.pass.control(Control::Changed { batch: id, version, state: to, time_ms: now_ms }, effect);
        self.pass.barrier();
        let info = batch.info(Status::Done, now_ms, &control);
        drop(control);
        info
    }
}

fn step(state: State, action: Action) -> Step {
    match (action, state) {
        (Action::Activate, State::Draft) | (Action::Resume, State::Paused) => Step::To(StateCode::Active),
        (Action::Pause, State::Scheduled | State::Active) => Step::To(StateCode::Paused),
        (Action::End, State::Draft | State::Scheduled | State::Active | State::Paused) => Step::To(StateCode::Ended),
        (Action::Close, State::Ended) => Step::To(StateCode::Closed),
        (Action::Activate | Action::Resume, State::Scheduled | State::Active)
        | (Action::Pause, State::Paused)
        | (Action::End, State::Ended)
        | (Action::Close, State::Closed) => Step::Nothing,
        (Action::Activate, State::Paused | State::Ended | State::Closed)
        | (Action::Resume | Action::Pause, State::Draft | State::Ended | State::Closed)
        | (Action::End, State::Closed)
        | (Action::Close, State::Draft | State::Scheduled | State::Active | State::Paused) => Step::Conflict,
    }
}
