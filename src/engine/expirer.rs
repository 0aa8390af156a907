//! The expirer: a plain thread that lets reservations expire, and counts coupons that have.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::Engine;
use super::timers::SLOT_MS;

/// Time between two looks. With the slots of the timers, and the rests between bursts, a unit is on its way back 42 ms
/// after its time at the latest, on an idle machine.
const ROUND: Duration = Duration::from_millis(10);

/// How many times as long as a burst took its rest is: a slot of them all at once would keep a processor from claims
/// for so long that they felt it.
const REST: u32 = 3;

/// Rounds between two looks whether batches are due to be swept.
const ROUNDS_PER_SWEEP: u32 = 50;

/// A running expirer. Dropping it ends the thread.
pub(super) struct Expirer {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Expirer {
    /// Starts the thread.
    ///
    /// # Panics
    /// When the system refuses a thread.
    pub(super) fn start(engine: Arc<Engine>) -> Self {
        let (stop, stopped) = channel();
        let work = move || {
            let mut round = 0_u32;
            while goes_on_after(ROUND, &stopped) {
                if !expire_all(&engine, &stopped) {
                    return;
                }
                round = (round + 1) % ROUNDS_PER_SWEEP;
                if round == 0 && engine.sweep() {
                    // The next batch comes with the next round.
                    round = ROUNDS_PER_SWEEP - 1;
                }
            }
        };
        let thread = thread::Builder::new().name("expirer".into()).spawn(work);
        Self { stop: Some(stop), thread: Some(thread.expect("the system has room for one more thread at start")) }
    }
}

/// Lets expire what is due, in bursts with rests: claims come first. What has been due for a whole slot is too much for
/// rests, and the processor is only offered to claims. Returns whether the thread goes on.
fn expire_all(engine: &Engine, stopped: &Receiver<()>) -> bool {
    loop {
        let began = Instant::now();
        let Some(late_ms) = engine.expire() else { return true };
        let rest = if late_ms < SLOT_MS { began.elapsed() * REST } else { Duration::ZERO };
        thread::yield_now();
        if !goes_on_after(rest, stopped) {
            return false;
        }
    }
}

/// Waits so long, or until the thread is to stop. Returns whether it is not.
fn goes_on_after(wait: Duration, stopped: &Receiver<()>) -> bool {
    stopped.recv_timeout(wait) == Err(RecvTimeoutError::Timeout)
}

impl Drop for Expirer {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _panicked = thread.join();
        }
    }
}
