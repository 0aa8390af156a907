//! Claims, reservations and what ends them: what the specification lets each be answered.

use stockade_protocol::Status;
use stockade_protocol::claim::{ClaimReply, REPLAYED, SPLIT};

use super::books::{Asked, Batch, Books, Moment, Phase, Request, Run, units_of};
use super::records::{Effect, Record};

/// Longest life of a reservation here.
pub(crate) const TTL_S_MAX: u16 = 3_600;

/// A claim, or a reservation if it lives for some time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wish {
    pub(crate) batch: u64,
    pub(crate) user: u64,
    pub(crate) request: u64,
    pub(crate) audience: u32,
    pub(crate) asked: Asked,
    pub(crate) ttl_s: u16,
}

/// Names a claim or a reservation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key {
    pub(crate) batch: u64,
    pub(crate) user: u64,
    pub(crate) request: u64,
}

/// What may be done to a reservation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    Confirm,
    Cancel,
    Extend(u16),
}

/// An answer that would be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Right {
    /// Nothing was done, or nothing that has units to tell of.
    Says(Status, bool),
    /// It tells the units that a request has.
    Tells(Status, Vec<Run>, bool),
    /// So many free units are taken: granted, or reserved.
    Takes(Status, u32),
}

/// A right answer and what comes of it.
type Outcome = (Right, Vec<Effect>);

/// What was answered: the reply, and all serials where it names units.
pub(crate) struct Answer {
    pub(crate) reply: ClaimReply,
    pub(crate) runs: Vec<Run>,
}

fn says(status: Status) -> Outcome {
    (Right::Says(status, false), Vec::new())
}

impl Answer {
    /// Whether the parts of the answer agree.
    fn is_sound(&self) -> bool {
        let reply = &self.reply;
        let has_units = matches!(reply.status(), Some(Status::Granted | Status::Reserved));
        let first = self.runs.first().copied().unwrap_or((0, 0));
        has_units != self.runs.is_empty()
            && u32::from(reply.granted) == units_of(&self.runs)
            && (reply.serial.get(), u32::from(reply.run)) == first
            && (reply.flags & SPLIT != 0) == (reply.run < reply.granted)
    }

    fn is(&self, right: &Right, batch: Option<&Batch>) -> bool {
        let (status, replayed) = (self.reply.status(), self.reply.flags & REPLAYED != 0);
        match right {
            Right::Says(expected, repeats) => (status, replayed) == (Some(*expected), *repeats),
            Right::Tells(expected, runs, repeats) => {
                (status, replayed) == (Some(*expected), *repeats) && self.runs == *runs
            }
            Right::Takes(expected, units) => {
                let mut free = batch.expect("it was found").free.clone();
                (status, replayed) == (Some(*expected), false)
                    && units_of(&self.runs) == *units
                    && self.runs.iter().all(|(first, count)| free.remove(*first, *count))
            }
        }
    }
}

impl Books {
    /// Holds an answer against the right ones; returns what took effect.
    fn judge(&self, batch: u64, answer: &Answer, right: Vec<Outcome>) -> Result<Vec<Record>, String> {
        let found = self.find(batch);
        let is_right = |outcome: &Outcome| answer.is_sound() && answer.is(&outcome.0, found);
        match right.iter().position(is_right) {
            Some(at) => {
                let effects = right.into_iter().nth(at).expect("it is there").1;
                Ok(effects.into_iter().map(|effect| Record { batch, effect }).collect())
            }
            None => Err(format!(
                "{:?} flags {} units {} {:?}, expected {:?}",
                answer.reply.status(),
                answer.reply.flags,
                answer.reply.granted,
                answer.runs,
                right.iter().map(|outcome| &outcome.0).collect::<Vec<_>>()
            )),
        }
    }

    pub(crate) fn judge_take(&self, at: &Moment, wish: &Wish, answer: &Answer) -> Result<Vec<Record>, String> {
        let mut right = self.expect_take(at, wish);
        if let Some((Right::Takes(..), effects)) = right.first_mut() {
            let Wish { user, request, asked, ttl_s, .. } = *wish;
            effects.push(Effect::Taken { user, request, asked, runs: answer.runs.clone(), ttl_s });
        }
        self.judge(wish.batch, answer, right)
    }

