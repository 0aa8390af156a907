//! One pipelined connection, without its socket: which frames leave when, and what their replies mean.
//!
//! Bytes and instants come in, bytes go out; nothing here reads a clock or touches a socket. An open loop's latency
//! counts from the *intended* start of a frame: while the window is full or the connection is broken, the schedule goes
//! on.
//!
//! One timestamp serves all frames of a wake-up, and nothing is allocated for a claim.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use foldhash::fast::FixedState;
use stockade_protocol::claim::{Claim, ClaimReply};
use stockade_protocol::fault::Fault;
use stockade_protocol::frame::{Side, decode};
use stockade_protocol::limits::REPLY_BODY_BYTES_MAX;
use stockade_protocol::{Frame, Header, Opcode, Retry, Status};
use zerocopy::IntoBytes;

use crate::limits::WRITE_BYTES_MAX;
use crate::load::population::Population;
use crate::load::rounds::{Rounds, Share};
use crate::load::schedule::{OpenSchedule, Schedule};
use crate::load::tally::{Period, Tally};
use crate::load::window::{InFlight, Window};
use crate::plan::Plan;
use crate::proof::books::Books;
use crate::proof::ledger::Ledger;

/// One connection's claims: those to come, those in flight, and what became of the rest.
#[derive(Clone, Debug)]
pub struct Connection {
    number: u32,
    population: Arc<Population>,
    schedule: Schedule,
    window: Window,
    claims_per_frame: u32,
    next_slot: u64,
    slots_max: u64,
    is_stopped: bool,
    /// Since when a frame could have left: the window had room, the connection stood and its socket took bytes.
    able_ns: u64,
    /// What it was granted, unless batches come and go.
    ledger: Ledger,
    /// The same where they do, until it is handed over.
    rounds: Option<Rounds>,
    grants: u64,
    /// Claims whose first answer was a replay: a reply was lost, or a retry overtook it. The one answer that is no
    /// replay may still come.
    replayed_first: HashSet<u64, FixedState>,
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
    /// Connection `number` of `plan`'s.
    #[must_use]
    pub fn new(number: u32, plan: &Plan, population: Arc<Population>, period: Period) -> Self {
        let schedule = if plan.closed {
            Schedule::Closed { end_ns: period.end_ns }
        } else {
            let phase = f64::from(number) / f64::from(plan.connections);
            let key = crate::hash::Key::new(plan.seed, 1_000 + u64::from(number));
            Schedule::Open(OpenSchedule::new(plan.arrivals, plan.frame_interval_ns(), phase, key, period.end_ns))
        };
        Self {
            number,
            population,
            schedule,
            window: Window::new(plan.window),
            claims_per_frame: plan.claims_per_frame,
            next_slot: 0,
            slots_max: plan.claims_of(number),
            is_stopped: false,
            able_ns: 0,
            ledger: Ledger::default(),
            rounds: None,
            grants: 0,
            replayed_first: HashSet::default(),
        }
    }

    /// The same, claiming from batches that come and go.
    #[must_use]
    pub fn in_rounds(self, rounds: Rounds) -> Self {
        Self { rounds: Some(rounds), ..self }
    }

    /// When the next frame is due; it may have been. `None`: the window is full, its batches do not exist yet, or there
    /// is no next frame.
    #[must_use]
    pub fn next_due_ns(&self) -> Option<u64> {
        let due_ns = self.wanted_ns()?;
        match &self.rounds {
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
        is_due && self.rounds.as_ref().is_some_and(|rounds| !rounds.are_open(self.frame_end(), open))
    }

    /// Appends to `out` the frames that are due at `now_ns` and fit the window and one write.
    pub fn send_due(&mut self, now_ns: u64, out: &mut Vec<u8>, tally: &mut Tally) {
        while out.len() < WRITE_BYTES_MAX && self.next_due_ns().is_some() {
            let Some(intended_ns) = self.schedule.take_due(now_ns) else { return };
            let count = u32::try_from(self.frame_end() - self.next_slot).expect("at most the claims of a frame");
            let frame = InFlight { first_slot: self.next_slot, count, intended_ns };
            let Some(correlation) = self.window.open(frame) else { return };
            self.next_slot += u64::from(count);
            self.encode(correlation, frame, out);
            tally.sent(count, intended_ns, self.able_ns, now_ns);
        }
    }

    /// Appends to `out` all frames in flight, as they were: the connection broke at some time and stands again at
    /// `now_ns`.
    pub fn send_again(&mut self, now_ns: u64, out: &mut Vec<u8>, tally: &mut Tally) {
        self.able_from(now_ns);
        for (correlation, frame) in self.window.in_order() {
            self.encode(correlation, frame, out);
            tally.frames_resent += 1;
        }
    }

    /// From `now_ns` on frames can leave: until then, what was late was not the generator's own doing.
    pub fn able_from(&mut self, now_ns: u64) {
        self.able_ns = now_ns;
    }

    fn encode(&self, correlation: u64, frame: InFlight, out: &mut Vec<u8>) {
        out.extend_from_slice(Header::request(Opcode::Claim, frame.count, correlation, 0).as_bytes());
        for slot in frame.first_slot..frame.first_slot + u64::from(frame.count) {
            let claim = self.population.identity(self.number, slot);
            let batch = self.population.batch_id(claim.batch_index);
            out.extend_from_slice(Claim::new(batch, claim.user, claim.request, 1).as_bytes());
        }
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
            return Err(OutOfStep(unasked(reply)));
        };
        let granted_before = self.grants;
        match reply.opcode {
            Opcode::Claim if reply.count == frame.count => {
                let items = reply.items::<ClaimReply>().expect("the decoder checked length and count of the items");
                for (slot, item) in (frame.first_slot..).zip(items) {
                    self.settle(slot, item, record);
                }
            }
            Opcode::Fault => {
                let fault = reply.item::<Fault>().expect("the decoder checked the length of the fault");
                let number = fault.as_bytes()[0];
                (0..frame.count).for_each(|_| record.tally.outcome(number));
            }
            opcode => return Err(OutOfStep(format!("{} {opcode:?} items answer {} claims", reply.count, frame.count))),
        }
        if !self.window.has_room() {
            self.able_ns = now_ns;
        }
        self.window.close(reply.correlation);
        if let Some(rounds) = &mut self.rounds {
            rounds.answered(frame.first_slot, frame.count);
        }
        let granted = u32::try_from(self.grants - granted_before).expect("at most one grant a claim");
        record.tally.answered(frame.count, granted, frame.intended_ns, now_ns);
        Ok(())
    }

