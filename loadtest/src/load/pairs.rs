//! Slots of two requests each: the second one leaves when the first was answered as it should be. A unit is reserved
//! and then confirmed, or a coupon is locked and then redeemed.

use std::sync::Arc;

use stockade_protocol::claim::{ClaimReply, RequestKey};
use stockade_protocol::coupon::{Action, Change, Changed, State};
use stockade_protocol::reservation::Reserve;
use stockade_protocol::{Opcode, Retry, Status};
use zerocopy::IntoBytes;

use crate::limits::RESERVATION_TTL_S;
use crate::load::connection::Record;
use crate::load::population::Population;
use crate::load::window::{InFlight, Step};
use crate::load::work::Settled;
use crate::proof::books::Books;
use crate::proof::ledger::Ledger;

/// The pairs of one connection.
#[derive(Clone, Debug)]
pub struct Pairs {
    number: u32,
    population: Arc<Population>,
    kind: Kind,
    /// The units whose first request was answered as it should be, until the second one is not.
    ledger: Ledger,
    abandoned: u64,
}

#[derive(Clone, Debug)]
enum Kind {
    /// Units are reserved by users who have these flags, and confirmed.
    Reservations { audience: u32 },
    /// Each slot is one of these.
    Coupons(Vec<Coupon>),
}

/// A coupon that was granted before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coupon {
    /// The slot of the claim that it was granted to, on the connection of the same number.
    pub slot: u64,
    /// Its serial.
    pub serial: u32,
}

/// A coupon as the server knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Named {
    /// Its batch.
    pub batch: u64,
    /// Who holds it.
    pub user: u64,
    /// The order for which it is redeemed.
    pub order: u64,
    /// Its serial.
    pub serial: u32,
}

/// What an answer comes to.
struct Answer {
    number: u8,
    serial: u32,
    is_wanted: bool,
    /// Whether it contradicts what was asked for or answered before.
    is_wrong: bool,
}

impl Pairs {
    /// Connection `number` reserves units for users who have the flags of `audience`, and confirms them.
    #[must_use]
    pub fn of_reservations(number: u32, population: Arc<Population>, audience: u32) -> Self {
        Self { number, population, kind: Kind::Reservations { audience }, ledger: Ledger::default(), abandoned: 0 }
    }

    /// Connection `number` locks and redeems `coupons`, which claims of the same number were granted.
    #[must_use]
    pub fn of_coupons(number: u32, population: Arc<Population>, coupons: Vec<Coupon>) -> Self {
        Self { number, population, kind: Kind::Coupons(coupons), ledger: Ledger::default(), abandoned: 0 }
    }

    /// How many there can be.
    #[must_use]
    pub fn slots_max(&self) -> u64 {
        match &self.kind {
            Kind::Reservations { .. } => u64::MAX,
            Kind::Coupons(coupons) => coupons.len() as u64,
        }
    }

    /// Pairs whose second request failed after the first one had not.
    #[must_use]
    pub fn abandoned(&self) -> u64 {
        self.abandoned
    }

    /// The units whose first request was answered as it should be, and the second one too as far as it is answered.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The coupon of `slot`, if slots are coupons.
    #[must_use]
    pub fn coupon(&self, slot: u64) -> Option<Named> {
        let Kind::Coupons(coupons) = &self.kind else { return None };
        let coupon = coupons.get(usize::try_from(slot).ok()?)?;
        let claim = self.population.identity(self.number, coupon.slot);
        let batch = self.population.batch_id(claim.batch_index);
        // A request id is as good as any number that no other coupon has.
        Some(Named { batch, user: claim.user, order: claim.request, serial: coupon.serial })
    }

    pub(super) fn opcode(&self, step: Step) -> Opcode {
        match (&self.kind, step) {
            (Kind::Reservations { .. }, Step::First) => Opcode::Reserve,
            (Kind::Reservations { .. }, Step::Second) => Opcode::Confirm,
            (Kind::Coupons(_), Step::First | Step::Second) => Opcode::CouponChange,
        }
    }

    pub(super) fn encode(&self, frame: &InFlight, out: &mut Vec<u8>) {
        for slot in frame.range().filter(|slot| self.is_of(frame.step, *slot)) {
            match (&self.kind, frame.step) {
                (Kind::Reservations { audience }, step) => self.encode_reservation(slot, step, *audience, out),
                (Kind::Coupons(_), step) => {
                    let action = if step == Step::First { Action::Lock } else { Action::Redeem };
                    let Named { batch, user, order, serial } = self.coupon(slot).expect("a slot is a coupon");
                    out.extend_from_slice(Change::new(batch, user, serial, action, order).as_bytes());
                }
            }
        }
    }

    fn encode_reservation(&self, slot: u64, step: Step, audience: u32, out: &mut Vec<u8>) {
        let claim = self.population.identity(self.number, slot);
        let batch = self.population.batch_id(claim.batch_index);
        match step {
            Step::First => {
                let reserve = Reserve::new(batch, claim.user, claim.request, 1, RESERVATION_TTL_S);
                out.extend_from_slice(reserve.with_audience(audience).as_bytes());
            }
            Step::Second => out.extend_from_slice(RequestKey::new(batch, claim.user, claim.request).as_bytes()),
        }
    }

    /// Whether `slot` has a request of this step.
    fn is_of(&self, step: Step, slot: u64) -> bool {
        step == Step::First || self.ledger.serial(slot).is_some()
    }

