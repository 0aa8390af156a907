//! One shard of the table, behind the table's lock: the claims in the order in which they came, and an index over them.
//!
//! All claims of a user share the user's hash and so stand in one sequence of the index: a claim reads that sequence
//! once and knows the user's total and whether the request was seen. Users with more than [`INLINE_CLAIMS_MAX`] claims
//! get a map of their own for the rest, so that no sequence grows with a user's appetite.
//!
//! Why two parts: a look-up of a user who holds nothing, which is what nearly all claims begin with, touches one or two
//! cache lines of the index; a grant appends. A shard of a few claims has no index: it looks at all of them. Only the
//! index grows (4 of some 30 bytes a claim), so growing is short.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::claims::Claims;
use super::index::Index;
use super::slot::{Asked, Held, Kind, Slot};
use super::staged::{Broken, Staged};
use crate::stock::{Run, Runs};
use crate::types::Epoch;

/// Claims of one user that stand in the table itself.
const INLINE_CLAIMS_MAX: usize = 8;

/// Claims up to which a shard has no index: looking at all of them is as quick, and a million batches have few.
const SCANNED_MAX: usize = 8;

/// Claims whose memory is fetched before the first of them is settled.
const SETTLED_TOGETHER: usize = 16;

/// Claims of one user beyond the inline ones.
#[derive(Default)]
struct BusyUser {
    units: u32,
    claims: HashMap<u64, Slot, RandomState>,
}

/// See the module.
#[derive(Default)]
pub(super) struct Shard {
    index: Index,
    claims: Claims,
    units: u64,
    rare: Option<Box<Rare>>,
    /// See [`Index::larger`].
    phase: u8,
    /// Given back for good: the batch is closed.
    closed: bool,
}

/// What few shards have.
#[derive(Default)]
struct Rare {
    splits: Vec<Runs>,
    busy: Vec<BusyUser>,
    staged: Staged,
}

/// What a shard knows of a user and a request.
pub(super) struct Found {
    /// Units that the user holds.
    pub(super) units: u32,
    /// What became of the request.
    pub(super) held: Option<Held>,
    standing: Standing,
}

/// Where a user's next claim belongs.
#[derive(Clone, Copy, Default)]
pub(super) struct Standing {
    /// Claims of the user in the index.
    inline: usize,
    /// The user's place among the busy ones.
    busy: Option<u32>,
}

impl Found {
    pub(super) fn standing(&self) -> Standing {
        self.standing
    }
}

impl Shard {
    /// An empty shard whose growth is in this phase.
    pub(super) fn new(phase: u8) -> Self {
        Self { phase, ..Self::default() }
    }

    pub(super) fn index(&self) -> &Index {
        &self.index
    }

    pub(super) fn claims(&self) -> &Claims {
        &self.claims
    }

    #[inline]
    pub(super) fn find(&self, hash: u64, user: u64, request: u64) -> Found {
        let mut found = Found { units: 0, held: None, standing: Standing::default() };
        self.for_each_of(hash, user, |slot| {
            if slot.kind == Kind::Busy {
                found.standing.busy = Some(slot.place);
                let busy = &self.rare().busy[slot.place as usize];
                found.units += busy.units;
                if let Some(slot) = busy.claims.get(&request) {
                    found.held = Some(self.held(slot));
                }
                return;
            }
            found.standing.inline += 1;
            found.units += u32::from(slot.granted);
            if slot.request == request {
                found.held = Some(self.held(slot));
            }
        });
        found
    }

    /// Records a claim that [`Shard::find`] did not find, for a user of this hash and of the standing that it found.
    /// `rehash` tells the hash of other users.
    pub(super) fn insert(
        &mut self,
        (user, hash): (u64, u64),
        standing: Standing,
        request: u64,
        (asked, runs): (Asked, &Runs),
        rehash: &dyn Fn(u64) -> u64,
    ) {
        let slot = self.slot(user, request, asked, runs);
        self.insert_slot(hash, standing, slot, rehash);
    }

