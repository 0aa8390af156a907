//! The numbers that a batch has not given to any unit yet.

use super::run::Run;
use super::sync::{AtomicU32, Ordering};

/// The end of a batch's range of serials: every unit that comes, or comes back, gets the next.
pub struct Serials {
    /// Only rises; by any core. It orders nothing: who gets numbers tells others of them by the journal.
    end: AtomicU32,
}

impl Serials {
    /// Serials from `end` on are free.
    #[must_use]
    pub fn from(end: u32) -> Self {
        Self { end: AtomicU32::new(end) }
    }

    /// The first number that was not given.
    #[must_use]
    pub fn end(&self) -> u32 {
        self.end.load(Ordering::Relaxed)
    }

    /// The next `count` numbers, if there are so many. The last one of all is never given: it stands for none.
    #[must_use]
    pub fn next(&self, count: u32) -> Option<Run> {
        let mut end = self.end.load(Ordering::Relaxed);
        loop {
            let next = end.checked_add(count)?;
            match self.end.compare_exchange_weak(end, next, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Some(Run::new(end, count)),
                Err(current) => end = current,
            }
        }
    }
}
