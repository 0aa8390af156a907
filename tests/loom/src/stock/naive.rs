//! The pool without its certificate: the same buckets and spare runs, and a refuser who believes every scan. What
//! `false_sold_outs` shows is why the certificate is there.

use super::bucket::Bucket;
use super::scene::Stock;
use super::sync::{AtomicU64, Mutex, Ordering};
use super::{Mode, Run, Runs};

/// Wrong: see the module.
pub(super) struct Naive {
    buckets: Vec<Bucket>,
    spare_units: AtomicU64,
    spare: Mutex<Vec<Run>>,
}

impl Naive {
    /// One bucket for each run; empty runs are empty buckets.
    pub(super) fn new(buckets: &[Run], spare: &[Run]) -> Self {
        Self {
            buckets: buckets.iter().map(|run| Bucket::new(*run, 0)).collect(),
            spare_units: AtomicU64::new(spare.iter().map(|run| u64::from(run.count)).sum()),
            spare: Mutex::new(spare.to_vec()),
        }
    }

    /// One round over all buckets, the own one first.
    fn walk(&self, core: usize, quantity: u32, drawn: &mut Runs) {
        for step in 0..self.buckets.len() {
            let bucket = &self.buckets[(core + step) % self.buckets.len()];
            while drawn.units() < quantity
                && let Some(run) = bucket.take_up_to(quantity - drawn.units())
            {
                drawn.push(run);
            }
        }
    }

    fn put_spare(&self, run: Run) {
        self.spare.lock().push(run);
        self.spare_units.fetch_add(run.count.into(), Ordering::AcqRel);
    }

    /// Moves all spare units into the own bucket, one run a time.
    fn refill(&self, core: usize) {
        let mut spare = self.spare.lock();
        if self.buckets[core].units() == 0
            && let Some(run) = spare.pop()
        {
            self.spare_units.fetch_sub(run.count.into(), Ordering::AcqRel);
            self.buckets[core].refill(run);
        }
    }
}

impl Stock for Naive {
    fn draw(&self, core: usize, quantity: u8, mode: Mode) -> Option<Runs> {
        let quantity = quantity.into();
        let mut drawn = Runs::default();
        loop {
            self.walk(core, quantity, &mut drawn);
            if drawn.units() == quantity {
                return Some(drawn);
            }
            if self.spare_units.load(Ordering::Acquire) == 0 {
                break;
            }
            self.refill(core);
        }
        if mode == Mode::AllOrNothing {
            drawn.iter().for_each(|run| self.put_spare(run));
            return None;
        }
        if drawn.is_empty() { None } else { Some(drawn) }
    }

    /// Where it is wanted next: in the caller's bucket, if that is empty.
    fn add(&self, core: usize, run: Run) {
        let bucket = &self.buckets[core];
        let spare = self.spare.lock();
        if bucket.units() == 0 {
            bucket.refill(run);
        } else {
            drop(spare);
            self.put_spare(run);
        }
    }
}
