//! Expire: reservations whose time has passed give their units back. A burst of its own, on behalf of nobody.

use super::Engine;
use super::burst::Burst;
use super::settle::Case;
use super::take::Echo;
use super::timers::Timer;
use crate::users::{Due, Phase};
use stockade_protocol::claim::RequestKey;

/// Reservations of one burst: more would hold its epoch open for longer than a group takes.
const TOGETHER_MAX: usize = 256;

/// Reservations whose memory is asked for before the first of them ends: it lies anywhere in the tables.
const AHEAD: usize = 16;

/// What is due and may not end yet, since it is not durable, is looked at again after so many milliseconds.
const AGAIN_MS: u64 = 20;

impl Engine {
    /// Lets reservations expire that are due, a burst of them. Returns for how many milliseconds the oldest has been;
    /// `None` when none is due.
    ///
    /// For one thread, which stands for a core of its own.
    pub fn expire(&self) -> Option<u64> {
        let running_ms = self.clock.running_ms();
        if running_ms < self.nothing_lapses_before_ms {
            return None;
        }
        let mut burst = Burst::new(self, self.cores);
        // When the group is full, its commit comes first.
        let due = self.timers.due(running_ms, TOGETHER_MAX.min(burst.room()));
        for timers in due.timers.chunks(AHEAD) {
            let users = |timer: &Timer| &self.registry.at(timer.batch).users;
            timers.iter().for_each(|timer| users(timer).prefetch_at(timer.at));
            timers.iter().for_each(|timer| users(timer).prefetch_user_at(timer.at));
            timers.iter().for_each(|timer| burst.expire(timer, running_ms));
        }
        let _nobody_waits = burst.leave();
        (!due.timers.is_empty()).then_some(due.late_ms)
    }
}

impl Burst<'_> {
    fn expire(&mut self, timer: &Timer, running_ms: u64) {
        let batch = self.engine.registry.at(timer.batch);
        if batch.is_hidden() {
            return;
        }
        let moment = self.moment(batch.day_of(self.now_ms()));
        let Some((mut entry, user, request)) = batch.users.entry_at(timer.at) else { return };
        let Some(claim) = entry.find(request, &moment).claim else { return };
        let again_ms = match entry.due(&claim, running_ms) {
            Due::Never => return,
            Due::At(due_ms) => due_ms,
            Due::Now if !entry.may_settle(&claim, &moment) => running_ms + AGAIN_MS,
            Due::Now => {
                let key = RequestKey::new(batch.id, user, request);
                let (echo, pass, aftermath) = (Echo::default(), &mut self.pass, &mut self.aftermath);
                let mut case = Case { key, claim, entry, moment, echo, batch, pass, aftermath, running_ms };
                return case.give_back(Phase::Lapsed);
            }
        };
        self.engine.timers.add(self.core, again_ms, *timer);
    }
}
