//! Add stock: more units for a batch. An inflow: claims see them once they are durable.

use stockade_protocol::Status;
use stockade_protocol::batch::{AddStock, BatchInfo, State};

use super::aftermath::Item;
use super::batch::Batch;
use super::burst::Burst;
use super::control::{BatchControl, Supply};
use crate::journal::Control;
use crate::limits::SUPPLIES_MAX;
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
            let mut info = batch.info(status, now_ms, &control);
            info.moved.set(if status == Status::Done { units } else { 0 });
            return info;
        }
        let serials = control.total.checked_add(units).and_then(|_| batch.serials.next(units));
        let Some(run) = serials else { return batch.info(Status::StockOverflow, now_ms, &control) };
        self.pass.mark();
        let version = control.next_version();
        control.add(request, units);
        batch.announce(units);
        batch.note_total(&control);
        self.aftermath.add(batch, Item::LetIn(run, None));
        self.pass.control(Control::Added { batch: id, version, request, run, time_ms: now_ms }, None);
        let mut info = batch.info(Status::Done, now_ms, &control);
        drop(control);
        info.moved.set(units);
        info
    }
}

fn answer_without_effect(batch: &Batch, control: &BatchControl, now_ms: TimeMs, add: &AddStock) -> Option<Status> {
    let units = add.units.get();
    if let Some(supply) = control.supply(add.request.get()) {
        return Some(if supply == Supply::Added(units) { Status::Done } else { Status::BatchConflict });
    }
    let fits = control.total.checked_add(units).is_some() && batch.serials.end().checked_add(units).is_some();
    if control.supplies() >= SUPPLIES_MAX || !fits {
        return Some(Status::StockOverflow);
    }
    match batch.state(now_ms, control.state) {
        State::Ended => Some(Status::Ended),
        State::Closed => Some(Status::Closed),
        State::Draft | State::Scheduled | State::Active | State::Paused => None,
    }
}
