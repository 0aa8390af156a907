//! Queries of a reader, and their pages.

use stockade_protocol::Opcode;
use stockade_protocol::batch::{BatchId, Stats, StatsQuery};
use stockade_protocol::coupon::{CouponInfo, CouponKey, List};
use stockade_protocol::wallet::{WalletItem, WalletQuery};

use super::frame::Reply;
use super::link::Link;

/// One frame of each opcode that a reader answers, in order: what it asks is there, if batch 1 has a serial 0.
pub(crate) fn ask_all(link: &mut Link) -> Vec<(Opcode, Reply)> {
    let key = CouponKey::new(1, 0);
    let list = List { batch: 1.into(), from: 0.into(), limit: 9.into(), see_epoch: 0.into() };
    let stats = stats_query(1, 0, 9);
    vec![
        (Opcode::CouponShow, link.ask(Opcode::CouponShow, &[key])),
        (Opcode::CouponList, link.ask(Opcode::CouponList, &[list])),
        (Opcode::CouponLog, link.ask(Opcode::CouponLog, &[key])),
        (Opcode::Wallet, link.ask(Opcode::Wallet, &[WalletQuery::new(1, &[], 9)])),
        (Opcode::BatchStats, link.ask(Opcode::BatchStats, &[stats])),
        (Opcode::BatchReconcile, link.ask(Opcode::BatchReconcile, &[BatchId { batch: 1.into() }])),
    ]
}

/// Asks for numbers of a batch.
pub(crate) fn stats_query(batch: u64, from_day: i32, limit: u32) -> StatsQuery {
    StatsQuery { batch: batch.into(), from_day: from_day.into(), limit: limit.into(), see_epoch: 0.into() }
}

impl Link {
    pub(crate) fn wallet(&mut self, query: WalletQuery) -> Vec<WalletItem> {
        self.ask(Opcode::Wallet, &[query]).items(Opcode::Wallet)
    }

    pub(crate) fn show_coupons(&mut self, keys: &[CouponKey]) -> Vec<CouponInfo> {
        self.answers(Opcode::CouponShow, keys)
    }

    pub(crate) fn list_coupons(&mut self, batch: u64, from: u32, limit: u32) -> Vec<CouponInfo> {
        let list = List { batch: batch.into(), from: from.into(), limit: limit.into(), see_epoch: 0.into() };
        self.ask(Opcode::CouponList, &[list]).items(Opcode::CouponList)
    }

    pub(crate) fn stats(&mut self, query: StatsQuery) -> Vec<Stats> {
        self.ask(Opcode::BatchStats, &[query]).items(Opcode::BatchStats)
    }
}
