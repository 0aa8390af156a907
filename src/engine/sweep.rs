//! Sweep: counts the coupons that have expired, batch by batch. Nothing depends on it: what is expired, the clock
//! decides whenever a coupon is touched. It is for the numbers, and for those who read the feed.

use std::collections::BTreeSet;

use parking_lot::Mutex;

use super::Engine;
use super::batch::Batch;
use super::burst::Burst;
use super::more::More;
use crate::journal::{Control, StateCode};
use crate::stock::Day;
use crate::types::TimeMs;
use crate::users::Coupon;

/// When which batch is swept next, by its place on the shelf. An entry counts if its batch says the same.
#[derive(Default)]
pub(super) struct Sweeps {
    due: Mutex<BTreeSet<(TimeMs, u32)>>,
}

impl Sweeps {
    /// Has a batch swept at `due_ms`.
    pub(super) fn plan(&self, batch: &Batch, due_ms: TimeMs) {
        if batch.more().plan_sweep(due_ms) {
            self.due.lock().insert((due_ms, batch.index));
        }
    }

    fn pop(&self, now_ms: TimeMs) -> Option<(TimeMs, u32)> {
        let mut due = self.due.lock();
        due.first().is_some_and(|(due_ms, _)| *due_ms <= now_ms).then(|| due.pop_first()).flatten()
    }
}

impl Engine {
    /// Counts what has expired in one batch that is due. False when none is.
    ///
    /// For the thread that lets reservations expire.
    pub fn sweep(&self) -> bool {
        let now_ms = self.now_ms();
        let Some((due_ms, index)) = self.sweeps.pop(now_ms) else { return false };
        let batch = self.registry.at(index);
        let Some(more) = batch.more.get().filter(|more| more.takes_sweep(due_ms)) else { return true };
        let today = batch.day_of(now_ms);
        let has_expired = |coupon: &Coupon, taken: Day| more.has_expired(coupon, taken, (now_ms, today));
        let expired = batch.users.expired(&has_expired);
        let news = u32::try_from(expired.saturating_sub(more.expired())).unwrap_or(u32::MAX);
        if news > 0 {
            let mut burst = Burst::new(self, self.cores);
            burst.record_expired(batch, more, news, today);
            let _nobody_waits = burst.leave();
        }
        if let Some(next_ms) = more.next_expiry_ms(now_ms, today) {
            self.sweeps.plan(batch, next_ms);
        }
        true
    }
}

impl Burst<'_> {
    fn record_expired(&mut self, batch: &Batch, more: &More, coupons: u32, today: Day) {
        let control = batch.control.lock();
        // A closed batch has no coupons any more: what it says is a count of nothing.
        if batch.is_hidden() || control.state == StateCode::Closed {
            return;
        }
        self.pass.mark();
        more.note_expired(coupons.into());
        let (through, time_ms) = (more.expired_through(today, self.now_ms()), self.now_ms());
        self.pass.control(Control::Expired { batch: batch.id, through, coupons, time_ms }, None);
    }
}
