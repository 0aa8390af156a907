//! The fake server's stock: a batch is a counter, a map of requests and a map of users. And its lies.

use std::collections::HashMap;

use stockade_protocol::Status;
use stockade_protocol::batch::{Action, BatchInfo, Change, Create, State, Terms};
use stockade_protocol::claim::{Claim, ClaimReply, REPLAYED, RequestKey};

/// What the server says that is not so. Each lie is told about the tenth grant, or in every answer of its kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Lie {
    #[default]
    None,
    /// The tenth grant names the serial of the ninth.
    SameSerialTwice,
    /// Three claims beyond the stock are granted, with serials beyond it, and counted.
    GrantsBeyondStock,
    /// Three claims beyond the stock are granted with serials that others hold, and not counted.
    GrantsBeyondStockInSilence,
    /// The tenth grant is unknown when it is looked up.
    ForgetsAGrant,
    /// The tenth grant has another serial when it is looked up.
    ChangesASerial,
    /// No limit per user, and the answers show it.
    IgnoresTheLimit,
    /// No limit per user, and the answers show one unit.
    IgnoresTheLimitInSilence,
    /// Replays name the next serial.
    ReplaysAnotherSerial,
    /// Replays look like new grants of the same serial.
    HidesReplays,
    /// A retry takes another unit.
    GrantsRetriesAgain,
    /// A retry of a granted claim is refused.
    RefusesRetries,
    /// `SOLD_OUT` with one unit left.
    SoldOutTooEarly,
    /// The batch shows one more granted and one less left.
    CountsOneMore,
    /// The batch shows one less left.
    LosesAUnit,
    /// Grants have two units.
    GrantsTwo,
    /// The third batch that is closed has one unit granted less than before.
    ForgetsAUnitWhenClosing,
    /// The third batch that is closed stays ended.
    DoesNotClose,
}

/// All batches.
#[derive(Default)]
pub(crate) struct Stock {
    lie: Lie,
    batches: HashMap<u64, Batch>,
    grants: u64,
    closings: u64,
    tenth: Option<(u64, u64)>,
}

struct Batch {
    terms: Terms,
    state: State,
    next: u32,
    /// Grants that were forgotten by closing.
    forgotten: u64,
    beyond: u32,
    granted: u32,
    serials: HashMap<(u64, u64), u32>,
    units: HashMap<u64, u32>,
}

impl Stock {
    pub(crate) fn new(lie: Lie) -> Self {
        Self { lie, ..Self::default() }
    }

    pub(crate) fn granted_in_truth(&self) -> u64 {
        self.batches.values().map(|batch| batch.serials.len() as u64 + batch.forgotten).sum()
    }

    /// Creates a batch, unless there are `room` batches already.
    pub(crate) fn create(&mut self, create: &Create, room: usize) -> BatchInfo {
        let (id, terms) = (create.batch.get(), create.terms().unwrap());
        if self.batches.len() >= room && !self.batches.contains_key(&id) {
            return BatchInfo::refused(Status::Overloaded, id);
        }
        let (serials, units) = (HashMap::new(), HashMap::new());
        let batch = self.batches.entry(id);
        batch.or_insert(Batch {
            terms,
            state: State::Active,
            next: 0,
            forgotten: 0,
            beyond: 0,
            granted: 0,
            serials,
            units,
        });
        self.show(id)
    }

    pub(crate) fn batches(&self) -> (usize, usize) {
        (self.batches.len(), self.batches.values().filter(|batch| batch.state == State::Closed).count())
    }

    /// Ends or closes a batch.
    pub(crate) fn change(&mut self, change: &Change) -> BatchInfo {
        let (id, action) = (change.batch.get(), change.action().unwrap());
        let batch = self.batches.get_mut(&id).unwrap();
        match (action, batch.state) {
            (Action::End, State::Active | State::Ended) => batch.state = State::Ended,
            (Action::Close, State::Ended) => {
                self.closings += 1;
                let is_third = self.closings == 3;
                batch.granted -= u32::from(is_third && self.lie == Lie::ForgetsAUnitWhenClosing);
                if is_third && self.lie == Lie::DoesNotClose {
                    return self.show(id);
                }
                batch.state = State::Closed;
                batch.forgotten = batch.serials.len() as u64;
                (batch.serials, batch.units) = (HashMap::new(), HashMap::new());
            }
            (Action::Close, State::Closed) => {}
            (action, state) => panic!("the load test does not {action:?} what is {state:?}"),
        }
        self.show(id)
    }

