//! Events in memory, until they become a file.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::time::{Duration, Instant};

use foldhash::fast::RandomState;
use stockade_protocol::feed::{Event, Kind};

use super::counts::{Counts, Days};
use super::lot::Lot;
use super::owner::{BLOCK_SERIALS, Held, Owner};
use super::packs::Pack;
use super::record::{Base, Encoder};
use super::{BUCKETS, SEGMENT_EVENTS};
use crate::stock::Day;
use crate::types::{BatchId, Epoch, UserId};

/// Buckets whose events lie together until they become a file: a lot is sorted, or looked through for one user, within
/// the processor's cache; and there are few enough lots to add to all of them at once.
const LOT_BUCKETS: usize = 128;
const LOTS: usize = BUCKETS / LOT_BUCKETS;

/// See the module.
pub(super) struct Segment {
    encoder: Encoder,
    /// Events of users, each lot those of [`LOT_BUCKETS`] buckets.
    lots: Box<[Lot]>,
    events: usize,
    /// By batch and block.
    owners: Places<(BatchId, u32), Vec<Owner>>,
    days: Places<(BatchId, Day), Counts>,
    /// Batches that were purged in it, and when.
    purged: BTreeMap<BatchId, Epoch>,
    last_epoch: Epoch,
    /// When its first event came.
    began: Option<Instant>,
}

impl Segment {
    pub(super) fn new() -> Self {
        Self {
            encoder: Encoder::new(Base::default()),
            lots: (0..LOTS).map(|_| Lot::with_room_for(SEGMENT_EVENTS / LOTS)).collect(),
            events: 0,
            owners: Places::default(),
            days: Places::default(),
            purged: BTreeMap::new(),
            last_epoch: 0,
            began: None,
        }
    }

    /// Adds an event of a user of this bucket, or of a batch, which happened on this day.
    pub(super) fn add(&mut self, event: &Event, bucket: usize, day: Day) {
        let batch = event.batch.get();
        let Some(kind) = event.kind() else { return };
        if kind == Kind::BatchPurged {
            self.purged.insert(batch, event.epoch.get());
            self.days.retain(|(other, _)| *other != batch);
            self.owners.retain(|(other, _)| *other != batch);
            return;
        }
        let day = if kind == Kind::BatchCondensed { Day::MIN } else { day };
        self.days.at((batch, day)).add_event(kind, event);
        if kind as u8 >= Kind::BatchCreated as u8 {
            return;
        }
        if self.events == 0 {
            self.began = Some(Instant::now());
            self.encoder = Encoder::new(Base { epoch: event.epoch, time_ms: event.time_ms, batch: event.batch });
        }
        self.events += 1;
        self.lots[bucket / LOT_BUCKETS].add(&mut self.encoder, kind, event);
        if matches!(kind, Kind::Granted | Kind::Reserved) {
            let held = Held { serial: event.serial.get(), units: event.units.into(), bucket };
            held.owners().for_each(|(block, owner)| self.owners.at((batch, block)).push(owner));
        }
    }

    /// All events up to this epoch were added.
    pub(super) fn reaches(&mut self, epoch: Epoch) {
        self.last_epoch = epoch;
    }

    pub(super) fn last_epoch(&self) -> Epoch {
        self.last_epoch
    }

    pub(super) fn len(&self) -> usize {
        self.events
    }

    /// Time since its first event came.
    pub(super) fn age(&self) -> Duration {
        self.began.map_or(Duration::ZERO, |began| began.elapsed())
    }

    pub(super) fn has_purged(&self, batch: BatchId) -> bool {
        self.purged.contains_key(&batch)
    }

    pub(super) fn purged(&self) -> &BTreeMap<BatchId, Epoch> {
        &self.purged
    }

    /// Adds the events of a bucket's users for whom `is_wanted` says so to `events`, in order. There may be others that
    /// share no bucket with them.
    pub(super) fn events(&self, bucket: usize, is_wanted: impl Fn(UserId) -> bool, events: &mut Vec<Event>) {
        self.lots[bucket / LOT_BUCKETS].events(self.encoder.base(), is_wanted, events);
    }

    /// Calls `visit` for each bucket that has events, in order, with its pack.
    ///
    /// # Errors
    /// What `visit` returns.
    pub(super) fn for_each_pack<E>(
        &self,
        bucket_of: impl Fn(UserId) -> usize,
        mut visit: impl FnMut(usize, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut pack = Vec::new();
        for (number, lot) in self.lots.iter().enumerate() {
            let sorted = lot.sorted(LOT_BUCKETS, |user| bucket_of(user) % LOT_BUCKETS);
            for (bucket, events) in sorted.iter() {
                Pack::write(*self.encoder.base(), events.iter().map(|event| lot.event(*event)), &mut pack);
                visit(number * LOT_BUCKETS + bucket, &pack)?;
            }
        }
        Ok(())
    }

    /// Adds what was taken of a batch from a serial on.
    pub(super) fn held(&self, batch: BatchId, from: u32, all: &mut Vec<Held>) {
        let blocks = self.owners.iter().filter(|((other, _), _)| *other == batch);
        let held = blocks.flat_map(|((_, block), owners)| owners.iter().map(|owner| owner.held(*block)));
        all.extend(held.filter(|held| held.reaches(from)));
    }

    /// Adds who took one serial.
    pub(super) fn holder(&self, batch: BatchId, serial: u32, all: &mut Vec<Held>) {
        let block = serial / BLOCK_SERIALS;
        let owners = self.owners.get((batch, block)).into_iter().flatten();
        all.extend(owners.map(|owner| owner.held(block)).filter(|held| held.has(serial)));
    }

    /// Adds the numbers of a batch.
    pub(super) fn days(&self, batch: BatchId, days: &mut Days) {
        let ours = self.days.iter().filter(|((other, _), _)| *other == batch);
        ours.for_each(|((_, day), counts)| days.add(*day, counts));
    }

    /// All owners, in order of batch and block.
    pub(super) fn sorted_owners(&self) -> BTreeMap<(BatchId, u32), &[Owner]> {
        self.owners.iter().map(|(key, runs)| (*key, runs.as_slice())).collect()
    }

    /// All numbers, in order of batch and day.
    pub(super) fn sorted_days(&self) -> BTreeMap<(BatchId, Day), Counts> {
        self.days.iter().map(|(key, counts)| (*key, *counts)).collect()
    }
}

/// A map for keys that mostly are the one before.
struct Places<K, V> {
    known: HashMap<K, usize, RandomState>,
    values: Vec<(K, V)>,
    last: usize,
}

impl<K: Copy + Eq + Hash, V: Default> Places<K, V> {
    #[inline]
    fn at(&mut self, key: K) -> &mut V {
        if self.values.get(self.last).is_none_or(|(last, _)| *last != key) {
            self.last = *self.known.entry(key).or_insert(self.values.len());
            if self.last == self.values.len() {
                self.values.push((key, V::default()));
            }
        }
        &mut self.values[self.last].1
    }

    fn get(&self, key: K) -> Option<&V> {
        self.known.get(&key).map(|place| &self.values[*place].1)
    }

    fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.values.iter().map(|(key, value)| (key, value))
    }

    fn retain(&mut self, is_kept: impl Fn(&K) -> bool) {
        self.values.retain(|(key, _)| is_kept(key));
        self.known = self.values.iter().enumerate().map(|(place, (key, _))| (*key, place)).collect();
    }
}

impl<K, V> Default for Places<K, V> {
    fn default() -> Self {
        Self { known: HashMap::default(), values: Vec::new(), last: 0 }
    }
}