    /// Takes in a claim of a restart without a look at it; [`Shard::settle`] looks at all of them. False when the batch
    /// is closed.
    #[must_use]
    pub(super) fn stage(&mut self, user: u64, request: u64, (asked, runs): (Asked, &Runs), epoch: Epoch) -> bool {
        if self.closed {
            return false;
        }
        let (slot, number) = (self.slot(user, request, asked, runs), self.claims.len());
        self.claims.push(slot);
        self.rare_mut().staged.note(number, epoch);
        true
    }

    /// Looks at what was staged, in order, and makes the index. What breaks a promise is `wrong`.
    pub(super) fn settle(
        &mut self,
        limit: Option<u32>,
        rehash: &dyn Fn(u64) -> u64,
        wrong: &mut dyn FnMut(Epoch, Broken),
    ) {
        let Some(staged) = self.rare.as_mut().map(|rare| std::mem::take(&mut rare.staged)) else { return };
        if staged.is_empty() {
            return;
        }
        let broken = match self.settle_in_place(limit, rehash) {
            Some(broken) => broken,
            None => self.settle_anew(limit, rehash),
        };
        broken.into_iter().for_each(|(number, broken)| wrong(staged.epoch(number), broken));
        if self.rare.as_ref().is_some_and(|rare| rare.splits.is_empty() && rare.busy.is_empty()) {
            self.rare = None;
        }
    }

    /// Leaves the claims where they are. `None` when a user has too many for that; then nothing is right yet.
    fn settle_in_place(&mut self, limit: Option<u32>, rehash: &dyn Fn(u64) -> u64) -> Option<Vec<(usize, Broken)>> {
        let (claims, mut units, mut broken) = (self.claims.len(), 0, Vec::new());
        if claims <= SCANNED_MAX {
            let few = self.claims.first();
            for (number, slot) in few.iter().enumerate() {
                check(number, slot, few[..number].iter(), limit, &mut broken)?;
                units += u64::from(slot.granted);
            }
        } else {
            let mut index = Index::for_claims(claims, self.phase);
            let mut ahead = [0; SETTLED_TOGETHER];
            for first in (0..claims).step_by(SETTLED_TOGETHER) {
                let numbers = first..(first + SETTLED_TOGETHER).min(claims);
                for (hash, number) in ahead.iter_mut().zip(numbers.clone()) {
                    *hash = rehash(self.claims.get(place(number)).user);
                    index.prefetch(*hash);
                }
                for (hash, number) in ahead.iter().zip(numbers) {
                    let slot = self.claims.get(place(number));
                    let before = index.places(*hash).map(|place| self.claims.get(place));
                    check(number, slot, before, limit, &mut broken)?;
                    index.insert(*hash, place(number));
                    units += u64::from(slot.granted);
                }
            }
            self.index = index;
        }
        self.units = units;
        Some(broken)
    }

    /// Takes one claim after the other in, as if they came now.
    fn settle_anew(&mut self, limit: Option<u32>, rehash: &dyn Fn(u64) -> u64) -> Vec<(usize, Broken)> {
        let (claims, mut broken) = (std::mem::take(&mut self.claims), Vec::new());
        self.index = Index::for_claims(claims.len(), self.phase);
        for (number, slot) in claims.iter().enumerate() {
            let (user, request, hash) = (slot.user, slot.request, rehash(slot.user));
            let found = self.find(hash, user, request);
            if found.held.is_some() {
                broken.push((number, Broken::Repeated { user, request }));
                continue;
            }
            let units = found.units + u32::from(slot.granted);
            if limit.is_some_and(|limit| units > limit) {
                broken.push((number, Broken::OverLimit { user, units }));
            }
            self.insert_slot(hash, found.standing, *slot, rehash);
        }
        broken
    }

    fn slot(&mut self, user: u64, request: u64, asked: Asked, runs: &Runs) -> Slot {
        assert!(!self.closed, "a closed batch grants nothing");
        let granted = u8::try_from(runs.units()).expect("a claim asks for at most 255 units");
        assert!(granted > 0 && granted <= asked.quantity, "granted {granted} of {}", asked.quantity);
        let (kind, place) = if runs.is_one_run() {
            (Kind::OneRun, runs.first().first)
        } else {
            let splits = &mut self.rare_mut().splits;
            splits.push(runs.clone());
            (Kind::Split, index(splits.len() - 1))
        };
        Slot { user, request, place, asked, granted, kind }
    }