    /// Enters the answers to reservations or confirmations.
    pub(super) fn settle_claims(&mut self, frame: &InFlight, replies: &[ClaimReply], record: &mut Record) -> Settled {
        self.settle(frame, replies, record, |pairs, slot, reply, books| {
            let number = reply.as_bytes()[0];
            if frame.step == Step::First {
                return pairs.reserved(slot, reply, number, books);
            }
            let is_wanted = number == Status::Granted as u8;
            let is_same = pairs.ledger.serial(slot) == Some(reply.serial.get()) && reply.granted == 1;
            let is_wrong = if is_wanted { !is_same } else { !is_excuse(number) };
            Answer { number, serial: reply.serial.get(), is_wanted, is_wrong }
        })
    }

    fn reserved(&self, slot: u64, reply: &ClaimReply, number: u8, books: &mut Books) -> Answer {
        let batch = || self.population.batch_index(self.number, slot);
        let serial = reply.serial.get();
        let is_reserved = number == Status::Reserved as u8;
        if is_reserved {
            books.grant(reply, batch);
        } else if number == Status::SoldOut as u8 {
            books.sold_out(batch());
        }
        // No unit has this number, so there is nothing to confirm.
        let is_impossible = is_reserved && serial == u32::MAX;
        let is_wanted = is_reserved && !is_impossible;
        Answer { number, serial, is_wanted, is_wrong: is_impossible || (!is_reserved && is_yes(number)) }
    }

    /// Enters the answers to changes of coupons.
    pub(super) fn settle_changes(&mut self, frame: &InFlight, replies: &[Changed], record: &mut Record) -> Settled {
        let state = if frame.step == Step::First { State::Locked } else { State::Redeemed };
        self.settle(frame, replies, record, |pairs, slot, reply, _| {
            let number = reply.as_bytes()[0];
            let is_wanted = number == Status::Done as u8;
            let serial = pairs.coupon(slot).map_or(u32::MAX, |coupon| coupon.serial);
            let is_right = reply.state() == Some(state) && reply.serial.get() == serial;
            Answer { number, serial, is_wanted, is_wrong: if is_wanted { !is_right } else { !is_excuse(number) } }
        })
    }

    fn settle<Reply>(
        &mut self,
        frame: &InFlight,
        replies: &[Reply],
        record: &mut Record,
        judge: impl Fn(&Self, u64, &Reply, &mut Books) -> Answer,
    ) -> Settled {
        let mut replies = replies.iter();
        let mut wanted = 0;
        for slot in frame.range() {
            if !self.is_of(frame.step, slot) {
                continue;
            }
            let Some(reply) = replies.next() else { break };
            let answer = judge(self, slot, reply, &mut record.books);
            record.books.wrong_answers += u64::from(answer.is_wrong);
            wanted += u32::from(answer.is_wanted);
            self.enter(frame.step, slot, &answer, record);
        }
        match frame.step {
            Step::First => Settled { over: frame.count - wanted, wanted: 0, next: wanted },
            Step::Second => Settled { over: frame.count, wanted, next: 0 },
        }
    }

    fn enter(&mut self, step: Step, slot: u64, answer: &Answer, record: &mut Record) {
        record.tally.step_outcome(step, answer.number);
        if step == Step::First && answer.is_wanted {
            self.ledger.record(slot, answer.serial);
            return;
        }
        record.tally.outcome(answer.number);
        if step == Step::Second && !answer.is_wanted {
            self.abandon(slot);
        }
    }

    /// Enters that `frame` was refused as a whole, with this number.
    pub(super) fn refused(&mut self, frame: &InFlight, number: u8, record: &mut Record) {
        for slot in frame.range() {
            if self.is_of(frame.step, slot) {
                let answer = Answer { number, serial: 0, is_wanted: false, is_wrong: false };
                self.enter(frame.step, slot, &answer, record);
            }
        }
    }

    /// Enters what a look-up says of the unit of `slot`, whose last request has no answer.
    pub(super) fn found_granted(&mut self, slot: u64, reply: &ClaimReply, books: &mut Books) {
        let serial = reply.serial.get();
        if serial == u32::MAX {
            books.grants_malformed += 1;
        } else if self.ledger.serial(slot).is_some_and(|held| held != serial) {
            books.wrong_answers += 1;
        } else {
            self.found(slot, serial);
        }
    }

    /// Enters that the unit of `slot` went all the way although nobody said so.
    pub(super) fn found(&mut self, slot: u64, serial: u32) {
        if self.ledger.serial(slot).is_none() {
            self.ledger.record(slot, serial);
        }
    }

    /// Enters that a look-up finds it not granted, but in this state.
    pub(super) fn found_otherwise(&mut self, slot: u64, status: Status) {
        if self.ledger.serial(slot).is_some() || status != Status::RequestUnknown {
            self.abandon(slot);
        }
    }

    /// The unit of `slot` went only half the way.
    fn abandon(&mut self, slot: u64) {
        self.ledger.forget(slot);
        self.abandoned += 1;
    }

    /// Those of the slots of `frame`, which has no reply, that have a request in it.
    pub(super) fn unanswered(&self, frame: InFlight) -> impl Iterator<Item = u64> {
        frame.range().filter(move |slot| self.is_of(frame.step, *slot))
    }
}

/// Whether this is the number of a status that says yes.
fn is_yes(number: u8) -> bool {
    [Status::Granted, Status::Done, Status::Reserved].into_iter().any(|status| status as u8 == number)
}

/// Whether something may be refused with this number although nobody else has to do with it: the server was too busy or
/// too slow, or says what this program does not know.
fn is_excuse(number: u8) -> bool {
    Status::from_number(number).is_none_or(|status| {
        let too_late = [Status::ReservationExpired, Status::CouponExpired, Status::Closed];
        status.retry() == Retry::Later || too_late.contains(&status)
    })
}
