//! Spreads work over time: whoever reads and writes whole files at once keeps the disk, and a processor, from the
//! journal's syncs.

use std::thread;
use std::time::{Duration, Instant};

/// How far ahead of its pace work may be: shorter sleeps would cost more than they save.
const AHEAD: Duration = Duration::from_millis(4);

/// See the module.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    began: Instant,
    takes: Duration,
}

impl Pace {
    /// Begins work that is to take so long; it may take longer.
    #[must_use]
    pub fn over(takes: Duration) -> Self {
        Self { began: Instant::now(), takes }
    }

    /// Sleeps, unless `done` parts of `all` ought to be done by now.
    pub fn keep(&self, done: u64, all: u64) {
        let due_ns = self.takes.as_nanos() * u128::from(done.min(all)) / u128::from(all.max(1));
        let ahead_ns = due_ns.saturating_sub(self.began.elapsed().as_nanos());
        if ahead_ns > AHEAD.as_nanos() {
            // sleep: nobody waits for it.
            thread::sleep(Duration::from_nanos(u64::try_from(ahead_ns).unwrap_or(0)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_takes_as_long_as_it_was_given() {
        let (began, pace) = (Instant::now(), Pace::over(Duration::from_millis(40)));
        (1..=8).for_each(|part| pace.keep(part, 8));
        assert!(began.elapsed() + AHEAD >= Duration::from_millis(40), "it took only {:?}", began.elapsed());
    }
}
