//! Waiting for what must happen, and giving up on what does not: a test never hangs.

use std::thread;
use std::time::{Duration, Instant};

/// Ends a wait that would last for ever. No answer takes that long on any machine.
pub(crate) const GIVE_UP: Duration = Duration::from_mins(1);

/// Offers of the processor to others before a test gives up.
const PATIENCE: u64 = 1 << 24;

/// Offers the processor to others until `condition` holds.
pub(crate) fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let mut rounds = 0;
    while !condition() {
        rounds += 1;
        assert!(rounds < PATIENCE, "it never came to pass that {what}");
        thread::yield_now();
    }
}

/// Lets time pass: at least `time` on the clock that the server reads too.
pub(crate) fn let_pass(time: Duration) {
    let since = Instant::now();
    wait_until("time passes", || since.elapsed() >= time);
}
