//! Events in memory, until they become a file.

use std::collections::{BTreeMap, HashMap};

use foldhash::fast::RandomState;
use stockade_protocol::feed::{Event, Kind};
use zerocopy::little_endian::{U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::BUCKETS;
use super::counts::{Counts, Days};
use crate::stock::Day;
use crate::types::{BatchId, Epoch, UserId};

/// Serials of one block of owners.
pub(super) const BLOCK_SERIALS: u32 = 1_024;

/// No event.
const NONE: u32 = u32::MAX;

/// Who took a run of serials.
#[derive(Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct Owner {
    pub(super) user: U64,
    pub(super) serial: U32,
    pub(super) units: U32,
}

impl Owner {
    pub(super) fn has(&self, serial: u32) -> bool {
        serial.checked_sub(self.serial.get()).is_some_and(|offset| offset < self.units.get())
    }
}

/// See the module.
pub(super) struct Segment {
    events: Vec<Event>,
    /// For each event the one before it in its bucket.
    before: Vec<u32>,
    /// For each bucket its newest event.
    newest: Box<[u32]>,
    /// By batch and block.
    owners: HashMap<(BatchId, u32), Vec<Owner>, RandomState>,
    days: HashMap<(BatchId, Day), Counts, RandomState>,
    /// Batches that were purged in it, and when.
    purged: BTreeMap<BatchId, Epoch>,
    last_epoch: Epoch,
}

impl Segment {
    pub(super) fn new() -> Self {
        Self {
            events: Vec::new(),
            before: Vec::new(),
            newest: vec![NONE; BUCKETS].into_boxed_slice(),
            owners: HashMap::default(),
            days: HashMap::default(),
            purged: BTreeMap::new(),
            last_epoch: 0,
        }
    }

    /// Adds an event of a user of this bucket, or of a batch, which happened on this day.
    pub(super) fn add(&mut self, event: &Event, bucket: usize, day: Day) {
        let batch = event.batch.get();
        let Some(kind) = event.kind() else { return };
        if kind == Kind::BatchPurged {
            self.purged.insert(batch, event.epoch.get());
            self.days.retain(|(other, _), _| *other != batch);
            self.owners.retain(|(other, _), _| *other != batch);
            return;
        }
        let day = if kind == Kind::BatchCondensed { Day::MIN } else { day };
        self.days.entry((batch, day)).or_default().add_event(kind, event);
        if kind as u8 >= Kind::BatchCreated as u8 {
            return;
        }
        let number = u32::try_from(self.events.len()).expect("a segment has fewer events than that");
        self.before.push(std::mem::replace(&mut self.newest[bucket], number));
        self.events.push(*event);
        if matches!(kind, Kind::Granted | Kind::Reserved) {
            self.add_owner(event);
        }
    }

    fn add_owner(&mut self, event: &Event) {
        let (mut serial, end) = (event.serial.get(), event.serial.get() + u32::from(event.units));
        while serial < end {
            let block = serial / BLOCK_SERIALS;
            let block_end = (block + 1).saturating_mul(BLOCK_SERIALS).min(end);
            let owner = Owner { user: event.user, serial: U32::new(serial), units: U32::new(block_end - serial) };
            self.owners.entry((event.batch.get(), block)).or_default().push(owner);
            serial = block_end;
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
        self.events.len()
    }

    pub(super) fn has_purged(&self, batch: BatchId) -> bool {
        self.purged.contains_key(&batch)
    }

    pub(super) fn purged(&self) -> &BTreeMap<BatchId, Epoch> {
        &self.purged
    }

    /// Adds the events of a user to `events`, in order.
    pub(super) fn of_user(&self, bucket: usize, user: UserId, events: &mut Vec<Event>) {
        let first = events.len();
        events.extend(self.of_bucket(bucket).filter(|event| event.user.get() == user));
        events[first..].reverse();
    }

    /// The events of a bucket, newest first.
    pub(super) fn of_bucket(&self, bucket: usize) -> impl Iterator<Item = &Event> {
        let mut next = self.newest[bucket];
        std::iter::from_fn(move || {
            let at = (next != NONE).then_some(next as usize)?;
            next = self.before[at];
            Some(&self.events[at])
        })
    }

    /// Adds all owners of a batch from a serial on.
    pub(super) fn owners(&self, batch: BatchId, from: u32, owners: &mut Vec<Owner>) {
        let blocks = self.owners.iter().filter(|((other, _), _)| *other == batch);
        let runs = blocks.flat_map(|(_, runs)| runs);
        owners.extend(runs.filter(|owner| owner.serial.get() + owner.units.get() > from));
    }

    /// Adds the owners of one serial, oldest first.
    pub(super) fn owner(&self, batch: BatchId, serial: u32, owners: &mut Vec<Owner>) {
        let block = self.owners.get(&(batch, serial / BLOCK_SERIALS));
        owners.extend(block.into_iter().flatten().filter(|owner| owner.has(serial)));
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
