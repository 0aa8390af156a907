//! The serials of one batch that nobody holds.
//!
//! A core draws from its own bucket; when that is empty it walks to the others. What flows in later (added stock,
//! pieces of a gathering that came short) waits as *spare* runs behind a lock and is moved into a bucket when that runs
//! dry. The lock is taken only when there is spare stock, when a claim must be gathered from several buckets, or when
//! an inflow overlapped a scan: never by a crowd that hammers on an empty batch.

use std::collections::BinaryHeap;

use thin_vec::ThinVec;

use super::bucket::Bucket;
use super::certificate::Certificate;
use super::run::{Run, Runs};
use super::sync::{AtomicU32, Mutex, MutexGuard, Ordering};
use crate::prefetch::prefetch;

/// What a claim does when fewer units are left than it asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Takes nothing.
    AllOrNothing,
    /// Takes what there is.
    UpTo,
}

/// Units from which on a batch may be hot for longer than a moment: then each bucket has its cache lines for itself, at
/// 128 bytes a core. A million small batches need that memory more.
const HOT_UNITS: u64 = 32_768;

/// Places between the buckets of a hot batch: two cache lines, since processors fetch them in pairs.
const STRIDE_HOT: u8 = 8;
const _: () = assert!(STRIDE_HOT as usize * size_of::<Bucket>() == 128);

/// The claimable serials of one batch.
pub struct Pool {
    /// One bucket for each core at every `stride`-th place.
    buckets: Box<[Bucket]>,
    certificate: Certificate,
    /// Units in `spare`. Changed under its lock, within a bracket of the certificate; read by scans.
    spare_units: AtomicU32,
    /// [`STRIDE_HOT`] or 1.
    stride: u8,
    spare: Mutex<ThinVec<Run>>,
}

impl Pool {
    /// A pool of these runs over `cores` buckets. The runs must not overlap.
    ///
    /// # Panics
    /// When `cores` is zero.
    #[must_use]
    pub fn new(cores: usize, runs: impl IntoIterator<Item = Run>) -> Self {
        assert!(cores > 0, "a pool needs a bucket");
        let mut by_length =
            runs.into_iter().filter(|run| run.count > 0).map(|run| (run.count, run.first)).collect::<BinaryHeap<_>>();
        let units = by_length.iter().map(|(count, _)| u64::from(*count)).sum::<u64>();
        let share = u32::try_from(units.div_ceil(cores as u64)).expect("fewer units than serials");
        let bucket = |index: usize| {
            let Some((count, first)) = by_length.pop() else { return Bucket::new(Run::new(0, 0), 0) };
            let (own, rest) = Run::new(first, count).split_at(count.min(share));
            if rest.count > 0 {
                by_length.push((rest.count, rest.first));
            }
            Bucket::new(own, u32::try_from(index).expect("fewer cores than serials"))
        };
        let stride = if units >= HOT_UNITS { STRIDE_HOT } else { 1 };
        let mut filled = (0..cores).map(bucket);
        let place = |place: usize| {
            let bucket = if place.is_multiple_of(stride.into()) { filled.next() } else { None };
            bucket.unwrap_or_else(|| Bucket::new(Run::new(0, 0), 0))
        };
        let buckets = (0..=(cores - 1) * usize::from(stride)).map(place).collect::<Box<[_]>>();
        let spare = by_length.into_iter().map(|(count, first)| Run::new(first, count)).collect::<ThinVec<_>>();
        let spare_units = spare.iter().map(|run| run.count).sum();
        let pool = Self {
            buckets,
            stride,
            certificate: Certificate::new(),
            spare_units: AtomicU32::new(spare_units),
            spare: Mutex::new(spare),
        };
        assert_eq!(pool.scan(), units, "every unit lies in one place");
        pool
    }

