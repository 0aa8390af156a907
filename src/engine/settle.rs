//! Confirm, cancel and extend: what they have in common. And how units come back.

use stockade_protocol::Status;
use stockade_protocol::claim::{ClaimReply, RequestKey};

use super::aftermath::{Aftermath, Item};
use super::batch::Batch;
use super::burst::{Burst, InBurst};
use super::sight::Sight;
use super::take::{Echo, byte};
use crate::journal::{ClaimRecord, NO_SERIAL, Pass, Step};
use crate::stock::{Day, Run};
use crate::users::{Claim, Due, Entry, Moment, Phase};

/// A reservation under its user's lock, and what is needed to settle it.
pub(super) struct Case<'b, 'a> {
    pub(super) key: RequestKey,
    pub(super) claim: Claim,
    pub(super) entry: Entry<'a>,
    pub(super) moment: Moment,
    pub(super) echo: Echo,
    pub(super) batch: &'a Batch,
    pub(super) pass: &'b mut Pass<'a>,
    pub(super) aftermath: &'b mut Aftermath,
    pub(super) running_ms: u64,
}

/// What the request of a settlement turned out to be.
pub(super) enum Found<'b, 'a> {
    /// A reservation that has not ended and may be settled.
    Reserved(Box<Case<'b, 'a>>),
    /// One that was settled, or expires at this moment.
    Ended(Phase, Claim, Echo),
    /// Nothing: the user's entry, to leave a mark in it.
    Nothing(Entry<'a>, Moment, Echo, &'b mut InBurst<'a>, &'b mut Pass<'a>),
    /// Answered.
    Refused(ClaimReply),
}

impl<'a> Burst<'a> {
    /// Finds the reservation that `key` names, under the lock of its user. One that is due expires here and now:
    /// whoever comes after that moment finds it ended.
    pub(super) fn find_reservation<'b>(&'b mut self, key: &RequestKey, sight: &Sight<'a>) -> Found<'b, 'a> {
        let Some(day) = self.find_sighted(key.batch.get(), sight).map(|in_burst| in_burst.day) else {
            return Found::Refused(ClaimReply::refused(Status::BatchUnknown));
        };
        let (moment, running_ms) = (self.moment(day), self.running_ms());
        let not_before_ms = self.engine.nothing_lapses_before_ms;
        let Burst { pass, last, aftermath, .. } = self;
        let in_burst = last.as_mut().expect("it was found");
        let batch = in_burst.batch;
        let mut entry = batch.users.entry_of(sight.user.unwrap_or_else(|| batch.users.hashed(key.user.get())));
        let look = entry.find(key.request.get(), &moment);
        let echo = Echo::new(&look, in_burst);
        if entry.is_closed() {
            return Found::Refused(echo.on(ClaimReply::refused(Status::Closed)));
        }
        let Some(claim) = look.claim else { return Found::Nothing(entry, moment, echo, in_burst, pass) };
        if !claim.asked.reserves {
            return Found::Refused(echo.on(ClaimReply::refused(Status::RequestConflict)));
        }
        if claim.phase != Phase::Reserved {
            return Found::Ended(claim.phase, claim, echo);
        }
        if !entry.may_settle(&claim, &moment) {
            return Found::Refused(echo.on(ClaimReply::refused(Status::Overloaded)));
        }
        let due = entry.due(&claim, running_ms);
        let mut case = Case { key: *key, claim, entry, moment, echo, batch, pass, aftermath, running_ms };
        if due == Due::Now && running_ms >= not_before_ms {
            case.give_back(Phase::Lapsed);
            return Found::Ended(Phase::Lapsed, case.claim, case.echo);
        }
        Found::Reserved(Box::new(case))
    }
}

impl Case<'_, '_> {
    /// Ends the reservation without a grant: its units come back.
    pub(super) fn give_back(&mut self, how: Phase) {
        let (units, day) = (self.claim.runs.units(), self.entry.day_of(&self.claim));
        self.pass.mark();
        let run = come_back(self.batch, units, day, self.aftermath);
        self.aftermath.add(self.batch, Item::LetGo(units));
        self.entry.give_up(&self.claim, how, run.is_none(), &self.moment);
        self.batch.more().note_end();
        self.echo.give_up(units, day == self.moment.day);
        let step = if how == Phase::Lapsed { Step::Lapse } else { Step::Cancel };
        self.record(step, run.map_or(NO_SERIAL, |run| run.first), byte(units));
    }

    /// Hands in a step of the reservation.
    pub(super) fn record(&mut self, step: Step, serial: u32, units: u8) {
        let (batch, user, request) = (self.key.batch.get(), self.key.user.get(), self.key.request.get());
        let (asked, continues) = (self.claim.asked, false);
        self.pass.claim(&ClaimRecord { batch, user, request, step, serial, units, asked, continues });
    }
}

/// Gives units of a batch that come back their new serials, and lets them in when that is durable. `None`: there are no
/// serials left, the units are nobody's for good.
pub(super) fn come_back(batch: &Batch, units: u32, taken: Day, aftermath: &mut Aftermath) -> Option<Run> {
    let run = batch.serials.next(units)?;
    batch.announce(units);
    aftermath.add(batch, Item::LetIn(run, Some(taken)));
    Some(run)
}
