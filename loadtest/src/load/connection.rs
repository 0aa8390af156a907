//! One pipelined connection, without its socket: which frames leave when, and when their replies come.
//!
//! Bytes and instants come in, bytes go out; nothing here reads a clock or touches a socket. An open loop's latency
//! counts from the *intended* start of a frame: while the window is full or the connection is broken, the schedule goes
//! on.
//!
//! What a frame holds and what a reply means, [`Work`] knows. Where slots have two requests, a frame of second ones
//! takes the place of the frame of first ones in the window, and leaves at once.
//!
//! One timestamp serves all frames of a wake-up.

use std::collections::VecDeque;
use std::sync::Arc;

use stockade_protocol::claim::ClaimReply;
use stockade_protocol::fault::Fault;
use stockade_protocol::frame::{Side, decode};
use stockade_protocol::limits::REPLY_BODY_BYTES_MAX;
use stockade_protocol::{Frame, Opcode, Status};
use zerocopy::IntoBytes;

use crate::limits::WRITE_BYTES_MAX;
use crate::load::claims::Claims;
use crate::load::pairs::Pairs;
use crate::load::population::Population;
use crate::load::rounds::{Rounds, Share};
use crate::load::schedule::{OpenSchedule, Schedule};
use crate::load::tally::{Period, Tally};
use crate::load::window::{InFlight, Window};
use crate::load::work::Work;
use crate::plan::Plan;
use crate::plan::operation::Operation;
use crate::proof::books::Books;
use crate::proof::ledger::Ledger;

/// One connection's slots: those to come, those in flight, and what became of the rest.
#[derive(Clone, Debug)]
pub struct Connection {
    number: u32,
    work: Work,
    schedule: Schedule,
    window: Window,
    claims_per_frame: u32,
    next_slot: u64,
    slots_max: u64,
    is_stopped: bool,
    /// Since when a frame could have left: the window had room, the connection stood and its socket took bytes.
    able_ns: u64,
    /// Frames of second requests that did not leave yet.
    second: VecDeque<u64>,
}

/// What a thread counts with: its numbers and its books.
#[derive(Clone, Debug)]
pub struct Record {
    /// Outcomes, latencies, lateness.
    pub tally: Tally,
    /// What the batches gave away.
    pub books: Books,
}

/// The server sent what no client of this protocol can go on from. The text says what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutOfStep(pub String);

impl Connection {
    /// Connection `number` of `plan`'s, which claims or reserves.
    ///
    /// # Panics
    /// When the plan's operation needs to be told what to work with ([`Connection::working`]).
    #[must_use]
    pub fn new(number: u32, plan: &Plan, population: Arc<Population>, period: Period) -> Self {
        let audience = plan.rules.audience_any;
        let work = match plan.operation {
            Operation::Claim => Work::Claims(Box::new(Claims::new(number, population, audience))),
            Operation::ReserveConfirm => Work::Pairs(Box::new(Pairs::of_reservations(number, population, audience))),
            Operation::LockRedeem | Operation::Wallet => panic!("{} works with coupons", plan.operation.name()),
        };
        Self::working(number, plan, work, period)
    }

    /// Connection `number` of `plan`'s, which does `work`.
    #[must_use]
    pub fn working(number: u32, plan: &Plan, work: Work, period: Period) -> Self {
        let schedule = if plan.closed {
            Schedule::Closed { end_ns: period.end_ns }
        } else {
            let phase = f64::from(number) / f64::from(plan.connections);
            let key = crate::hash::Key::new(plan.seed, 1_000 + u64::from(number));
            Schedule::Open(OpenSchedule::new(plan.arrivals, plan.frame_interval_ns(), phase, key, period.end_ns))
        };
        Self {
            number,
            slots_max: plan.claims_of(number).min(work.slots_max()),
            work,
            schedule,
            window: Window::new(plan.window),
            claims_per_frame: plan.claims_per_frame,
            next_slot: 0,
            is_stopped: false,
            able_ns: 0,
            second: VecDeque::new(),
        }
    }

    /// The same, claiming from batches that come and go.
    ///
    /// # Panics
    /// When it does not claim.
    #[must_use]
    pub fn in_rounds(mut self, rounds: Rounds) -> Self {
        self.work.set_rounds(rounds);
        self
    }

