//! Slots that are pages of wallets: each is the first page of one of the users who were granted coupons before.

use std::sync::Arc;

use stockade_protocol::Status;
use stockade_protocol::wallet::{WalletItem, WalletQuery};
use zerocopy::IntoBytes;

use crate::hash::Key;
use crate::load::connection::Record;
use crate::load::population::ordinal;
use crate::load::window::InFlight;
use crate::load::work::Settled;

/// A user whose wallet is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The user.
    pub user: u64,
    /// Coupons that he was granted in this run: what his wallet has at least.
    pub coupons: u64,
}

/// The pages that one connection reads.
#[derive(Clone, Debug)]
pub struct Pages {
    number: u32,
    owners: Arc<[Owner]>,
    page_size: u16,
    draw_key: Key,
}

impl Pages {
    /// Those of connection `number`: up to `page_size` coupons of one of `owners`, whom the seed draws.
    ///
    /// # Panics
    /// When there are no owners.
    #[must_use]
    pub fn new(number: u32, owners: Arc<[Owner]>, page_size: u16, seed: u64) -> Self {
        assert!(!owners.is_empty(), "somebody has a wallet");
        Self { number, owners, page_size, draw_key: Key::new(seed, 8) }
    }

    fn owner(&self, slot: u64) -> Owner {
        let place = self.draw_key.below(self.owners.len() as u64, ordinal(self.number, slot));
        self.owners[usize::try_from(place).expect("the place of an owner")]
    }

    pub(super) fn encode(&self, frame: &InFlight, out: &mut Vec<u8>) {
        for slot in frame.range() {
            out.extend_from_slice(WalletQuery::new(self.owner(slot).user, &[], self.page_size).as_bytes());
        }
    }

    /// Enters a page. It has no status: that it came is `DONE`.
    pub(super) fn settle(&self, frame: &InFlight, page: &[WalletItem], record: &mut Record) -> Settled {
        record.tally.outcome(Status::Done as u8);
        let least = self.owner(frame.first_slot).coupons.min(self.page_size.into());
        // Coupons of earlier runs may be among them, so there can be more than we know of.
        let is_right = (least..=self.page_size.into()).contains(&(page.len() as u64));
        record.books.wrong_answers += u64::from(!is_right);
        Settled { over: frame.count, wanted: frame.count, next: 0 }
    }
}