    pub(crate) fn show(&self, id: u64) -> BatchInfo {
        let Some(batch) = self.batches.get(&id) else { return BatchInfo::refused(Status::BatchUnknown, id) };
        let mut info = BatchInfo::about(Status::Done, id, batch.state, &batch.terms.name);
        info.total = batch.terms.stock.into();
        info.granted = (batch.granted + u32::from(batch.granted > 0 && self.lie == Lie::CountsOneMore)).into();
        let hidden = u32::from(batch.granted > 0 && matches!(self.lie, Lie::CountsOneMore | Lie::LosesAUnit));
        info.remaining = (batch.terms.stock.saturating_sub(batch.granted) - hidden).into();
        info.per_user = batch.terms.per_user.unwrap_or(0).into();
        info
    }

    pub(crate) fn look_up(&self, key: &RequestKey) -> ClaimReply {
        let request = (key.user.get(), key.request.get());
        let batch = &self.batches[&key.batch.get()];
        let is_tenth = self.tenth == Some(request);
        match batch.serials.get(&request) {
            _ if batch.state == State::Closed => ClaimReply::refused(Status::Closed),
            Some(_) if is_tenth && self.lie == Lie::ForgetsAGrant => ClaimReply::refused(Status::RequestUnknown),
            Some(serial) if is_tenth && self.lie == Lie::ChangesASerial => ClaimReply::granted(1, serial + 1, 1),
            Some(serial) => ClaimReply::granted(1, *serial, 1),
            None => ClaimReply::refused(Status::RequestUnknown),
        }
    }

    pub(crate) fn claim(&mut self, claim: &Claim) -> ClaimReply {
        let request = (claim.user.get(), claim.request.get());
        let Some(batch) = self.batches.get_mut(&claim.batch.get()) else {
            return ClaimReply::refused(Status::BatchUnknown);
        };
        if batch.state != State::Active {
            let status = if batch.state == State::Closed { Status::Closed } else { Status::Ended };
            return ClaimReply::refused(status);
        }
        if let Some(serial) = batch.serials.get(&request).copied() {
            if self.lie == Lie::RefusesRetries {
                return ClaimReply::refused(Status::SoldOut);
            }
            if self.lie != Lie::GrantsRetriesAgain {
                let mut reply = ClaimReply::granted(1, serial + u32::from(self.lie == Lie::ReplaysAnotherSerial), 1);
                reply.flags |= if self.lie == Lie::HidesReplays { 0 } else { REPLAYED };
                return reply;
            }
        }
        let held = batch.units.get(&request.0).copied().unwrap_or(0);
        let ignores_limit =
            matches!(self.lie, Lie::IgnoresTheLimit | Lie::IgnoresTheLimitInSilence | Lie::GrantsRetriesAgain);
        if batch.terms.per_user.is_some_and(|limit| held >= limit) && !ignores_limit {
            return ClaimReply::refused(Status::LimitReached);
        }
        let Some(mut serial) = batch.draw(self.lie) else { return ClaimReply::refused(Status::SoldOut) };
        self.grants += 1;
        if self.grants == 10 {
            self.tenth = Some(request);
            serial -= u32::from(self.lie == Lie::SameSerialTwice);
        }
        batch.serials.insert(request, serial);
        batch.units.insert(request.0, held + 1);
        let units = if self.lie == Lie::GrantsTwo { 2 } else { 1 };
        let mut reply = ClaimReply::granted(units, serial, units);
        reply.user_units = if self.lie == Lie::IgnoresTheLimitInSilence { 1 } else { held + 1 }.into();
        reply
    }
}

impl Batch {
    /// The next serial, or none when the stock is gone.
    fn draw(&mut self, lie: Lie) -> Option<u32> {
        let stock = self.terms.stock - u32::from(lie == Lie::SoldOutTooEarly);
        if self.next < stock {
            self.next += 1;
            self.granted += 1;
            return Some(self.next - 1);
        }
        let goes_beyond = matches!(lie, Lie::GrantsBeyondStock | Lie::GrantsBeyondStockInSilence);
        if !goes_beyond || self.beyond == 3 {
            return None;
        }
        self.beyond += 1;
        if lie == Lie::GrantsBeyondStock {
            self.granted += 1;
            return Some(stock + self.beyond - 1);
        }
        Some(self.beyond)
    }
}
