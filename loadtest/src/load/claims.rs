//! Claims of one connection: what is asked for, and what became of it.

use std::collections::{HashSet, VecDeque};
use std::hint::black_box;
use std::sync::Arc;

use foldhash::fast::FixedState;
use stockade_protocol::claim::{Claim, ClaimReply};
use stockade_protocol::{Retry, Status};
use zerocopy::IntoBytes;

use crate::load::connection::Record;
use crate::load::population::Population;
use crate::load::rounds::{Rounds, Share};
use crate::load::window::InFlight;
use crate::load::work::Settled;
use crate::proof::books::Books;
use crate::proof::ledger::Ledger;

/// Slots that are claims, some of them repeated or sent again. Nothing is allocated for one.
#[derive(Clone, Debug)]
pub struct Claims {
    number: u32,
    population: Arc<Population>,
    audience: u32,
    /// What was granted, unless batches come and go.
    ledger: Ledger,
    /// The same where they do, until it is handed over.
    rounds: Option<Rounds>,
    grants: u64,
    /// Claims whose first answer was a replay: a reply was lost, or a retry overtook it. The one answer that is no
    /// replay may still come.
    replayed_first: HashSet<u64, FixedState>,
    /// Origins of the frame whose answers are entered.
    origins: Vec<u64>,
}

impl Claims {
    /// Those of connection `number`, by users who have the flags of `audience`.
    #[must_use]
    pub fn new(number: u32, population: Arc<Population>, audience: u32) -> Self {
        let (ledger, replayed_first, origins) = (Ledger::default(), HashSet::default(), Vec::new());
        Self { number, population, audience, ledger, rounds: None, grants: 0, replayed_first, origins }
    }

    pub(super) fn set_rounds(&mut self, rounds: Rounds) {
        self.rounds = Some(rounds);
    }

    pub(super) fn rounds(&self) -> Option<&Rounds> {
        self.rounds.as_ref()
    }

    pub(super) fn encode(&self, frame: &InFlight, out: &mut Vec<u8>) {
        for slot in frame.range() {
            let claim = self.population.identity(self.number, slot);
            let batch = self.population.batch_id(claim.batch_index);
            let item = Claim::new(batch, claim.user, claim.request, 1).with_audience(self.audience);
            out.extend_from_slice(item.as_bytes());
        }
    }

    pub(super) fn settle(&mut self, frame: &InFlight, replies: &[ClaimReply], record: &mut Record) -> Settled {
        let granted_before = self.grants;
        let mut origins = std::mem::take(&mut self.origins);
        origins.clear();
        origins.extend(frame.range().map(|slot| self.population.origin(self.number, slot)));
        // What retries were answered first lies anywhere; read one after the other without anything between, it arrives
        // together.
        for origin in &origins {
            let _read_only = black_box(self.serial(*origin));
        }
        for (origin, reply) in origins.iter().zip(replies) {
            self.settle_one(*origin, reply, record);
        }
        self.origins = origins;
        self.answered(frame);
        let wanted = u32::try_from(self.grants - granted_before).expect("at most one grant a claim");
        Settled { over: frame.count, wanted, next: 0 }
    }

    /// All slots of `frame` have their answer.
    pub(super) fn answered(&mut self, frame: &InFlight) {
        if let Some(rounds) = &mut self.rounds {
            rounds.answered(frame.first_slot, frame.count);
        }
    }

    /// Enters the answer to the claim with this `origin`.
    #[inline]
    fn settle_one(&mut self, origin: u64, reply: &ClaimReply, record: &mut Record) {
        let number = reply.as_bytes()[0];
        record.tally.outcome(number);
        if number == Status::Granted as u8 {
            self.granted(origin, reply, &mut record.books);
        } else {
            self.refused(origin, reply.status(), &mut record.books);
        }
    }

    /// Enters that the claim with this `origin` holds what `reply` says. Also for answers of look-ups.
    #[inline]
    pub(super) fn granted(&mut self, origin: u64, reply: &ClaimReply, books: &mut Books) {
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

    /// The serial that the claim with this `origin` holds.
    #[inline]
    fn serial(&self, origin: u64) -> Option<u32> {
        match &self.rounds {
            Some(rounds) => rounds.serial(origin),
            None => self.ledger.serial(origin),
        }
    }

    /// What is left of the rounds when the run is over.
    pub(super) fn rest(&mut self) -> VecDeque<Share> {
        self.rounds.as_mut().map_or_else(VecDeque::new, Rounds::rest)
    }

    /// Origins of those of `slots` that were not granted, each once, in order.
    pub(super) fn unanswered(&self, slots: impl Iterator<Item = u64>) -> Vec<u64> {
        let mut origins = slots.map(|slot| self.population.origin(self.number, slot)).collect::<Vec<_>>();
        origins.sort_unstable();
        origins.dedup();
        origins.retain(|origin| self.serial(*origin).is_none());
        origins
    }

    /// What was granted of batches that stay.
    pub(super) fn ledger(&self) -> &Ledger {
        &self.ledger
    }
}
