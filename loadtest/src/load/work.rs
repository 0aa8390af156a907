//! What the slots of a connection are: claims, pairs of requests, pages of wallets.

use std::collections::VecDeque;

use stockade_protocol::claim::ClaimReply;
use stockade_protocol::coupon::Changed;
use stockade_protocol::wallet::WalletItem;
use stockade_protocol::{Frame, Header, Opcode, Status};
use zerocopy::IntoBytes;

use crate::load::claims::Claims;
use crate::load::connection::{OutOfStep, Record};
use crate::load::pages::Pages;
use crate::load::pairs::Pairs;
use crate::load::rounds::{Rounds, Share};
use crate::load::window::{InFlight, Step};
use crate::proof::books::Books;
use crate::proof::ledger::Ledger;

/// What the slots of a connection are, and what became of them.
#[derive(Clone, Debug)]
pub enum Work {
    /// Claims.
    Claims(Box<Claims>),
    /// Pairs of requests.
    Pairs(Box<Pairs>),
    /// Pages of wallets.
    Pages(Pages),
}

/// What the reply to a frame came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settled {
    /// Slots that are over.
    pub over: u32,
    /// Those of them that had the wanted answer for the first time.
    pub wanted: u32,
    /// Slots whose second request is due now.
    pub next: u32,
}

impl Work {
    /// How many slots there can be.
    #[must_use]
    pub fn slots_max(&self) -> u64 {
        match self {
            Work::Claims(_) | Work::Pages(_) => u64::MAX,
            Work::Pairs(pairs) => pairs.slots_max(),
        }
    }

    /// Claims from batches that come and go.
    ///
    /// # Panics
    /// When the slots are no claims.
    pub(super) fn set_rounds(&mut self, rounds: Rounds) {
        let Work::Claims(claims) = self else { panic!("only claims have batches that come and go") };
        claims.set_rounds(rounds);
    }

    /// The rounds of claims from batches that come and go.
    pub(super) fn rounds(&self) -> Option<&Rounds> {
        match self {
            Work::Claims(claims) => claims.rounds(),
            Work::Pairs(_) | Work::Pages(_) => None,
        }
    }

    fn opcode(&self, step: Step) -> Opcode {
        match self {
            Work::Claims(_) => Opcode::Claim,
            Work::Pairs(pairs) => pairs.opcode(step),
            Work::Pages(_) => Opcode::Wallet,
        }
    }

    /// Appends `frame` to `out`. It is the same each time, for as long as it has no reply.
    pub(super) fn encode(&self, correlation: u64, frame: &InFlight, out: &mut Vec<u8>) {
        out.extend_from_slice(Header::request(self.opcode(frame.step), frame.count, correlation, 0).as_bytes());
        match self {
            Work::Claims(claims) => claims.encode(frame, out),
            Work::Pairs(pairs) => pairs.encode(frame, out),
            Work::Pages(pages) => pages.encode(frame, out),
        }
    }

    /// Enters the `reply` to `frame`.
    ///
    /// # Errors
    /// When it is none.
    pub(super) fn settle(
        &mut self,
        frame: &InFlight,
        reply: &Frame<'_>,
        record: &mut Record,
    ) -> Result<Settled, OutOfStep> {
        let opcode = self.opcode(frame.step);
        if reply.opcode != opcode || (reply.count != frame.count && opcode != Opcode::Wallet) {
            let asked = if opcode == Opcode::Claim { "claims" } else { "requests" };
            return Err(OutOfStep(format!("{} {:?} items answer {} {asked}", reply.count, reply.opcode, frame.count)));
        }
        let checked = "the decoder checked length and count of the items";
        Ok(match (self, opcode) {
            (Work::Claims(claims), _) => claims.settle(frame, reply.items::<ClaimReply>().expect(checked), record),
            (Work::Pairs(pairs), Opcode::CouponChange) => {
                pairs.settle_changes(frame, reply.items::<Changed>().expect(checked), record)
            }
            (Work::Pairs(pairs), _) => pairs.settle_claims(frame, reply.items::<ClaimReply>().expect(checked), record),
            (Work::Pages(pages), _) => pages.settle(frame, reply.items::<WalletItem>().expect(checked), record),
        })
    }

    /// Enters that `frame` was refused as a whole, with this number.
    pub(super) fn refused(&mut self, frame: &InFlight, number: u8, record: &mut Record) -> Settled {
        match self {
            Work::Claims(claims) => {
                (0..frame.count).for_each(|_| record.tally.outcome(number));
                claims.answered(frame);
            }
            Work::Pairs(pairs) => pairs.refused(frame, number, record),
            Work::Pages(_) => (0..frame.count).for_each(|_| record.tally.outcome(number)),
        }
        Settled { over: frame.count, wanted: 0, next: 0 }
    }

    /// Slots of `frames`, which have no reply, that somebody should ask about.
    pub(super) fn unanswered(&self, frames: impl Iterator<Item = InFlight>) -> Vec<u64> {
        match self {
            Work::Claims(claims) => claims.unanswered(frames.flat_map(|frame| frame.range())),
            Work::Pairs(pairs) => frames.flat_map(|frame| pairs.unanswered(frame)).collect(),
            Work::Pages(_) => frames.flat_map(|frame| frame.range()).collect(),
        }
    }

    /// Enters that the unit of `slot` is the user's, as a look-up says.
    pub(super) fn granted(&mut self, slot: u64, reply: &ClaimReply, books: &mut Books) {
        match self {
            Work::Claims(claims) => claims.granted(slot, reply, books),
            Work::Pairs(pairs) => pairs.found_granted(slot, reply, books),
            Work::Pages(_) => {}
        }
    }

    /// Enters that the coupon of `slot` is redeemed, as the server shows it.
    pub(super) fn found_redeemed(&mut self, slot: u64, serial: u32) {
        match self {
            Work::Pairs(pairs) => pairs.found(slot, serial),
            Work::Claims(_) | Work::Pages(_) => {}
        }
    }

    /// Enters that it is not, but what `status` says.
    pub(super) fn found_otherwise(&mut self, slot: u64, status: Status) {
        match self {
            Work::Pairs(pairs) => pairs.found_otherwise(slot, status),
            Work::Claims(_) | Work::Pages(_) => {}
        }
    }

    /// What is left of the rounds when the run is over.
    pub(super) fn rest(&mut self) -> VecDeque<Share> {
        match self {
            Work::Claims(claims) => claims.rest(),
            Work::Pairs(_) | Work::Pages(_) => VecDeque::new(),
        }
    }

    /// The units that are the users', by slot; `None` = there are none.
    pub(super) fn ledger(&self) -> Option<&Ledger> {
        match self {
            Work::Claims(claims) => Some(claims.ledger()),
            Work::Pairs(pairs) => Some(pairs.ledger()),
            Work::Pages(_) => None,
        }
    }
}