    /// Draws `quantity` units for a claim that arrived on `core`, or refuses. `before_take` is called before anything
    /// is taken, and not at all when the refusal needs no taking.
    ///
    /// A refusal means: at one instant during this call fewer than `quantity` units (`UpTo`: no unit) were claimable.
    ///
    /// # Panics
    /// When `quantity` is zero.
    pub fn draw(&self, core: usize, quantity: u8, mode: Mode, before_take: impl FnOnce()) -> Option<Runs> {
        assert!(quantity > 0, "a claim asks for at least one unit");
        let (own, quantity) = (self.bucket(core), u32::from(quantity));
        if own.units() < quantity && self.is_certainly_below(if mode == Mode::UpTo { 1 } else { quantity }) {
            return None;
        }
        before_take();
        if let Some(run) = own.take_exactly(quantity) {
            return Some(Runs::one(run));
        }
        if quantity == 1 || mode == Mode::UpTo {
            self.draw_walking(core, quantity)
        } else {
            self.draw_gathering(core, quantity)
        }
    }

    /// Takes up to `most` units away, wherever they are, spare ones first.
    pub fn withdraw(&self, most: u32) -> Runs {
        let mut spare = self.spare.lock();
        let mut drawn = Runs::default();
        while drawn.units() < most
            && let Some(run) = self.take_spare(&mut spare, most - drawn.units())
        {
            drawn.push(run);
        }
        for bucket in self.buckets() {
            while drawn.units() < most
                && let Some(run) = bucket.take_up_to(most - drawn.units())
            {
                drawn.push(run);
            }
        }
        drawn
    }

    /// Makes `run` claimable. Its serials must be new, or drawn and never given to anybody.
    pub fn add(&self, run: Run) {
        let mut spare = self.spare.lock();
        self.certificate.inflow(|| self.put_spare(&mut spare, run));
    }

    /// Whether a serial is here, at one instant during the call.
    #[must_use]
    pub fn holds(&self, serial: u32) -> bool {
        let spare = self.spare.lock();
        let is_in = |run: Run| (run.first..run.end()).contains(&serial);
        spare.iter().any(|run| is_in(*run)) || self.buckets().any(|bucket| is_in(bucket.run()))
    }

    /// Units claimable at one instant during the call.
    #[must_use]
    pub fn units(&self) -> u32 {
        let scan = self.certificate.begin();
        let mut units = self.scan();
        if !self.certificate.holds(scan) {
            let _no_inflow = self.spare.lock();
            units = self.scan();
        }
        u32::try_from(units).expect("fewer units than serials")
    }

    /// Units claimable, without the proof: a hint that a simultaneous inflow can make wrong in both directions.
    #[must_use]
    pub fn units_hint(&self) -> u32 {
        u32::try_from(self.scan()).unwrap_or(u32::MAX)
    }

    /// Asks the processor for the bucket of `core`.
    #[inline]
    pub fn prefetch(&self, core: usize) {
        prefetch(self.bucket(core), 1);
    }

    fn bucket(&self, core: usize) -> &Bucket {
        &self.buckets[core * usize::from(self.stride)]
    }

    fn buckets(&self) -> impl Iterator<Item = &Bucket> {
        self.buckets.iter().step_by(self.stride.into())
    }

    fn cores(&self) -> usize {
        self.buckets.len().div_ceil(self.stride.into())
    }

    /// Whether a scan without a lock proves that fewer than `quantity` units were claimable.
    fn is_certainly_below(&self, quantity: u32) -> bool {
        let scan = self.certificate.begin();
        self.scan() < u64::from(quantity) && self.certificate.holds(scan)
    }

    fn scan(&self) -> u64 {
        let in_buckets = self.buckets().map(|bucket| u64::from(bucket.units())).sum::<u64>();
        in_buckets + u64::from(self.spare_units.load(Ordering::Acquire))
    }

