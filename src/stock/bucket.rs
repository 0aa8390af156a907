//! A bucket: one core's own piece of a batch's serials, in one atomic word.

use super::run::Run;
use super::sync::{AtomicU32, AtomicU64, Ordering};

/// The serials `next .. end`, packed as `next << 32 | end`.
///
/// Invariant: `next ≤ end`. Any core may take from the front; only a holder of the pool's spare lock refills, and only
/// an empty bucket. So between refills the bucket only falls. The word is the whole state, hence a value that recurs
/// (a run that was given back) is harmless.
pub(super) struct Bucket {
    /// Written by every core that draws here (release), read by every core that scans (acquire).
    word: AtomicU64,
    /// Where the owner's last walk found units. Only the owner writes; a hint, so relaxed.
    walk_from: AtomicU32,
}

const fn pack(next: u32, end: u32) -> u64 {
    (next as u64) << 32 | end as u64
}

#[expect(clippy::cast_possible_truncation, reason = "the two halves of the word")]
const fn unpack(word: u64) -> (u32, u32) {
    ((word >> 32) as u32, word as u32)
}

impl Bucket {
    pub(super) fn new(run: Run, walk_from: u32) -> Self {
        Self { word: AtomicU64::new(pack(run.first, run.end())), walk_from: AtomicU32::new(walk_from) }
    }

    /// What is here now.
    pub(super) fn run(&self) -> Run {
        let (next, end) = unpack(self.word.load(Ordering::Acquire));
        Run::new(next, end - next)
    }

    /// Units here now.
    pub(super) fn units(&self) -> u32 {
        let (next, end) = unpack(self.word.load(Ordering::Acquire));
        end - next
    }

    /// Takes `count` units, or none if there are fewer.
    pub(super) fn take_exactly(&self, count: u32) -> Option<Run> {
        self.take(count, count)
    }

    /// Takes up to `count` units; none only if the bucket is empty.
    pub(super) fn take_up_to(&self, count: u32) -> Option<Run> {
        self.take(1, count)
    }

    fn take(&self, least: u32, most: u32) -> Option<Run> {
        let mut word = self.word.load(Ordering::Acquire);
        loop {
            let (next, end) = unpack(word);
            assert!(next <= end, "bucket ran past its end: {next} > {end}");
            let units = end - next;
            if units < least || units == 0 {
                return None;
            }
            let run = Run::new(next, units.min(most));
            let taken = pack(run.end(), end);
            match self.word.compare_exchange_weak(word, taken, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return Some(run),
                Err(current) => word = current,
            }
        }
    }

    /// Fills the empty bucket. The caller holds the pool's spare lock and has announced an inflow.
    pub(super) fn refill(&self, run: Run) {
        assert_eq!(self.units(), 0, "only an empty bucket is refilled");
        self.word.store(pack(run.first, run.end()), Ordering::Release);
    }

    pub(super) fn walk_from(&self) -> usize {
        self.walk_from.load(Ordering::Relaxed) as usize
    }

    #[expect(clippy::cast_possible_truncation, reason = "a bucket's index; there are at most CORES_MAX")]
    pub(super) fn set_walk_from(&self, index: usize) {
        self.walk_from.store(index as u32, Ordering::Relaxed);
    }
}
