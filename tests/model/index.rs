//! An index that is made from the journal: what it says of users, of units and in numbers.

use std::sync::Arc;
use std::time::Duration;

use stockade::feed::Place;
use stockade::index::{Index, Indexer, IndexerOptions, Kept, Unit, units};
use stockade::journal::{Head, Journal, Reader};
use stockade::types::BatchId;
use stockade_protocol::batch::{Stats, WHOLE};
use stockade_protocol::feed::{Event, Kind};

use super::books::Batch;
use super::days::day_of;
use super::feed::{Groups, hear};
use super::world::{STORE_ID, World};

/// How long the index may take for a history.
const WAIT_MAX: Duration = Duration::from_secs(30);
/// Ids beyond those that are used.
const USERS: u64 = 8;

/// An index that has come as far as the journal.
struct Made {
    index: Arc<Index>,
    _indexer: Indexer,
    _folder: tempfile::TempDir,
}

impl World {
    /// Makes an index of all that is durable, and holds it against the model and against the feed; then one of what the
    /// checkpoint and the journal still have, and against the feed from there.
    pub(crate) fn check_index(&mut self) -> Result<(), String> {
        let made = self.make_index(Groups::of(&self.store, self.durable))?;
        for user in 0..USERS {
            let told = made.index.of_user(user).map_err(|error| error.to_string())?;
            if told != self.heard_of(user) {
                return Err(format!("the index tells of user {user} what the feed does not"));
            }
        }
        self.kept.batches.iter().try_for_each(|(id, batch)| counts_and_owners(&made.index, *id, batch, true))?;

        let made = self.make_index(self.store.clone())?;
        let is_live = |batch: BatchId| self.kept.batches.get(&batch).is_some_and(|batch| !batch.shut);
        for user in 0..USERS {
            let told = made.index.of_user(user).map_err(|error| error.to_string())?;
            if as_they_are(&told, &is_live) != as_they_are(&self.heard_of(user), &is_live) {
                return Err(format!("made from the checkpoint, the index tells of user {user} what the feed does not"));
            }
        }
        let mut heard = Vec::new();
        hear(&self.store, Place::OLDEST, self.durable, (usize::MAX, &mut heard))?;
        for user in 0..USERS {
            if as_they_are(&of_user(&heard, user), &is_live) != as_they_are(&self.heard_of(user), &is_live) {
                return Err(format!("from the checkpoint, the feed tells of user {user} what it did not tell before"));
            }
        }
        let mut batches = self.kept.batches.iter();
        let wrong = batches.try_for_each(|(id, batch)| counts_and_owners(&made.index, *id, batch, is_live(*id)));
        wrong.map_err(|what| format!("made from the checkpoint: {what}"))
    }

    fn make_index(&self, reader: impl Reader + Send + 'static) -> Result<Made, String> {
        let folder = tempfile::tempdir().expect("a folder for a while");
        let head = reader.head().expect("memory can be read").map(|head| Head::decode(&head).expect("a whole head"));
        let kept = Kept { store_id: STORE_ID, last: self.durable, head };
        let index = Arc::new(Index::open(folder.path(), &kept).map_err(|error| error.to_string())?);
        let zones = self.kept.batches.iter().map(|(id, batch)| (*id, batch.zone.clone()));
        let zones = zones.collect::<std::collections::HashMap<_, _>>();
        let utc = jiff::tz::TimeZone::UTC;
        let options = IndexerOptions {
            reader: Box::new(reader),
            journal: Arc::new(Journal::new(1, self.durable + 1, 1)),
            day_of: Box::new(move |batch, time_ms| day_of(zones.get(&batch).unwrap_or(&utc), time_ms)),
            on_visible: Box::new(|_| ()),
        };
        let indexer = Indexer::start(Arc::clone(&index), options);
        if !index.wait_for(self.durable, WAIT_MAX) {
            return Err("the index does not come as far as the journal".to_owned());
        }
        Ok(Made { index, _indexer: indexer, _folder: folder })
    }

    fn heard_of(&self, user: u64) -> Vec<Event> {
        of_user(&self.feed.heard, user)
    }
}

/// What the feed told of a user, of batches that were not purged since.
fn of_user(heard: &[Event], user: u64) -> Vec<Event> {
    let mut events = Vec::<Event>::new();
    for event in heard {
        match event.kind() {
            Some(Kind::BatchPurged) => events.retain(|of| of.batch != event.batch),
            Some(kind) if (kind as u8) < Kind::BatchCreated as u8 && event.user.get() == user => events.push(*event),
            _ => {}
        }
    }
    events
}

/// What an index counts of a batch, and who took its serials, if `knows_owners`.
fn counts_and_owners(index: &Index, id: BatchId, batch: &Batch, knows_owners: bool) -> Result<(), String> {
    let days = index.days(id).map_err(|error| error.to_string())?;
    let mut told = days.whole().now().ok_or("more units left a place than came to it")?;
    // What has expired, the sweep says.
    told.expired.set(0);
    let expected = stats(batch);
    if told != expected {
        return Err(format!("the index counts of batch {id} {told:?}, expected {expected:?}"));
    }
    for (serial, (user, _)) in batch.takers.iter().filter(|_| knows_owners) {
        let owner = index.owner(id, *serial).map_err(|error| error.to_string())?;
        if owner != Some(*user) {
            return Err(format!("the index says that {owner:?} took serial {serial} of batch {id}"));
        }
    }
    Ok(())
}

/// The units of some batches, without their places: a checkpoint numbers events anew.
fn as_they_are(events: &[Event], has: &dyn Fn(BatchId) -> bool) -> Vec<Unit> {
    let mut units = units(events);
    units.retain(|unit| has(unit.batch));
    units.iter_mut().for_each(|unit| unit.taken_at = (0, 0, 0));
    units.sort_by_key(|unit| (unit.batch, unit.serial));
    units
}

/// The first item of the batch's numbers.
fn stats(batch: &Batch) -> Stats {
    let counts = &batch.counts;
    let mut stats = Stats::default();
    stats.day.set(WHOLE);
    stats.added.set(counts.added);
    stats.withdrawn.set(counts.withdrawn);
    stats.remaining.set(batch.free_units);
    stats.reserved.set(counts.held());
    stats.granted.set(counts.granted());
    stats.locked.set(counts.locked - counts.unlocked - counts.redeemed);
    stats.redeemed.set(counts.redeemed - counts.restored);
    stats.unlocked.set(counts.unlocked);
    stats.restored.set(counts.restored);
    stats.returned.set(counts.returned);
    stats.voided.set(counts.worthless());
    stats.cancelled.set(counts.cancelled);
    stats.lapsed.set(counts.lapsed);
    stats.confirmed.set(counts.confirmed);
    stats
}
