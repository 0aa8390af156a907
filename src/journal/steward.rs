//! The steward: a plain thread for what must happen regularly and may take its time.

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::ledger::Ledger;
use super::space::Space;

/// Time between two rounds. After a loss of power the ledger may lag behind the journal by this much.
const ROUND: Duration = Duration::from_millis(50);

/// Rounds between two looks at the disk's free space.
const ROUNDS_PER_LOOK: u32 = 10;

/// What the steward looks after.
pub struct StewardOptions {
    /// Synced every round, if durability asks for it.
    pub ledger: Option<Arc<Ledger>>,
    /// Looked at every few rounds.
    pub space: Arc<Space>,
    /// Called when claims stop or go on because of the free space; the argument says whether they stop.
    pub on_space: Box<dyn Fn(bool) + Send>,
    /// Called once, with the reason, when the ledger cannot be synced. The process should end here.
    pub on_failure: Box<dyn FnOnce(&str) + Send>,
}

/// A running steward. Dropping it ends the thread.
pub struct Steward {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Steward {
    /// Starts the thread.
    ///
    /// # Panics
    /// When the system refuses a thread.
    #[must_use]
    pub fn start(options: StewardOptions) -> Self {
        let (stop, stopped) = channel();
        let work = move || {
            let mut round = 0_u32;
            while stopped.recv_timeout(ROUND) == Err(RecvTimeoutError::Timeout) {
                if let Some(Err(error)) = options.ledger.as_ref().map(|ledger| ledger.sync()) {
                    (options.on_failure)(&format!("the commit ledger could not be synced: {error}"));
                    return;
                }
                round = round.wrapping_add(1);
                if round.is_multiple_of(ROUNDS_PER_LOOK) && options.space.look().is_ok_and(|changed| changed) {
                    (options.on_space)(options.space.is_below_floor());
                }
            }
        };
        let thread = thread::Builder::new().name("steward".into()).spawn(work);
        Self { stop: Some(stop), thread: Some(thread.expect("the system has room for one more thread at start")) }
    }
}

impl Drop for Steward {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _panicked = thread.join();
        }
    }
}
