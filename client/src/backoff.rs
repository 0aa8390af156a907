//! Pauses between tries: exponential, jittered, capped.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// How long to pause before a try.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Backoff {
    /// Before the second try.
    pub(crate) first: Duration,
    /// Before any.
    pub(crate) longest: Duration,
}

impl Backoff {
    /// The pause after `failures` failed tries: doubles with each, and lies at random in the upper half of that, so
    /// that callers cut off together do not come back together.
    pub(crate) fn pause(&self, failures: u32) -> Duration {
        let doublings = failures.saturating_sub(1).min(31);
        let whole = self.first.saturating_mul(1 << doublings).min(self.longest);
        let half = whole / 2;
        let nanos = u64::try_from(half.as_nanos()).unwrap_or(u64::MAX);
        half + Duration::from_nanos(random().checked_rem(nanos).unwrap_or(0))
    }
}

/// A random number: each `RandomState` has keys of its own. Good enough to spread retries, for nothing else.
fn random() -> u64 {
    RandomState::new().hash_one(0_u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_differ() {
        let backoff = Backoff { first: Duration::from_millis(10), longest: Duration::from_millis(100) };
        for (failures, whole_ms) in [(1, 10), (2, 20), (3, 40), (4, 80), (5, 100), (u32::MAX, 100)] {
            let whole = Duration::from_millis(whole_ms);
            for _ in 0..100 {
                let pause = backoff.pause(failures);
                assert!(pause >= whole / 2 && pause < whole, "{failures} failures gave {pause:?}");
            }
        }
        let first = backoff.pause(5);
        assert!((0..100).any(|_| backoff.pause(5) != first), "a hundred equal pauses are no jitter");
    }
}
