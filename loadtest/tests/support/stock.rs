//! The fake server's stock: a batch is a counter, a map of requests and a map of users. And its lies.

use std::collections::HashMap;

use stockade_protocol::Status;
use stockade_protocol::batch::{Action, BatchInfo, Change, Create, State, Terms};
use stockade_protocol::claim::{Claim, ClaimReply, REPLAYED, RequestKey};

use super::coupons::Coupon;

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
    /// The tenth confirmation names the next serial.
    ConfirmsAnotherSerial,
    /// The tenth reservation is unknown when it is confirmed.
    ForgetsAReservation,
    /// The tenth confirmation comes too late.
    LetsAReservationExpire,
    /// The tenth reservation is answered as a grant.
    GrantsWhatIsReserved,
    /// The batch shows no reserved units.
    HidesReservedUnits,
    /// The tenth coupon that is locked is shown as granted.
    DoesNotLock,
    /// The tenth coupon that is redeemed is shown as locked afterwards.
    ForgetsARedemption,
    /// Wallets show a coupon less than they have.
    HidesACoupon,
}

/// All batches.
#[derive(Default)]
pub(crate) struct Stock {
    pub(super) lie: Lie,
    pub(super) batches: HashMap<u64, Batch>,
    /// Confirmations, and redemptions: what the tenth of is told by.
    pub(super) seconds: u64,
    /// Locks likewise.
    pub(super) firsts: u64,
    grants: u64,
    closings: u64,
    tenth: Option<(u64, u64)>,
}

pub(super) struct Batch {
    pub(super) terms: Terms,
    pub(super) state: State,
    /// Units that are reserved and not confirmed, by user and request.
    pub(super) reserved: HashMap<(u64, u64), u32>,
    /// Units that were granted, as coupons, by serial.
    pub(super) coupons: HashMap<u32, Coupon>,
    next: u32,
    /// Grants that were forgotten by closing.
    forgotten: u64,
    beyond: u32,
    pub(super) granted: u32,
    pub(super) serials: HashMap<(u64, u64), u32>,
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
            reserved: HashMap::new(),
            coupons: HashMap::new(),
            next: 0,
            forgotten: 0,
            beyond: 0,
            granted: 0,
            serials,
            units,
        });
        self.show(id)
    }

    pub(crate) fn terms(&self) -> Terms {
        self.batches.values().next().unwrap().terms.clone()
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
        let mut info = BatchInfo::about(Status::Done, id, batch.state, &batch.terms);
        info.total = batch.terms.stock.into();
        info.granted = (batch.granted + u32::from(batch.granted > 0 && self.lie == Lie::CountsOneMore)).into();
        let hidden = u32::from(batch.granted > 0 && matches!(self.lie, Lie::CountsOneMore | Lie::LosesAUnit));
        let held = u32::try_from(batch.reserved.len()).unwrap();
        info.held = if self.lie == Lie::HidesReservedUnits { 0 } else { held }.into();
        info.remaining = (batch.terms.stock.saturating_sub(batch.granted + held) - hidden).into();
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
            None => match batch.reserved.get(&request) {
                Some(serial) => ClaimReply::reserved(1, *serial, 1),
                None => ClaimReply::refused(Status::RequestUnknown),
            },
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
        if !batch.terms.audience.admits(claim.audience.get()) {
            return ClaimReply::refused(Status::AudienceRefused);
        }
        let taken = batch.take(request.0, self.lie);
        let Ok((mut serial, held)) = taken else { return ClaimReply::refused(taken.unwrap_err()) };
        batch.granted += 1;
        self.grants += 1;
        if self.grants == 10 {
            self.tenth = Some(request);
            serial -= u32::from(self.lie == Lie::SameSerialTwice);
        }
        batch.grant(request, serial);
        let units = if self.lie == Lie::GrantsTwo { 2 } else { 1 };
        let mut reply = ClaimReply::granted(units, serial, units);
        let shown = if self.lie == Lie::IgnoresTheLimitInSilence { 1 } else { held };
        reply.user_units = u16::try_from(shown).unwrap_or(u16::MAX).into();
        reply
    }
}

impl Batch {
    /// Takes a unit for `user`: its serial, and how many he has now.
    pub(super) fn take(&mut self, user: u64, lie: Lie) -> Result<(u32, u32), Status> {
        let held = self.units.get(&user).copied().unwrap_or(0);
        let ignores_limit =
            matches!(lie, Lie::IgnoresTheLimit | Lie::IgnoresTheLimitInSilence | Lie::GrantsRetriesAgain);
        if self.terms.per_user.is_some_and(|limit| held >= limit) && !ignores_limit {
            return Err(Status::LimitReached);
        }
        let serial = self.draw(lie).ok_or(Status::SoldOut)?;
        self.units.insert(user, held + 1);
        Ok((serial, held + 1))
    }

    /// The unit `serial` is the user's for good.
    pub(super) fn grant(&mut self, request: (u64, u64), serial: u32) {
        self.serials.insert(request, serial);
        self.coupons.insert(serial, Coupon::new(request));
    }

    /// The next serial, or none when the stock is gone.
    fn draw(&mut self, lie: Lie) -> Option<u32> {
        let stock = self.terms.stock - u32::from(lie == Lie::SoldOutTooEarly);
        if self.next < stock {
            self.next += 1;
            return Some(self.next - 1);
        }
        let goes_beyond = matches!(lie, Lie::GrantsBeyondStock | Lie::GrantsBeyondStockInSilence);
        if !goes_beyond || self.beyond == 3 {
            return None;
        }
        self.beyond += 1;
        if lie == Lie::GrantsBeyondStock {
            return Some(stock + self.beyond - 1);
        }
        // Not counted: whoever takes it counts one.
        self.granted -= 1;
        Some(self.beyond)
    }
}