    fn insert_slot(&mut self, hash: u64, standing: Standing, slot: Slot, rehash: &dyn Fn(u64) -> u64) {
        self.units += u64::from(slot.granted);
        if let Some(place) = standing.busy {
            self.rare_mut().busy[place as usize].insert(slot);
        } else if standing.inline < INLINE_CLAIMS_MAX {
            self.place(hash, slot, rehash);
        } else {
            let mut first = BusyUser::default();
            first.insert(slot);
            let busy = &mut self.rare_mut().busy;
            busy.push(first);
            let place = index(busy.len() - 1);
            self.place(hash, Slot { place, kind: Kind::Busy, ..slot }, rehash);
        }
    }

    pub(super) fn units(&self) -> u64 {
        self.units
    }

    /// Gives all memory back; returns how many claims there were.
    pub(super) fn close(&mut self) -> u64 {
        let busy = self.rare.iter().flat_map(|rare| &rare.busy);
        // A busy user's mark stands in the index and is no claim.
        let busy_claims = busy.map(|user| user.claims.len() as u64 - 1).sum::<u64>();
        let claims = self.claims.len() as u64 + busy_claims;
        *self = Shard { closed: true, ..Shard::default() };
        claims
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Visits what the shard itself holds of a user.
    #[inline]
    fn for_each_of(&self, hash: u64, user: u64, mut visit: impl FnMut(&Slot)) {
        if self.index.words().is_empty() {
            self.claims.first().iter().filter(|slot| slot.user == user).for_each(visit);
            return;
        }
        for place in self.index.places(hash) {
            let slot = self.claims.get(place);
            if slot.user == user {
                visit(slot);
            }
        }
    }

    fn held(&self, slot: &Slot) -> Held {
        let runs = match slot.kind {
            Kind::OneRun => Runs::one(Run::new(slot.place, u32::from(slot.granted))),
            Kind::Split => self.rare().splits[slot.place as usize].clone(),
            Kind::Busy => unreachable!("a busy user's mark is no claim"),
        };
        Held { asked: slot.asked, runs }
    }

    fn place(&mut self, hash: u64, slot: Slot, rehash: &dyn Fn(u64) -> u64) {
        let taken = self.claims.len();
        if taken < SCANNED_MAX && self.index.words().is_empty() {
            return self.claims.push(slot);
        }
        if !self.index.has_room(taken) {
            let mut larger = self.index.larger(self.phase);
            for (place, slot) in (0..).zip(self.claims.iter()) {
                larger.insert(rehash(slot.user), place);
            }
            self.index = larger;
        }
        self.index.insert(hash, index(taken));
        self.claims.push(slot);
    }

    fn rare(&self) -> &Rare {
        self.rare.as_ref().expect("a claim that refers to it was recorded with it")
    }

    fn rare_mut(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }
}

impl BusyUser {
    fn insert(&mut self, slot: Slot) {
        self.units += u32::from(slot.granted);
        let before = self.claims.insert(slot.request, slot);
        assert!(before.is_none(), "a request is recorded once");
    }
}

/// Holds a staged claim against those of its hash before it. `None` when its user has too many for the index.
fn check<'a>(
    number: usize,
    slot: &Slot,
    before: impl Iterator<Item = &'a Slot>,
    limit: Option<u32>,
    broken: &mut Vec<(usize, Broken)>,
) -> Option<()> {
    let (user, request) = (slot.user, slot.request);
    let (mut claims, mut units) = (0, u32::from(slot.granted));
    for other in before.filter(|other| other.user == user) {
        claims += 1;
        units += u32::from(other.granted);
        if other.request == request {
            broken.push((number, Broken::Repeated { user, request }));
        }
    }
    if limit.is_some_and(|limit| units > limit) {
        broken.push((number, Broken::OverLimit { user, units }));
    }
    (claims < INLINE_CLAIMS_MAX).then_some(())
}

fn place(number: usize) -> u32 {
    u32::try_from(number).expect("fewer claims than serials")
}

fn index(length: usize) -> u32 {
    u32::try_from(length).expect("fewer entries than serials")
}
