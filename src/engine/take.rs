//! Taking units for a user, for good or for a while: what claims and reservations have in common.

use stockade_protocol::Status;
use stockade_protocol::claim::{ABOUT, ClaimReply, REPLAYED};

use super::aftermath::{Aftermath, Item};
use super::batch::Batch;
use super::burst::{Burst, InBurst};
use super::sight::Sight;
use super::timers::Timer;
use crate::journal::{ClaimRecord, Pass, Step};
use crate::stock::{Day, Mode, Runs, Short};
use crate::types::{BatchId, RequestId, UserId};
use crate::users::{Asked, Claim, Look, Phase};

/// What is asked for.
pub(super) struct Wish {
    pub(super) batch: BatchId,
    pub(super) user: UserId,
    pub(super) request: RequestId,
    pub(super) audience: u32,
    pub(super) asked: Asked,
    /// How long a reservation lives; 0 in a claim.
    pub(super) ttl_s: u16,
}

/// The user's numbers in an answer.
#[derive(Clone, Copy, Default)]
pub(super) struct Echo {
    pub(super) remaining: u32,
    pub(super) units: u32,
    pub(super) day_units: u32,
}

impl<'a> Burst<'a> {
    /// Takes units, or refuses. The order of the checks is the protocol's order of precedence.
    ///
    /// The user's entry stays locked from the look for a replay to the record: a second request of the same user is
    /// decided on what the first became.
    ///
    /// While the disk is nearly full, what was decided before is still answered; everything else is `NO_SPACE`.
    #[inline]
    pub(super) fn take(&mut self, wish: &Wish, sight: &Sight<'a>) -> ClaimReply {
        let out_of_space = self.engine.is_out_of_space();
        let Some(day) = self.find_sighted(wish.batch, sight).map(|in_burst| in_burst.day) else {
            return ClaimReply::refused(if out_of_space { Status::NoSpace } else { Status::BatchUnknown });
        };
        let moment = self.moment(day);
        let due_ms = if wish.asked.reserves { self.running_ms() + u64::from(wish.ttl_s) * 1_000 } else { 0 };
        let (now_ms, core) = (self.now_ms(), self.core);
        let Burst { engine, pass, last, aftermath, .. } = self;
        let in_burst = last.as_mut().expect("it was found");
        let (batch, asked) = (in_burst.batch, wish.asked);

        let mut entry = batch.users.entry_of(sight.user.unwrap_or_else(|| batch.users.hashed(wish.user)));
        let look = entry.find(wish.request, &moment);
        let mut echo = Echo::new(&look, in_burst);
        if entry.is_closed() {
            return in_burst.refused(Status::Closed, echo);
        }
        if let Some(claim) = &look.claim {
            let reply = if claim.asked == asked { Ok(replay(claim, echo)) } else { Err(conflict(claim, asked)) };
            return reply.unwrap_or_else(|status| in_burst.refused(status, echo));
        }
        if out_of_space {
            return in_burst.refused(Status::NoSpace, echo);
        }
        let admitted = match batch.refusal(now_ms) {
            Some(status) => Err(status),
            None => limited(batch, wish, &look),
        };
        let quantity = match admitted {
            Ok(quantity) => quantity,
            Err(status) => return in_burst.refused(status, echo),
        };
        let drawn = draw(batch, (core, day), (quantity, asked.mode), pass, aftermath);
        let drawn_units = drawn.as_ref().map_or(0, Runs::units);
        if asked.reserves {
            batch.more().let_go(u32::from(quantity) - drawn_units);
        }
        let runs = match drawn {
            Ok(runs) => runs,
            Err(short) => {
                in_burst.remaining = batch.pool.units_hint();
                echo.remaining = in_burst.remaining;
                let status = if short == Short::Stock { Status::SoldOut } else { Status::DaySoldOut };
                return in_burst.refused(status, echo);
            }
        };

        // The units are taken: from here on nothing can fail.
        let step = if asked.reserves {
            let at = entry.insert_reserved(wish.request, asked, &runs, (&moment, due_ms));
            engine.timers.add(core, due_ms, Timer { batch: batch.index, at });
            Step::Reserve { ttl_s: wish.ttl_s }
        } else {
            entry.insert(wish.request, asked, &runs, &moment);
            Step::Grant
        };
        let (batch, user, request, mut left) = (wish.batch, wish.user, wish.request, drawn_units);
        for run in runs.iter() {
            left -= run.count;
            let (serial, units, continues) = (run.first, byte(run.count), left > 0);
            pass.claim(&ClaimRecord { batch, user, request, step, serial, units, asked, continues });
        }
        in_burst.remaining = in_burst.remaining.saturating_sub(drawn_units);
        echo.take(drawn_units, in_burst.remaining);
        echo.on(if asked.reserves { reserved(&runs) } else { granted(&runs) })
    }
}

/// Draws units, within the day's limit if there is one.
#[inline]
fn draw(
    batch: &Batch,
    (core, day): (usize, Day),
    (quantity, mode): (u8, Mode),
    pass: &mut Pass<'_>,
    aftermath: &mut Aftermath,
) -> Result<Runs, Short> {
    let Some(limit) = batch.more.get().and_then(|more| more.day_limit.get()) else {
        return batch.pool.draw(core, quantity, mode, || pass.mark()).ok_or(Short::Stock);
    };
    let mut opens = false;
    let drawn = limit.draw(&batch.pool, (core, day), (quantity, mode), || pass.mark(), || opens = true);
    if opens {
        aftermath.add(batch, Item::Open(day));
    }
    drawn
}

