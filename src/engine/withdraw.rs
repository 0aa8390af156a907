//! Withdraw: fewer units for a batch, of those that nobody has.

use stockade_protocol::Status;
use stockade_protocol::batch::{BatchInfo, State, Withdraw};

use super::burst::Burst;
use super::control::Supply;
use crate::journal::Control;
use crate::limits::SUPPLIES_MAX;
use crate::stock::{Run, Runs};

impl Burst<'_> {
    /// Withdraws up to so many units. A request id that was used before with the same number has no second effect.
    pub fn withdraw(&mut self, withdraw: &Withdraw) -> BatchInfo {
        let (id, request, asked) = (withdraw.batch.get(), withdraw.request.get(), withdraw.units.get());
        let (now_ms, invalid) = (self.now_ms(), (asked == 0).then_some(Status::QuantityInvalid));
        let Some(batch) = self.find_batch(id) else {
            return BatchInfo::refused(invalid.unwrap_or(Status::BatchUnknown), id);
        };
        let mut control = batch.control.lock();
        let told = |status: Status, taken: u32, control: &_| {
            let mut info = batch.info(status, now_ms, control);
            info.moved.set(taken);
            info
        };
        if let Some(status) = invalid {
            return told(status, 0, &control);
        }
        match control.supply(request) {
            Some(Supply::Withdrawn { asked: before, taken }) if before == asked => {
                return told(Status::Done, taken, &control);
            }
            Some(_) => return told(Status::BatchConflict, 0, &control),
            None if control.supplies() >= SUPPLIES_MAX => return told(Status::StockOverflow, 0, &control),
            None if batch.state(now_ms, control.state) == State::Closed => return told(Status::Closed, 0, &control),
            None => {}
        }
        self.pass.mark();
        let day_limit = batch.more.get().and_then(|more| more.day_limit.get());
        let runs = match day_limit {
            Some(limit) => limit.withdraw(&batch.pool, asked),
            None => batch.pool.withdraw(asked),
        };
        let (version, time_ms) = (control.next_version(), now_ms);
        let pieces = if runs.is_empty() { Runs::default() } else { runs.clone() };
        let nothing = runs.is_empty().then(|| Run::new(0, 0));
        for run in pieces.iter().chain(nothing) {
            control.withdraw(request, asked, run.count);
            self.pass.control(Control::Withdrawn { batch: id, version, request, asked, run, time_ms }, None);
        }
        batch.note_total(&control);
        // Whoever was about to draw has drawn when this is answered.
        self.pass.barrier();
        let info = told(Status::Done, runs.units(), &control);
        drop(control);
        info
    }
}