    /// When the next frame is due; it may have been. `None`: the window is full, its batches do not exist yet, or there
    /// is no next frame.
    #[must_use]
    pub fn next_due_ns(&self) -> Option<u64> {
        // Second requests are due since their answer came: long ago.
        if self.second.is_empty() { self.next_first_ns() } else { Some(0) }
    }

    /// When the next frame of first requests is due.
    fn next_first_ns(&self) -> Option<u64> {
        let due_ns = self.wanted_ns()?;
        match self.work.rounds() {
            Some(rounds) if !rounds.may_send(self.frame_end()) => None,
            Some(_) | None => Some(due_ns),
        }
    }

    /// When the next frame is due, whether its batches exist or not.
    fn wanted_ns(&self) -> Option<u64> {
        let may_send = !self.is_stopped && self.next_slot < self.slots_max && self.window.has_room();
        if may_send { self.schedule.next_ns() } else { None }
    }

    /// The slot after those of the next frame.
    fn frame_end(&self) -> u64 {
        self.slots_max.min(self.next_slot + u64::from(self.claims_per_frame))
    }

    /// Whether a frame that was due at `now_ns` waited for batches, while only those of `open` rounds existed.
    #[must_use]
    pub fn waited_for_batches(&self, open: u64, now_ns: u64) -> bool {
        let is_due = self.wanted_ns().is_some_and(|due_ns| due_ns <= now_ns);
        is_due && self.work.rounds().is_some_and(|rounds| !rounds.are_open(self.frame_end(), open))
    }

    /// Appends to `out` the frames that are due at `now_ns` and fit the window and one write. All second requests
    /// leave: there are no more of them than replies were read at once.
    pub fn send_due(&mut self, now_ns: u64, out: &mut Vec<u8>, tally: &mut Tally) {
        for correlation in std::mem::take(&mut self.second) {
            if let Some(frame) = self.window.find(correlation) {
                self.work.encode(correlation, &frame, out);
            }
        }
        while out.len() < WRITE_BYTES_MAX && self.next_first_ns().is_some() {
            let Some(intended_ns) = self.schedule.take_due(now_ns) else { return };
            let count = u32::try_from(self.frame_end() - self.next_slot).expect("at most the claims of a frame");
            let frame = InFlight::first(self.next_slot, count, intended_ns);
            let Some(correlation) = self.window.open(frame) else { return };
            self.next_slot += u64::from(count);
            self.work.encode(correlation, &frame, out);
            tally.sent(count, intended_ns, self.able_ns, now_ns);
        }
    }

    /// Appends to `out` all frames in flight, as they were: the connection broke at some time and stands again at
    /// `now_ns`.
    pub fn send_again(&mut self, now_ns: u64, out: &mut Vec<u8>, tally: &mut Tally) {
        self.able_from(now_ns);
        self.second.clear();
        for (correlation, frame) in self.window.in_order() {
            self.work.encode(correlation, &frame, out);
            tally.frames_resent += 1;
        }
    }

    /// From `now_ns` on frames can leave: until then, what was late was not the generator's own doing.
    pub fn able_from(&mut self, now_ns: u64) {
        self.able_ns = now_ns;
    }

    /// Takes in the whole replies at the front of `bytes`, received at `now_ns`: how many bytes they were.
    ///
    /// # Errors
    /// When the bytes are no replies to what this connection sent. It has to be closed; frames in flight stay in
    /// flight.
    pub fn receive(&mut self, bytes: &[u8], now_ns: u64, record: &mut Record) -> Result<usize, OutOfStep> {
        let mut used = 0;
        record.tally.turn(now_ns);
        loop {
            match decode(Side::Client, &bytes[used..], REPLY_BODY_BYTES_MAX) {
                Ok(Some((frame, length))) => {
                    self.answered(&frame, now_ns, record)?;
                    used += length;
                }
                Ok(None) => return Ok(used),
                Err(error) => return Err(OutOfStep(format!("a reply is {}", error.status))),
            }
        }
    }

