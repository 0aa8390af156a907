//! Reconcile: counts a batch anew while it is in use. Its books in memory must add up, at one instant; and what the
//! journal says, as the index counted it, must lie between the books before and the books after.

use std::thread;
use std::time::{Duration, Instant};

use stockade_protocol::Status;
use stockade_protocol::batch::Stats;

use super::Engine;
use super::batch::Batch;
use super::reading::unreadable;
use crate::index::Counts;
use crate::journal::StateCode;
use crate::types::{BatchId, Epoch};
use crate::users::Tally;

/// How long to wait until what is in the books is durable.
const WAIT_MAX: Duration = Duration::from_secs(5);

/// Time between two looks whether it is.
const LOOK: Duration = Duration::from_millis(1);

/// What the books said at one instant.
struct Books {
    tally: Tally,
    version: u32,
    total: u32,
}

impl Engine {
    /// Counts a batch anew, and answers with its numbers. A difference stops the engine.
    ///
    /// # Errors
    /// `BATCH_UNKNOWN`, or what [`Engine::index_through`] says.
    pub fn reconcile(&self, id: BatchId) -> Result<Stats, Status> {
        let batch = self.read_batch(id)?;
        let counts = self.count_anew(batch)?;
        counts.and_then(|counts| counts.now().ok_or_else(|| "the journal's numbers do not add up".to_owned())).map_err(
            |difference| {
                (self.stop)(&format!("the books of batch {id} are wrong: {difference}"));
                Status::Unavailable
            },
        )
    }

    /// What the journal says of a batch; the inner error is a difference.
    fn count_anew(&self, batch: &Batch) -> Result<Result<Counts, String>, Status> {
        let before = match books(batch) {
            Ok(books) => books,
            Err(difference) => return Ok(Err(difference)),
        };
        self.wait_until_durable(self.journal.newest())?;
        let (index, _) = self.index_through(0)?;
        let counts = index.days(batch.id).map_err(unreadable)?.whole();
        if batch.is_hidden() {
            // It was purged meanwhile.
            return Err(Status::BatchUnknown);
        }
        let after = match books(batch) {
            Ok(books) => books,
            Err(difference) => return Ok(Err(difference)),
        };
        Ok(compare(&before, &counts, &after).map(|()| counts))
    }

    fn wait_until_durable(&self, epoch: Epoch) -> Result<(), Status> {
        let until = Instant::now() + WAIT_MAX;
        while self.journal.durable() < epoch {
            if Instant::now() > until || self.journal.failure().is_some() {
                return Err(Status::Overloaded);
            }
            thread::sleep(LOOK);
        }
        Ok(())
    }
}

/// What the books say, if they add up.
fn books(batch: &Batch) -> Result<Books, String> {
    let control = batch.control.lock();
    let check = |tally: Tally| {
        let now = tally.checked_now().ok_or_else(|| format!("more units left a place than came to it: {tally:?}"))?;
        let (total, remaining) = (u64::from(control.total), u64::from(batch.remaining()));
        if remaining + now.reserved + now.granted + now.voided == total {
            Ok(Books { tally, version: control.version, total: control.total })
        } else {
            Err(format!("of {total} units {remaining} remain, and users have {now:?}"))
        }
    };
    match batch.more.get().and_then(|more| more.closed.get()) {
        Some(tally) => check(**tally),
        // Of a batch that had nothing but claims, all that is not left was claimed: its users are not kept.
        None if control.state == StateCode::Closed => {
            let claimed = u64::from(control.total.saturating_sub(batch.remaining()));
            check(Tally { claimed, ..Tally::default() })
        }
        None => batch.users.while_still(check),
    }
}

/// Holds the journal's numbers against the books.
fn compare(before: &Books, counts: &Counts, after: &Books) -> Result<(), String> {
    let numbers = |tally: &Tally| {
        [
            ("granted", tally.claimed + tally.confirmed),
            ("reserved", tally.reserved),
            ("confirmed", tally.confirmed),
            ("cancelled", tally.cancelled),
            ("lapsed", tally.lapsed),
            ("locked", tally.locked),
            ("unlocked", tally.unlocked),
            ("redeemed", tally.redeemed),
            ("restored", tally.restored),
            ("returned", tally.returned),
            ("voided", tally.voided),
            ("stranded", tally.stranded),
        ]
    };
    let journal = [
        counts.granted,
        counts.reserved,
        counts.confirmed,
        counts.cancelled,
        counts.lapsed,
        counts.locked,
        counts.unlocked,
        counts.redeemed,
        counts.restored,
        counts.returned,
        counts.voided,
        counts.stranded,
    ];
    let books = numbers(&before.tally).into_iter().zip(numbers(&after.tally));
    for (((name, least), (_, most)), found) in books.zip(journal) {
        if !(least..=most).contains(&found.get()) {
            return Err(format!("{name}: the journal has {found}, the books {least} to {most}"));
        }
    }
    let supplied = counts.added.get() - counts.withdrawn.get();
    if before.version == after.version && supplied != u64::from(before.total) {
        return Err(format!("the journal has {supplied} units of stock, the books {}", before.total));
    }
    Ok(())
}