    /// Enters the answer to the claim of `slot`.
    #[inline]
    fn settle(&mut self, slot: u64, reply: &ClaimReply, record: &mut Record) {
        let number = reply.as_bytes()[0];
        record.tally.outcome(number);
        let origin = self.population.origin(self.number, slot);
        if number == Status::Granted as u8 {
            self.granted(origin, reply, &mut record.books);
        } else {
            self.refused(origin, reply.status(), &mut record.books);
        }
    }

    /// Enters that the claim with this `origin` holds what `reply` says. Also for answers of look-ups.
    #[inline]
    pub fn granted(&mut self, origin: u64, reply: &ClaimReply, books: &mut Books) {
        let serial = reply.serial.get();
        match self.serial(origin) {
            None => {
                if reply.is_replayed() {
                    self.replayed_first.insert(origin);
                }
                if serial == u32::MAX {
                    books.grants_malformed += 1;
                    return;
                }
                match &mut self.rounds {
                    Some(rounds) => rounds.record(origin, serial),
                    None => self.ledger.record(origin, serial),
                }
                self.grants += 1;
                books.grant(reply, || self.population.batch_index(self.number, origin));
            }
            Some(held) if held == serial && (reply.is_replayed() || self.replayed_first.remove(&origin)) => {
                books.replays_right += 1;
            }
            Some(_) => books.replays_wrong += 1,
        }
    }

    /// The serial that the claim with this `origin` holds.
    #[inline]
    fn serial(&self, origin: u64) -> Option<u32> {
        match &self.rounds {
            Some(rounds) => rounds.serial(origin),
            None => self.ledger.serial(origin),
        }
    }

    /// What is left of the rounds when the run is over.
    pub fn rest(&mut self) -> VecDeque<Share> {
        self.rounds.as_mut().map_or_else(VecDeque::new, Rounds::rest)
    }

    /// Enters that the claim with this `origin` was refused. `None`: with a code that this program does not know.
    fn refused(&mut self, origin: u64, status: Option<Status>, books: &mut Books) {
        if status == Some(Status::SoldOut) {
            let batch = self.population.batch_index(self.number, origin);
            match &mut self.rounds {
                Some(rounds) => rounds.sold_out(origin, batch),
                None => books.sold_out(batch),
            }
        }
        // A closed batch has forgotten its claims, by design.
        let was_decided = status.is_none_or(|status| status.retry() != Retry::Later && status != Status::Closed);
        if was_decided && self.serial(origin).is_some() {
            books.replays_wrong += 1;
        }
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

    /// Origins of the claims that were sent and have no answer, each once, in order.
    #[must_use]
    pub fn unanswered(&self) -> Vec<u64> {
        let frames = self.window.in_order().into_iter();
        let slots = frames.flat_map(|(_, frame)| frame.first_slot..frame.first_slot + u64::from(frame.count));
        let mut origins = slots.map(|slot| self.population.origin(self.number, slot)).collect::<Vec<_>>();
        origins.sort_unstable();
        origins.dedup();
        origins.retain(|origin| self.serial(*origin).is_none());
        origins
    }

    /// The connection's number in the run.
    #[must_use]
    pub fn number(&self) -> u32 {
        self.number
    }

    /// What it was granted of batches that stay.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
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