    fn answered(&mut self, reply: &Frame<'_>, now_ns: u64, record: &mut Record) -> Result<(), OutOfStep> {
        let Some(frame) = self.window.find(reply.correlation) else {
            // Claims are looked up afterwards, whatever else was answered; of other requests each answer must be the
            // only one.
            let is_wrong = reply.opcode != Opcode::Fault && !matches!(self.work, Work::Claims(_));
            record.books.wrong_answers += u64::from(is_wrong);
            return Err(OutOfStep(unasked(reply)));
        };
        let settled = if reply.opcode == Opcode::Fault {
            let fault = reply.item::<Fault>().expect("the decoder checked the length of the fault");
            self.work.refused(&frame, fault.as_bytes()[0], record)
        } else {
            self.work.settle(&frame, reply, record)?
        };
        let tally = &mut record.tally;
        tally.step_answered(frame.step, frame.count, frame.step_ns, now_ns);
        if settled.next > 0 {
            self.second.extend(self.window.renew(reply.correlation, frame.second(settled.next, now_ns)));
        } else {
            if !self.window.has_room() {
                self.able_ns = now_ns;
            }
            self.window.close(reply.correlation);
        }
        tally.answered(settled.over, settled.wanted, frame.intended_ns, now_ns);
        Ok(())
    }

    /// Enters that the unit of this slot is the user's, as `reply` to a look-up says.
    #[inline]
    pub fn granted(&mut self, slot: u64, reply: &ClaimReply, books: &mut Books) {
        self.work.granted(slot, reply, books);
    }

    /// Enters that it is not, but what the `status` of the look-up says.
    pub fn found_otherwise(&mut self, slot: u64, status: Status) {
        self.work.found_otherwise(slot, status);
    }

    /// Enters that the coupon of this slot, which has this serial, is redeemed, as the server shows it.
    pub fn found_redeemed(&mut self, slot: u64, serial: u32) {
        self.work.found_redeemed(slot, serial);
    }

    /// What is left of the rounds when the run is over.
    pub fn rest(&mut self) -> VecDeque<Share> {
        self.work.rest()
    }

    /// The run is over at `now_ns`: enters into `tally` what is still unsent and unanswered.
    pub fn finish(&mut self, now_ns: u64, tally: &mut Tally) {
        let frames_left = self.schedule.frames_left();
        let claims_left = self.slots_max - self.next_slot;
        if let Some(from_ns) = self.schedule.next_ns().filter(|_| frames_left > 0 && claims_left > 0) {
            tally.unsent(claims_left.min(frames_left.saturating_mul(self.claims_per_frame.into())), from_ns);
        }
        for (_, frame) in self.window.in_order() {
            tally.unanswered(frame.count, frame.intended_ns, now_ns);
        }
    }

    /// Whether every frame sent has its reply.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.window.is_empty()
    }

    /// Sends nothing new from now on.
    pub fn stop(&mut self) {
        self.is_stopped = true;
    }

    /// Whether there is nothing left to send for the first time.
    #[must_use]
    pub fn is_at_end(&self) -> bool {
        self.is_stopped || self.next_slot >= self.slots_max || self.schedule.next_ns().is_none()
    }

    /// Slots that were sent and have no answer, each once, in order; of claims that were sent again their origins.
    #[must_use]
    pub fn unanswered(&self) -> Vec<u64> {
        self.work.unanswered(self.window.in_order().into_iter().map(|(_, frame)| frame))
    }

    /// The connection's number in the run.
    #[must_use]
    pub fn number(&self) -> u32 {
        self.number
    }

    /// The units of batches that stay that are its users'; `None` = it takes none.
    #[must_use]
    pub fn ledger(&self) -> Option<&Ledger> {
        self.work.ledger()
    }

    /// Its pairs, if its slots are such.
    #[must_use]
    pub fn pairs(&self) -> Option<&Pairs> {
        match &self.work {
            Work::Pairs(pairs) => Some(pairs),
            Work::Claims(_) | Work::Pages(_) => None,
        }
    }
}

/// What a reply says that answers no frame in flight.
fn unasked(reply: &Frame<'_>) -> String {
    match reply.item::<Fault>() {
        Ok(fault) if reply.opcode == Opcode::Fault => {
            let status = fault.status().map_or("an unknown status", Status::name);
            format!("the server refused the connection with {status}: {}", fault.text())
        }
        Ok(_) | Err(_) => format!("a {:?} reply has the correlation id of no frame in flight", reply.opcode),
    }
}
