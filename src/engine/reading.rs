//! Reading: what the index answers, put together with what the engine knows. Not part of any burst: it reads files, on
//! threads that do nothing else.

use std::time::Duration;

use stockade_protocol::Status;
use stockade_protocol::coupon::State;

use super::Engine;
use super::batch::Batch;
use super::coupon::Rights;
use crate::index::{Index, IndexError, Unit, UnitState};
use crate::journal::NO_SERIAL;
use crate::types::{BatchId, Epoch, OrderId, TimeMs};

/// How long a reader waits for the index to come as far as it must see.
const WAIT_MAX: Duration = Duration::from_secs(5);

/// A unit as it is told.
pub(super) struct Told {
    pub(super) state: State,
    pub(super) order: OrderId,
    pub(super) expires_ms: TimeMs,
    pub(super) new_serial: u32,
}

impl Engine {
    /// The index, once it has all events up to `see_epoch`; 0 stands for all that is durable now. And that epoch.
    ///
    /// # Errors
    /// `UNAVAILABLE` without an index, `CURSOR_INVALID` for an epoch that is not durable, `OVERLOADED` when the index
    /// is far behind.
    pub(super) fn index_through(&self, see_epoch: Epoch) -> Result<(&Index, Epoch), Status> {
        let index = self.index.as_deref().ok_or(Status::Unavailable)?;
        let durable = self.journal.durable();
        if see_epoch > durable {
            return Err(Status::CursorInvalid);
        }
        let wanted = if see_epoch == 0 { durable } else { see_epoch };
        if index.wait_for(wanted, WAIT_MAX) { Ok((index, index.through())) } else { Err(Status::Overloaded) }
    }

    /// A batch that readers may see.
    pub(super) fn read_batch(&self, id: BatchId) -> Result<&Batch, Status> {
        self.registry.find(id).filter(|batch| !batch.is_hidden()).ok_or(Status::BatchUnknown)
    }

    /// What is told about a unit of `batch`.
    pub(super) fn tell(&self, batch: &Batch, unit: &Unit, rights: Rights) -> Told {
        let taken = batch.day_of(unit.taken_ms);
        let coupon_expires_ms = batch.more.get().and_then(|more| more.expires_ms(unit.through, taken)).unwrap_or(0);
        let (state, order, new_serial) = match unit.state {
            UnitState::Reserved => (State::Reserved, 0, 0),
            UnitState::Granted if coupon_expires_ms != 0 && self.now_ms() >= coupon_expires_ms => {
                (State::Expired, 0, 0)
            }
            UnitState::Granted => (State::Granted, 0, 0),
            UnitState::Locked(order) => (State::Locked, order, 0),
            UnitState::Redeemed(order) => (State::Redeemed, order, 0),
            UnitState::Returned(new) => (State::Returned, 0, new),
            UnitState::Voided => (State::Voided, 0, 0),
            UnitState::Cancelled(new) => (State::Cancelled, 0, new),
            UnitState::Lapsed(new) => (State::Lapsed, 0, new),
        };
        Told {
            state,
            order: if rights == Rights::Operator { order } else { 0 },
            expires_ms: if unit.state == UnitState::Reserved { unit.due_ms } else { coupon_expires_ms },
            new_serial: if new_serial == NO_SERIAL { 0 } else { new_serial },
        }
    }
}

/// The status for files that cannot be read.
#[expect(clippy::needless_pass_by_value, reason = "it is what map_err hands over")]
pub(super) fn unreadable(error: IndexError) -> Status {
    tracing::error!("the index cannot be read: {error}; delete the folder `index` and restart: it is made anew");
    Status::Unavailable
}
