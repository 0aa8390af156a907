//! Add stock: more units for a batch. An inflow: claims see them once they are durable.

use std::sync::Arc;

use stockade_protocol::Status;
use stockade_protocol::batch::{AddStock, BatchInfo, State};

use super::batch::{Batch, BatchControl};
use super::burst::Burst;
use crate::journal::Control;
use crate::limits::ADDITIONS_MAX;
use crate::types::TimeMs;

impl Burst<'_> {
    /// Adds units to a batch. A request id that was used before with the same units has no second effect.
    pub fn add_stock(&mut self, add: &AddStock) -> BatchInfo {
        let (id, request, units, now_ms) = (add.batch.get(), add.request.get(), add.units.get(), self.now_ms());
        let invalid = (units == 0).then_some(Status::QuantityInvalid);
        let Some(batch) = self.find_batch(id) else {
            return BatchInfo::refused(invalid.unwrap_or(Status::BatchUnknown), id);
        };
        let mut control = batch.control.lock();
        if let Some(status) = invalid.or_else(|| answer_without_effect(batch, &control, now_ms, add)) {
            return batch.info(status, now_ms, &control);
        }
        self.pass.mark();
        let version = control.next_version();
        let run = control.add(request, units);
        let registry = Arc::clone(&self.engine.registry);
        let effect = move || {
            let grown = registry.find(id).expect("batches stay");
            let mut control = grown.control.lock();
            control.inflow -= units;
            grown.pool.add(run);
        };
        let record = Control::Added { batch: id, version, request, units, time_ms: now_ms };
        self.pass.control(record, Some(Box::new(effect)));
        let info = batch.info(Status::Done, now_ms, &control);
        drop(control);
        info
    }
}

fn answer_without_effect(batch: &Batch, control: &BatchControl, now_ms: TimeMs, add: &AddStock) -> Option<Status> {
    let units = add.units.get();
    if let Some(added) = control.addition(add.request.get()) {
        return Some(if added == units { Status::Done } else { Status::BatchConflict });
    }
    if control.additions() >= ADDITIONS_MAX || control.total.checked_add(units).is_none() {
        return Some(Status::StockOverflow);
    }
    match batch.state(now_ms, control.state) {
        State::Ended => Some(Status::Ended),
        State::Closed => Some(Status::Closed),
        State::Draft | State::Scheduled | State::Active | State::Paused => None,
    }
}
