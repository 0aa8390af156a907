//! What became of a batch's units, in numbers.

use stockade_protocol::Status;
use stockade_protocol::batch::{self, BatchId, StatsQuery};
use tokio::time::Instant;
use zerocopy::IntoBytes;

use crate::client::Client;
use crate::error::ClientError;
use crate::request::{Request, page_limit};

/// Numbers of a batch, as a whole and by day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchStats {
    /// The batch as a whole, as it is now.
    pub whole: Counts,
    /// The days on which something happened, in order.
    pub days: Vec<Day>,
}

/// One day of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Day {
    /// Days since 1970-01-01 in the batch's zone.
    pub day: i32,
    /// What happened on it.
    pub counts: Counts,
}

/// Units, counted. Of a batch as a whole some numbers say what is now, and `added` − `withdrawn` = `remaining` +
/// `reserved` + `granted` + `voided`; of a day all say what happened on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Units of stock added, the beginning included.
    pub added: u32,
    /// Units withdrawn.
    pub withdrawn: u32,
    /// As a whole: units that nobody has; of a day 0.
    pub remaining: u32,
    /// As a whole: units reserved now; of a day: units that were reserved.
    pub reserved: u32,
    /// As a whole: units granted and neither given back nor voided; of a day: units that were granted, by claims and
    /// confirmations.
    pub granted: u32,
    /// As a whole: coupons locked now; of a day: locks.
    pub locked: u32,
    /// As a whole: coupons redeemed now; of a day: redemptions.
    pub redeemed: u32,
    /// Unlocks of locked coupons.
    pub unlocked: u32,
    /// Redeemed coupons that were restored.
    pub restored: u32,
    /// Coupons that were returned.
    pub returned: u32,
    /// Coupons that were voided.
    pub voided: u32,
    /// As a whole: coupons expired now; of a day: coupons that expired at its beginning or on it.
    pub expired: u32,
    /// Units whose reservation was cancelled.
    pub cancelled: u32,
    /// Units whose reservation expired.
    pub lapsed: u32,
    /// Units whose reservation was confirmed.
    pub confirmed: u32,
}

impl Counts {
    fn from_wire(stats: &batch::Stats) -> Self {
        Self {
            added: stats.added.get(),
            withdrawn: stats.withdrawn.get(),
            remaining: stats.remaining.get(),
            reserved: stats.reserved.get(),
            granted: stats.granted.get(),
            locked: stats.locked.get(),
            redeemed: stats.redeemed.get(),
            unlocked: stats.unlocked.get(),
            restored: stats.restored.get(),
            returned: stats.returned.get(),
            voided: stats.voided.get(),
            expired: stats.expired.get(),
            cancelled: stats.cancelled.get(),
            lapsed: stats.lapsed.get(),
            confirmed: stats.confirmed.get(),
        }
    }
}

/// How often claims and reservations of a batch were refused with one status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefusalCount {
    /// The status; `None` = one that this client does not know.
    pub status: Option<Status>,
    /// Its number.
    pub number: u8,
    /// How often, since the server started.
    pub count: u64,
}

impl Client {
    /// Counts what became of a batch's units: as a whole, and on up to `limit` − 1 (`limit` is 1..=1,024) of the days
    /// from `from_day` on. Fewer days than that are the last page; the next one starts at the last day + 1.
    ///
    /// `see_epoch`: the epoch of an answer whose effect must be seen; 0 = what is durable now.
    ///
    /// Cancel-safe: it only reads.
    ///
    /// # Errors
    /// `InvalidInput` when the limit is out of range; `Refused` also when there is no such batch (`BATCH_UNKNOWN`) or
    /// epoch (`CURSOR_INVALID`); else `Unavailable` or `Protocol`.
    pub async fn batch_stats(
        &self,
        batch: u64,
        from_day: i32,
        limit: u32,
        see_epoch: u64,
    ) -> Result<BatchStats, ClientError> {
        let query = StatsQuery {
            batch: batch.into(),
            from_day: from_day.into(),
            limit: page_limit(limit)?.into(),
            see_epoch: see_epoch.into(),
        };
        let items = self.call(Request::BatchStats(query), Instant::now()).await?.into_stats();
        let day = |item: &batch::Stats| Day { day: item.day.get(), counts: Counts::from_wire(item) };
        Ok(BatchStats { whole: Counts::from_wire(&items[0]), days: items[1..].iter().map(day).collect() })
    }

    /// Counts how often claims and reservations of a batch were refused since the server started, by status.
    ///
    /// Cancel-safe: it only reads.
    ///
    /// # Errors
    /// As [`batch_stats`](Client::batch_stats); never `InvalidInput`.
    pub async fn batch_refusals(&self, batch: u64) -> Result<Vec<RefusalCount>, ClientError> {
        let request = Request::BatchRefusals(BatchId { batch: batch.into() });
        let items = self.call(request, Instant::now()).await?.into_refusals();
        let count = |item: &batch::RefusalCount| RefusalCount {
            status: item.status(),
            number: item.as_bytes()[0],
            count: item.count.get(),
        };
        Ok(items.iter().map(count).collect())
    }

    /// Has the server count a batch anew, from its books in memory and from its journal, and compare. A server that
    /// finds a difference stops: then this ends as `Unavailable`.
    ///
    /// Cancel-safe: it changes nothing.
    ///
    /// # Errors
    /// As [`batch_stats`](Client::batch_stats); never `InvalidInput`.
    pub async fn reconcile_batch(&self, batch: u64) -> Result<Counts, ClientError> {
        let request = Request::ReconcileBatch(BatchId { batch: batch.into() });
        let items = self.call(request, Instant::now()).await?.into_stats();
        Ok(Counts::from_wire(&items[0]))
    }
}
