//! The auditor: a plain thread that reconciles one batch after the other, all the time, slowly.

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use stockade_protocol::Status;

use super::Engine;
use crate::types::BatchId;

/// Time between two batches: all of them together cost no more than a hundredth of a processor.
const PAUSE: Duration = Duration::from_millis(50);

/// Time between two rounds over all batches.
const ROUND: Duration = Duration::from_secs(10);

/// A running auditor. Dropping it ends the thread.
pub(super) struct Auditor {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Auditor {
    /// Starts the thread.
    ///
    /// # Panics
    /// When the system refuses a thread.
    pub(super) fn start(engine: Arc<Engine>) -> Self {
        let (stop, stopped) = channel();
        let work = move || {
            let (mut next, mut wait) = (0, ROUND);
            while stopped.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
                (next, wait) = engine.audit(next).map_or((0, ROUND), |next| (next, PAUSE));
            }
        };
        let thread = thread::Builder::new().name("auditor".into()).spawn(work);
        Self { stop: Some(stop), thread: Some(thread.expect("the system has room for one more thread at start")) }
    }
}

impl Drop for Auditor {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _panicked = thread.join();
        }
    }
}

impl Engine {
    /// Reconciles the first batch from the id `from` on; returns where to go on, `None` after the last.
    fn audit(&self, from: BatchId) -> Option<BatchId> {
        let id = self.registry.page(from, 1).first()?.id;
        match self.reconcile(id) {
            Ok(_) => self.metrics.audited(),
            // Purged meanwhile, not visible yet, or the index is busy: the next round finds it.
            Err(Status::BatchUnknown | Status::Overloaded | Status::Unavailable) => {}
            Err(status) => tracing::warn!("batch {id} could not be counted anew: {status:?}"),
        }
        id.checked_add(1)
    }
}