    fn expect_take(&self, at: &Moment, wish: &Wish) -> Vec<Outcome> {
        if wish.asked.quantity == 0 {
            return vec![says(Status::QuantityInvalid)];
        }
        if wish.asked.reserves && !(1..=TTL_S_MAX).contains(&wish.ttl_s) {
            return vec![says(Status::TtlInvalid)];
        }
        let Some(batch) = self.find(wish.batch) else { return vec![says(Status::BatchUnknown)] };
        if batch.shut {
            return vec![says(Status::Closed)];
        }
        if let Some(request) = batch.request(wish.user, wish.request) {
            return vec![if request.asked == wish.asked {
                (request.replay(), Vec::new())
            } else if request.phase == Phase::Mark && wish.asked.reserves {
                says(Status::ReservationCancelled)
            } else {
                says(Status::RequestConflict)
            }];
        }
        batch.expect_new(at, wish)
    }

    pub(crate) fn judge_lookup(&self, key: &Key, answer: &Answer) -> Result<(), String> {
        let right = match self.find(key.batch) {
            None => says(Status::BatchUnknown),
            Some(batch) if batch.shut => says(Status::Closed),
            Some(batch) => match batch.request(key.user, key.request) {
                None => says(Status::RequestUnknown),
                Some(request) if request.phase == Phase::Granted => {
                    (Right::Tells(Status::Granted, request.runs.clone(), true), Vec::new())
                }
                Some(request) => (request.replay(), Vec::new()),
            },
        };
        self.judge(key.batch, answer, vec![right]).map(|_| ())
    }

    pub(crate) fn judge_deed(
        &self,
        at: &Moment,
        key: &Key,
        deed: Deed,
        answer: &Answer,
    ) -> Result<Vec<Record>, String> {
        let right = match (deed, self.find(key.batch)) {
            (Deed::Extend(ttl_s), _) if !(1..=TTL_S_MAX).contains(&ttl_s) => vec![says(Status::TtlInvalid)],
            (_, None) => vec![says(Status::BatchUnknown)],
            (_, Some(batch)) if batch.shut => vec![says(Status::Closed)],
            (_, Some(batch)) => batch.expect_deed(at, key, deed),
        };
        self.judge(key.batch, answer, right)
    }
}

impl Request {
    /// The answer to a copy.
    fn replay(&self) -> Right {
        match self.phase {
            Phase::Granted if !self.asked.reserves => Right::Tells(Status::Granted, self.runs.clone(), true),
            Phase::Granted | Phase::Reserved => Right::Tells(Status::Reserved, self.runs.clone(), true),
            Phase::Cancelled | Phase::Mark => Right::Says(Status::ReservationCancelled, false),
            Phase::Lapsed => Right::Says(Status::ReservationExpired, false),
        }
    }
}

impl Batch {
    /// A claim that is new, check by check in the order of precedence.
    fn expect_new(&self, at: &Moment, wish: &Wish) -> Vec<Outcome> {
        if let Some(status) = self.closed_to_claims(at.now_ms) {
            return vec![says(status)];
        }
        if let Some(refused) = self.audience_refuses(wish.audience) {
            return refused;
        }
        let (asked, today) = (wish.asked, self.day_of(at.now_ms));
        if self.lowest(|terms| terms.quantity_max).is_some_and(|most| asked.quantity > most) {
            return vec![says(Status::QuantityAboveLimit)];
        }
        let (units, reserved, of_day) = self.holdings(wish.user, today, at.durable);
        let share = |terms: &stockade_protocol::batch::Terms| {
            terms.holds.share.map(|share| u64::from(self.total) * u64::from(share) / 100)
        };
        let for_holds = |limit: Option<u32>| limit.filter(|_| asked.reserves);
        let held_most = self.lowest(share).map(|most| u32::try_from(most).expect("a part of the total"));
        let limits = [
            (for_holds(self.lowest(|terms| terms.holds.per_user).map(u32::from)), reserved, Status::HoldsUserLimit),
            (for_holds(held_most), self.room_taken, Status::HoldsBatchLimit),
            (self.lowest(|terms| terms.per_user_day), of_day, Status::DayLimitReached),
            (self.lowest(|terms| terms.per_user), units, Status::LimitReached),
            (Some(self.free_units), 0, Status::SoldOut),
            (self.per_day(today), self.taken_on(today), Status::DaySoldOut),
        ];
        let quantity = u32::from(asked.quantity);
        let least = if asked.up_to { 1 } else { quantity };
        let rooms =
            limits.map(|(limit, taken, status)| (limit.map_or(u32::MAX, |limit| limit.saturating_sub(taken)), status));
        if let Some((_, status)) = rooms.iter().find(|(room, _)| *room < least) {
            return vec![says(*status)];
        }
        let granted = rooms.iter().map(|(room, _)| *room).min().expect("there are six").min(quantity);
        let status = if asked.reserves { Status::Reserved } else { Status::Granted };
        vec![(Right::Takes(status, granted), Vec::new())]
    }