    /// One round over all buckets from where the last walk got to. Takes what is there, up to `quantity` in all.
    fn walk(&self, core: usize, quantity: u32, drawn: &mut Runs) {
        let (count, from) = (self.cores(), self.bucket(core).walk_from());
        for step in 0..count {
            let index = (from + step) % count;
            while let Some(run) = self.bucket(index).take_up_to(quantity - drawn.units()) {
                drawn.push(run);
                if drawn.units() == quantity {
                    self.bucket(core).set_walk_from(index);
                    return;
                }
            }
        }
    }

    /// For a claim that keeps whatever it finds: a refused one has found nothing, so nothing is ever given back.
    fn draw_walking(&self, core: usize, quantity: u32) -> Option<Runs> {
        let mut drawn = Runs::default();
        let scan = self.certificate.begin();
        self.walk(core, quantity, &mut drawn);
        if drawn.units() < quantity {
            let spare_units = self.spare_units.load(Ordering::Acquire);
            let proven_empty = spare_units == 0 && self.certificate.holds(scan);
            if !proven_empty {
                // Nothing can flow in under the lock, so a walk that finds nothing and an empty spare prove it.
                let mut spare = self.spare.lock();
                self.walk(core, quantity, &mut drawn);
                while drawn.units() < quantity && self.refill(core, &mut spare) {
                    self.walk(core, quantity, &mut drawn);
                }
            }
        }
        if drawn.is_empty() { None } else { Some(drawn) }
    }

    /// For a claim of several units, all or none.
    ///
    /// While pieces are collected they lie in no place, so the whole gathering is an inflow: a refuser whose scan it
    /// overlaps does not believe its scan. A gathering that comes short has emptied every place and holds fewer than
    /// `quantity`: that instant justifies its own refusal.
    fn draw_gathering(&self, core: usize, quantity: u32) -> Option<Runs> {
        if let Some(run) = self.buckets().find_map(|bucket| bucket.take_exactly(quantity)) {
            return Some(Runs::one(run));
        }
        if self.is_certainly_below(quantity) {
            return None;
        }
        let mut spare = self.spare.lock();
        self.certificate.inflow(|| {
            let mut drawn = Runs::default();
            self.walk(core, quantity, &mut drawn);
            while drawn.units() < quantity
                && let Some(run) = self.take_spare(&mut spare, quantity - drawn.units())
            {
                drawn.push(run);
            }
            if drawn.units() == quantity {
                return Some(drawn);
            }
            drawn.iter().for_each(|run| self.put_spare(&mut spare, run));
            None
        })
    }

    /// Moves a core's share of the spare runs into its own bucket. False when there are none, or the bucket has units.
    fn refill(&self, core: usize, spare: &mut MutexGuard<'_, ThinVec<Run>>) -> bool {
        let units = self.spare_units.load(Ordering::Acquire);
        if units == 0 || self.bucket(core).units() > 0 {
            return units > 0;
        }
        let cores = u32::try_from(self.cores()).expect("fewer cores than serials");
        let share = units.div_ceil(cores);
        self.certificate.inflow(|| {
            let run = self.take_spare(spare, share).expect("spare_units counts what is there");
            self.bucket(core).refill(run);
        });
        true
    }

    fn take_spare(&self, spare: &mut MutexGuard<'_, ThinVec<Run>>, most: u32) -> Option<Run> {
        let last = spare.pop()?;
        let (taken, rest) = last.split_at(last.count.min(most));
        if rest.count > 0 {
            spare.push(rest);
        }
        self.spare_units.fetch_sub(taken.count, Ordering::AcqRel);
        Some(taken)
    }

    fn put_spare(&self, spare: &mut MutexGuard<'_, ThinVec<Run>>, run: Run) {
        assert!(run.count > 0, "an inflow brings units");
        match spare.last_mut() {
            Some(last) if last.end() == run.first => last.count += run.count,
            Some(_) | None => spare.push(run),
        }
        self.spare_units.fetch_add(run.count, Ordering::AcqRel);
    }
}
