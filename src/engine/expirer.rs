//! The expirer: a plain thread that lets reservations expire, and counts coupons that have.

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::Engine;

/// Time between two looks. With the slots of the timers, a unit is on its way back 42 ms after its time at the latest,
/// on an idle machine.
const ROUND: Duration = Duration::from_millis(10);

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
            while stopped.recv_timeout(ROUND) == Err(RecvTimeoutError::Timeout) {
                // Claims come first: after each burst of expirations the processor is offered to them.
                while engine.expire() > 0 {
                    thread::yield_now();
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

impl Drop for Expirer {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _panicked = thread.join();
        }
    }
}
