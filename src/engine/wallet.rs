//! Wallet: what one user has, of all batches.

use stockade_protocol::Status;
use stockade_protocol::wallet::{Cursor, WalletItem, WalletQuery};
use xxhash_rust::xxh3::xxh3_64;
use zerocopy::IntoBytes;
use zerocopy::little_endian::{U32, U64};

use super::Engine;
use super::coupon::Rights;
use super::reading::unreadable;
use crate::index::{Unit, units};
use crate::types::Epoch;

/// Bits of a cursor's index that are the number of a unit within its event.
const UNIT_BITS: u32 = 8;

impl Engine {
    /// A page of a user's coupons, newest first.
    ///
    /// # Errors
    /// `CURSOR_INVALID` for another query's cursor, or what [`Engine::index_through`] says.
    pub fn wallet(&self, query: &WalletQuery, rights: Rights) -> Result<Vec<WalletItem>, Status> {
        let check = check(query);
        let before = place_before(&query.cursor, check)?;
        let (index, _) = self.index_through(query.see_epoch.get())?;
        let events = index.of_user(query.user.get()).map_err(unreadable)?;
        let mut page = Vec::new();
        // Claims of checkpoints stand in the order of their groups: by place they are in the order of their cursors.
        let mut units = units(&events);
        units.sort_unstable_by_key(|unit| unit.taken_at);
        for unit in units.iter().rev().filter(|unit| before.is_none_or(|before| place(unit) < before)) {
            if page.len() >= usize::from(query.limit.get()) {
                break;
            }
            let Ok(batch) = self.read_batch(unit.batch) else { continue };
            let told = self.tell(batch, unit, rights);
            if query.states.get() != 0 && query.states.get() & told.state.bit() == 0 {
                continue;
            }
            let (epoch, index) = place(unit);
            let mut item = WalletItem::new(unit.batch, unit.serial, told.state);
            item.request = U64::new(unit.request);
            item.cursor = Cursor { epoch: U64::new(epoch), index: U32::new(index), check: U32::new(check) };
            item.taken_ms = U64::new(unit.taken_ms);
            item.expires_ms = U64::new(told.expires_ms);
            item.order = U64::new(told.order);
            page.push(item);
        }
        Ok(page)
    }
}

/// Where a unit stands among all of its user's.
fn place(unit: &Unit) -> (Epoch, u32) {
    let (epoch, index, number) = unit.taken_at;
    (epoch, index << UNIT_BITS | number)
}

/// What a cursor says about the query that it belongs to; never 0.
#[expect(clippy::cast_possible_truncation, reason = "half of the hash is enough to notice a mix-up")]
fn check(query: &WalletQuery) -> u32 {
    xxh3_64(&[query.user.as_bytes(), query.states.as_bytes()].concat()) as u32 | 1
}

/// The place that the page must come before; `None` = it is the first.
fn place_before(cursor: &Cursor, check: u32) -> Result<Option<(Epoch, u32)>, Status> {
    if *cursor == Cursor::default() {
        return Ok(None);
    }
    if cursor.check.get() != check {
        return Err(Status::CursorInvalid);
    }
    Ok(Some((cursor.epoch.get(), cursor.index.get())))
}