/// How many units all limits leave of those asked for. A reservation has room among the reserved ones for as many.
///
/// # Errors
/// Why there must be none.
#[inline]
fn limited(batch: &Batch, wish: &Wish, look: &Look) -> Result<u8, Status> {
    let Asked { mode, reserves, .. } = wish.asked;
    let mut quantity = wish.asked.quantity;
    let mut fit = |limit: Option<u32>, held: u32, status: Status| {
        quantity = within(quantity, mode, limit.map(|limit| limit.saturating_sub(held))).ok_or(status)?;
        Ok(quantity)
    };
    let more = if reserves { Some(batch.more()) } else { batch.more.get().map(|more| &**more) };
    if let Some(more) = more {
        if reserves && !more.has_history_left() {
            return Err(Status::HistoryFull);
        }
        if let Some(status) = more.refusal(wish.audience, wish.asked.quantity) {
            return Err(status);
        }
        if reserves {
            let quantity = fit(more.holds_per_user(), look.reserved, Status::HoldsUserLimit)?;
            if !more.may_hold(least(quantity, mode)) {
                return Err(Status::HoldsBatchLimit);
            }
        }
        fit(more.per_user_day(), look.day_units, Status::DayLimitReached)?;
    }
    let quantity = fit(batch.limits.per_user(), look.units, Status::LimitReached)?;
    if let Some(more) = more.filter(|_| reserves) {
        more.note_move();
        let held = more.hold(u32::from(quantity), least(quantity, mode)).ok_or(Status::HoldsBatchLimit)?;
        return Ok(byte(held));
    }
    Ok(quantity)
}

/// Fewest units that a claim is content with.
fn least(quantity: u8, mode: Mode) -> u32 {
    if mode == Mode::UpTo { 1 } else { quantity.into() }
}

/// How many of so many units there is room for; `None` = the claim must be refused.
#[inline]
fn within(quantity: u8, mode: Mode, room: Option<u32>) -> Option<u8> {
    let Some(room) = room.filter(|room| *room < u32::from(quantity)) else { return Some(quantity) };
    match mode {
        Mode::AllOrNothing => None,
        Mode::UpTo => u8::try_from(room).ok().filter(|room| *room > 0),
    }
}

/// The answer to an earlier copy of the request: what it got then, or how that ended, with today's hints.
pub(super) fn replay(claim: &Claim, echo: Echo) -> ClaimReply {
    let mut reply = match claim.phase {
        Phase::Granted if claim.asked.reserves => reserved(&claim.runs),
        Phase::Reserved => reserved(&claim.runs),
        Phase::Granted => granted(&claim.runs),
        Phase::Cancelled | Phase::Mark => return echo.on(ClaimReply::refused(Status::ReservationCancelled)),
        Phase::Lapsed => return echo.on(ClaimReply::refused(Status::ReservationExpired)),
    };
    reply.flags |= REPLAYED;
    echo.on(reply)
}

/// Why a request whose id means something else is refused.
fn conflict(claim: &Claim, asked: Asked) -> Status {
    // One that was cancelled before it came asked for nothing yet.
    if claim.phase == Phase::Mark && asked.reserves { Status::ReservationCancelled } else { Status::RequestConflict }
}

pub(super) fn granted(runs: &Runs) -> ClaimReply {
    let first = runs.first();
    ClaimReply::granted(byte(runs.units()), first.first, byte(first.count))
}

pub(super) fn reserved(runs: &Runs) -> ClaimReply {
    let first = runs.first();
    ClaimReply::reserved(byte(runs.units()), first.first, byte(first.count))
}

pub(super) fn byte(units: u32) -> u8 {
    u8::try_from(units).expect("a claim asks for at most 255 units")
}

impl Echo {
    #[inline]
    pub(super) fn new(look: &Look, in_burst: &InBurst<'_>) -> Self {
        Self { remaining: in_burst.remaining, units: look.units, day_units: look.day_units }
    }

    /// The user took so many more.
    fn take(&mut self, units: u32, remaining: u32) {
        (self.units, self.day_units, self.remaining) = (self.units + units, self.day_units + units, remaining);
    }

    /// The user gave so many up. They still count until that is durable; the answer leaves only then.
    pub(super) fn give_up(&mut self, units: u32, of_today: bool) {
        self.units = self.units.saturating_sub(units);
        if of_today {
            self.day_units = self.day_units.saturating_sub(units);
        }
    }

    /// Writes them into an answer.
    #[inline]
    pub(super) fn on(self, mut reply: ClaimReply) -> ClaimReply {
        let short = |units: u32| u16::try_from(units).unwrap_or(u16::MAX);
        reply.flags |= ABOUT;
        reply.remaining.set(self.remaining);
        reply.user_units.set(short(self.units));
        reply.day_units.set(short(self.day_units));
        reply
    }
}

impl InBurst<'_> {
    /// A refusal, counted.
    #[inline]
    pub(super) fn refused(&mut self, status: Status, echo: Echo) -> ClaimReply {
        self.refuse(status);
        echo.on(ClaimReply::refused(status))
    }
}
