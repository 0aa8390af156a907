//! What each opcode is answered, within a burst.

use stockade_protocol::batch::{AddStock, BatchId, BatchInfo, Change, Create, Edit, List, RefusalCount, StatsQuery};
use stockade_protocol::claim::{Claim, ClaimReply, RequestKey, SerialRun};
use stockade_protocol::coupon::{self, Changed, CouponKey};
use stockade_protocol::feed::{Acknowledge, Forget, Subscribe};
use stockade_protocol::frame::Opcode;
use stockade_protocol::hello::{ClientInfo, Page};
use stockade_protocol::ping::Ping;
use stockade_protocol::reservation::{Extend, Reserve};
use stockade_protocol::wallet::WalletQuery;
use stockade_protocol::{Frame, Status};
use zerocopy::little_endian::{U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::burst::BurstWork;
use crate::engine::{Burst, LOOK_AHEAD_WORTH, LookAhead, Named, Sight};
use crate::metrics::{Operation, STATUS_SLOTS};
use crate::types::Epoch;

/// An answer to one item that is counted.
trait Answer: IntoBytes + Immutable {
    /// Where the epoch stands in it.
    const EPOCH_AT: usize;

    /// The answer to an item that was not taken in.
    fn overloaded() -> Self;

    /// Where it is counted: its status, 0 for a replay.
    fn slot(&self) -> usize;
}

impl Answer for ClaimReply {
    const EPOCH_AT: usize = std::mem::offset_of!(ClaimReply, epoch);

    fn overloaded() -> Self {
        ClaimReply::refused(Status::Overloaded)
    }

    #[inline]
    fn slot(&self) -> usize {
        if self.is_replayed() { 0 } else { self.status().map_or(0, |status| status as usize) }
    }
}

impl Answer for Changed {
    const EPOCH_AT: usize = std::mem::offset_of!(Changed, epoch);

    fn overloaded() -> Self {
        Changed::refused(Status::Overloaded)
    }

    fn slot(&self) -> usize {
        if self.is_replayed() { 0 } else { self.status().map_or(0, |status| status as usize) }
    }
}

const EPOCH_OF_BATCH_INFO: usize = std::mem::offset_of!(BatchInfo, epoch);
const _: () = assert!(size_of::<U64>() == size_of::<Epoch>());

impl<'a> BurstWork<'a> {
    /// Answers a frame other than the handshake. `Err` = refuse it as a whole; then nothing of it was done.
    pub(super) fn answer(&mut self, frame: &Frame<'_>) -> Result<(), Status> {
        match frame.opcode {
            Opcode::Claim => {
                let items = well_formed(frame, Claim::is_well_formed)?;
                self.decide(frame, items, Operation::Claim, Burst::claim_sighted);
            }
            Opcode::Reserve => {
                let items = well_formed(frame, Reserve::is_well_formed)?;
                self.decide(frame, items, Operation::Reserve, Burst::reserve_sighted);
            }
            Opcode::Confirm => {
                self.decide(frame, frame.items::<RequestKey>()?, Operation::Confirm, Burst::confirm_sighted);
            }
            Opcode::Cancel => {
                self.decide(frame, frame.items::<RequestKey>()?, Operation::Cancel, Burst::cancel_sighted);
            }
            Opcode::Extend => {
                let items = well_formed(frame, Extend::is_well_formed)?;
                self.decide(frame, items, Operation::Extend, Burst::extend_sighted);
            }
            Opcode::CouponChange => self.change_coupons(frame)?,
            Opcode::Lookup => {
                let items = frame.items::<RequestKey>()?;
                self.replies(frame, items, ClaimReply::EPOCH_AT, |work, key| work.burst.lookup(key));
            }
            Opcode::Serials => {
                let runs = self.burst.serials(frame.item::<RequestKey>()?)?;
                let runs = runs.iter().map(|run| SerialRun { first: U32::new(run.first), count: U32::new(run.count) });
                self.reply(frame, &runs.collect::<Vec<_>>());
            }
            Opcode::Ping => {
                let ping = *frame.item::<Ping>()?;
                self.reply(frame, &[ping]);
            }
            Opcode::ClientList => {
                let page = well_formed(frame, Page::is_well_formed)?.first().ok_or(Status::Malformed)?;
                let clients = self.engine.clients(page.from.get(), page.limit.get());
                let infos = clients.iter().map(|(client, name)| ClientInfo::new(*client, name));
                self.reply(frame, &infos.collect::<Vec<_>>());
            }
            Opcode::BatchRefusals => {
                let counts = self.burst.refusals(frame.item::<BatchId>()?.batch.get())?;
                let counts = counts.into_iter().map(|(status, count)| RefusalCount::new(status, count));
                self.reply(frame, &counts.collect::<Vec<_>>());
            }
            Opcode::BatchCreate
            | Opcode::BatchShow
            | Opcode::BatchList
            | Opcode::BatchChange
            | Opcode::BatchAddStock
            | Opcode::BatchEdit
            | Opcode::BatchWithdraw => self.operate(frame)?,
            Opcode::BatchStats => self.read(frame, StatsQuery::is_well_formed)?,
            Opcode::BatchReconcile => self.read(frame, |_: &BatchId| true)?,
            Opcode::CouponShow | Opcode::CouponLog => self.read(frame, CouponKey::is_well_formed)?,
            Opcode::CouponList => self.read(frame, coupon::List::is_well_formed)?,
            Opcode::Wallet => self.read(frame, WalletQuery::is_well_formed)?,
            Opcode::FeedSubscribe => {
                self.read(frame, Subscribe::is_well_formed)?;
                self.session.subscribes = true;
            }
            Opcode::FeedAcknowledge => self.read(frame, Acknowledge::is_well_formed)?,
            Opcode::FeedList => self.read(frame, Page::is_well_formed)?,
            Opcode::FeedForget => self.read(frame, Forget::is_well_formed)?,
            Opcode::Hello | Opcode::Fault => return Err(Status::OpcodeUnknown),
        }
        Ok(())
    }

    /// Has another thread answer what reads files.
    fn read<T: FromBytes + IntoBytes + KnownLayout + Immutable + Unaligned>(
        &mut self,
        frame: &Frame<'_>,
        is_well_formed: impl Fn(&T) -> bool,
    ) -> Result<(), Status> {
        let items = well_formed(frame, is_well_formed)?;
        self.hand_over(frame, items.as_bytes())
    }

    /// Answers an operation on batches.
    fn operate(&mut self, frame: &Frame<'_>) -> Result<(), Status> {
        let at = EPOCH_OF_BATCH_INFO;
        match frame.opcode {
            Opcode::BatchCreate => {
                let items = well_formed(frame, Create::is_well_formed)?;
                self.admit_inflow()?;
                self.replies(frame, items, at, |work, create| work.burst.create(create));
            }
            Opcode::BatchShow => {
                let items = frame.items::<BatchId>()?;
                self.replies(frame, items, at, |work, id| work.burst.show(id.batch.get()));
            }
            Opcode::BatchList => {
                let list = well_formed(frame, List::is_well_formed)?.first().ok_or(Status::Malformed)?;
                let page = self.burst.list(list);
                self.replies(frame, &page, at, |_, info| *info);
            }
            Opcode::BatchChange => {
                let items = well_formed(frame, |change: &Change| change.action().is_some())?;
                self.replies(frame, items, at, |work, change| match change.action() {
                    Some(action) => work.burst.change(change.batch.get(), action),
                    None => BatchInfo::refused(Status::Malformed, change.batch.get()),
                });
            }
            Opcode::BatchAddStock => {
                let items = well_formed(frame, AddStock::is_well_formed)?;
                self.admit_inflow()?;
                self.replies(frame, items, at, |work, add| work.burst.add_stock(add));
            }
            Opcode::BatchEdit => {
                let items = well_formed(frame, Edit::is_well_formed)?;
                self.admit_inflow()?;
                self.replies(frame, items, at, |work, edit| work.burst.edit(edit));
            }
            Opcode::BatchWithdraw => {
                let items = well_formed(frame, AddStock::is_well_formed)?;
                self.replies(frame, items, at, |work, withdraw| work.burst.withdraw(withdraw));
            }
            _ => return Err(Status::OpcodeUnknown),
        }
        Ok(())
    }

    fn change_coupons(&mut self, frame: &Frame<'_>) -> Result<(), Status> {
        let items = well_formed(frame, |change: &coupon::Change| change.action().is_some())?;
        let rights = self.session.rights();
        let client = self.session.client(&mut self.burst);
        self.burst.act_for(client);
        self.decide(frame, items, Operation::Coupon, |burst, change, sight| {
            burst.change_coupon_sighted(change, rights, sight)
        });
        Ok(())
    }

    /// Decides the items of a frame that admission has room for, and counts the answers.
    fn decide<T: Named, R: Answer>(
        &mut self,
        frame: &Frame<'_>,
        items: &[T],
        operation: Operation,
        decide: impl Fn(&mut Burst<'a>, &T, &Sight<'a>) -> R,
    ) {
        let is_new = matches!(operation, Operation::Claim | Operation::Reserve);
        // Small frames were looked at together.
        let mut ahead = (items.len() >= LOOK_AHEAD_WORTH).then(|| LookAhead::new(items, self.session.retries));
        let mut counts = [0_u32; STATUS_SLOTS];
        self.replies(frame, items, R::EPOCH_AT, |work, item| {
            let sight = ahead.as_mut().map_or_else(Sight::default, |ahead| ahead.next(&mut work.burst));
            // What is not taken in takes no place of others while its answer waits.
            let admitted = work.admission.admit(is_new);
            let reply = if admitted { decide(&mut work.burst, item, &sight) } else { R::overloaded() };
            counts[reply.slot()] += 1;
            reply
        });
        if items.len() >= LOOK_AHEAD_WORTH {
            self.session.retries = counts[0] as usize * 2 > items.len();
        }
        if counts[0] > 0 {
            self.metrics.replayed(operation, u64::from(counts[0]));
        }
        for status in Status::ALL {
            let count = counts[*status as usize];
            if count > 0 {
                self.metrics.answered(operation, *status, u64::from(count));
            }
        }
    }

    /// Whether the disk has room for an operation that is stored.
    fn admit_inflow(&self) -> Result<(), Status> {
        if self.engine.is_out_of_space() { Err(Status::NoSpace) } else { Ok(()) }
    }
}

/// The items of a frame, if no reserved bit is set in any of them.
fn well_formed<'a, T: FromBytes + KnownLayout + Immutable + Unaligned>(
    frame: &Frame<'a>,
    is_well_formed: impl Fn(&T) -> bool,
) -> Result<&'a [T], Status> {
    let items = frame.items::<T>()?;
    if items.iter().all(is_well_formed) { Ok(items) } else { Err(Status::Malformed) }
}