    fn audience_refuses(&self, flags: u32) -> Option<Vec<Outcome>> {
        let admitted = self.binding.iter().all(|terms| terms.audience.admits(flags));
        if !admitted {
            return Some(vec![says(Status::AudienceRefused)]);
        }
        None
    }

    fn expect_deed(&self, at: &Moment, key: &Key, deed: Deed) -> Vec<Outcome> {
        let Key { user, request, .. } = *key;
        let Some(found) = self.request(user, request) else {
            return vec![if deed == Deed::Cancel {
                (Right::Says(Status::Done, false), vec![Effect::Marked { user, request }])
            } else {
                says(Status::RequestUnknown)
            }];
        };
        if !found.asked.reserves {
            return vec![says(Status::RequestConflict)];
        }
        if found.phase != Phase::Reserved {
            return vec![found.expect_ended(deed)];
        }
        if found.born.is_foreign(at) || found.changed.is_foreign(at) {
            return vec![says(Status::Overloaded)];
        }
        let mut right = vec![found.expect_reserved(at, key, deed)];
        if found.born.epoch > 0 && found.born.epoch >= at.durable {
            // What others took at the same time may stand in the way.
            right.push(says(Status::Overloaded));
        }
        right
    }
}

impl Request {
    fn expect_ended(&self, deed: Deed) -> Outcome {
        match (self.phase, deed) {
            (Phase::Granted, Deed::Confirm) => (Right::Tells(Status::Granted, self.runs.clone(), true), Vec::new()),
            (Phase::Granted, _) => says(Status::ReservationConfirmed),
            (Phase::Cancelled | Phase::Mark, Deed::Cancel) => (Right::Says(Status::Done, true), Vec::new()),
            (Phase::Cancelled | Phase::Mark, _) => says(Status::ReservationCancelled),
            (Phase::Lapsed | Phase::Reserved, _) => says(Status::ReservationExpired),
        }
    }

    fn expect_reserved(&self, at: &Moment, key: &Key, deed: Deed) -> Outcome {
        let Key { user, request, .. } = *key;
        if self.due_ms <= at.running_ms && at.may_lapse {
            let lapses = Effect::GivenBack { user, request, how: Phase::Lapsed };
            return (Right::Says(Status::ReservationExpired, false), vec![lapses]);
        }
        let tells = |status, repeats| Right::Tells(status, self.runs.clone(), repeats);
        match (deed, self.extended_s) {
            (Deed::Confirm, _) => (tells(Status::Granted, false), vec![Effect::Confirmed { user, request }]),
            (Deed::Cancel, _) => {
                let gives_back = Effect::GivenBack { user, request, how: Phase::Cancelled };
                (Right::Says(Status::Done, false), vec![gives_back])
            }
            (Deed::Extend(ttl_s), Some(before)) if before == ttl_s => (tells(Status::Reserved, true), Vec::new()),
            (Deed::Extend(_), Some(_)) => says(Status::ReservationExtended),
            (Deed::Extend(ttl_s), None) => {
                (tells(Status::Reserved, false), vec![Effect::Extended { user, request, ttl_s }])
            }
        }
    }
}
