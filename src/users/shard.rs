//! One shard of the table: open addressing in the order of the hash, behind the table's lock.
//!
//! All claims of a user share the user's hash and so stand in one probe sequence: a claim reads that sequence once and
//! knows the user's total and whether the request was seen. Users with more than [`INLINE_CLAIMS_MAX`] claims get a map
//! of their own for the rest, so that no sequence grows with a user's appetite.
//!
//! A hash picks its slot by multiplication (`hash × slots ÷ 2⁶⁴`), so the number of slots may be any, and the table can
//! grow by half instead of doubling: resident memory stays within 24 ÷ 0.53 bytes a claim.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::slot::{Asked, Held, Kind, Slot};
use crate::stock::Runs;

/// Claims of one user that stand in the table itself.
const INLINE_CLAIMS_MAX: usize = 8;

/// Slots of a shard when its first claim comes.
const SLOTS_MIN: usize = 8;

/// The table grows when more than this share of its slots is taken: 4 ÷ 5.
const LOAD_MAX: (usize, usize) = (4, 5);

/// It then has this many times the slots: 3 ÷ 2.
const GROWTH: (usize, usize) = (3, 2);

/// Claims of one user beyond the inline ones.
#[derive(Default)]
struct BusyUser {
    units: u32,
    claims: HashMap<u64, Slot, RandomState>,
}

/// See the module.
#[derive(Default)]
pub(super) struct Shard {
    slots: Box<[Slot]>,
    taken: usize,
    units: u64,
    splits: Vec<Runs>,
    busy: Vec<BusyUser>,
    /// Given back for good: the batch is closed.
    closed: bool,
}

/// What a shard knows of a user and a request.
pub(super) struct Found {
    /// Units that the user holds.
    pub(super) units: u32,
    /// What became of the request.
    pub(super) held: Option<Held>,
}

impl Shard {
    pub(super) fn find(&self, hash: u64, user: u64, request: u64) -> Found {
        let mut found = Found { units: 0, held: None };
        for slot in self.sequence(hash) {
            if slot.user != user {
                continue;
            }
            if slot.kind == Kind::Busy {
                let busy = &self.busy[slot.place as usize];
                found.units += busy.units;
                if let Some(slot) = busy.claims.get(&request) {
                    found.held = slot.held(&self.splits);
                }
                continue;
            }
            found.units += u32::from(slot.granted);
            if slot.request == request {
                found.held = slot.held(&self.splits);
            }
        }
        found
    }

    /// Records a claim that [`Shard::find`] did not find.
    pub(super) fn insert(&mut self, hash: &dyn Fn(u64) -> u64, user: u64, request: u64, asked: Asked, runs: &Runs) {
        assert!(!self.closed, "a closed batch grants nothing");
        let granted = u8::try_from(runs.units()).expect("a claim asks for at most 255 units");
        assert!(granted > 0 && granted <= asked.quantity, "granted {granted} of {}", asked.quantity);
        let (kind, place) = if runs.is_one_run() {
            (Kind::OneRun, runs.first().first)
        } else {
            self.splits.push(runs.clone());
            (Kind::Split, index(self.splits.len() - 1))
        };
        self.units += u64::from(granted);
        let slot = Slot { user, request, place, asked, granted, kind };

        let (mut inline, mut busy) = (0, None);
        for other in self.sequence(hash(user)).filter(|other| other.user == user) {
            match other.kind {
                Kind::Busy => busy = Some(other.place),
                Kind::OneRun | Kind::Split => inline += 1,
                Kind::Empty => unreachable!("a sequence ends at an empty slot"),
            }
        }
        if let Some(place) = busy {
            self.busy[place as usize].insert(slot);
        } else if inline < INLINE_CLAIMS_MAX {
            self.place(hash, slot);
        } else {
            let mut first = BusyUser::default();
            first.insert(slot);
            self.busy.push(first);
            let place = index(self.busy.len() - 1);
            self.place(hash, Slot { user, place, kind: Kind::Busy, ..Slot::EMPTY });
        }
    }

    pub(super) fn units(&self) -> u64 {
        self.units
    }

    /// Gives all memory back.
    pub(super) fn close(&mut self) {
        *self = Shard { closed: true, ..Shard::default() };
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    /// The slots from a hash's home to the next empty one.
    fn sequence(&self, hash: u64) -> impl Iterator<Item = &Slot> {
        let home = home(hash, self.slots.len());
        self.slots[home..].iter().chain(&self.slots[..home]).take_while(|slot| slot.kind != Kind::Empty)
    }

    fn place(&mut self, hash: &dyn Fn(u64) -> u64, slot: Slot) {
        if self.taken * LOAD_MAX.1 >= self.slots.len() * LOAD_MAX.0 {
            self.grow(hash);
        }
        put(&mut self.slots, hash(slot.user), slot);
        self.taken += 1;
    }

    fn grow(&mut self, hash: &dyn Fn(u64) -> u64) {
        let length = (self.slots.len() * GROWTH.0 / GROWTH.1).max(SLOTS_MIN);
        let mut slots = vec![Slot::EMPTY; length].into_boxed_slice();
        for slot in self.slots.iter().filter(|slot| slot.kind != Kind::Empty) {
            put(&mut slots, hash(slot.user), *slot);
        }
        self.slots = slots;
    }
}

impl BusyUser {
    fn insert(&mut self, slot: Slot) {
        self.units += u32::from(slot.granted);
        let before = self.claims.insert(slot.request, slot);
        assert!(before.is_none(), "a request is recorded once");
    }
}

/// The slot where a hash begins to look.
#[expect(clippy::cast_possible_truncation, reason = "the product's upper half is less than the number of slots")]
fn home(hash: u64, slots: usize) -> usize {
    ((u128::from(hash) * slots as u128) >> 64) as usize
}

fn put(slots: &mut [Slot], hash: u64, slot: Slot) {
    let mut at = home(hash, slots.len());
    while slots[at].kind != Kind::Empty {
        at = if at + 1 == slots.len() { 0 } else { at + 1 };
    }
    slots[at] = slot;
}

fn index(length: usize) -> u32 {
    u32::try_from(length).expect("fewer entries than serials")
}
