//! A request on its way: the job that connections carry, and the ticket that the caller waits with.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::reply::Reply;
use crate::request::Request;
use crate::trouble::Trouble;

/// How one attempt ended.
#[derive(Debug)]
pub(crate) enum Attempt {
    /// With an answer.
    Answered(Reply),
    /// Without one, and it was surely not done.
    Undone(Trouble),
    /// Without one, and it may have been done.
    Doubtful {
        /// What happened.
        trouble: Trouble,
        /// The store that may have done it; `None` when that is not known any more.
        store: Option<u64>,
    },
    /// Not sent: an earlier copy may have been done by another store than the one that answers now.
    OtherStore,
}

/// Where a request is. It leaves `QUEUED` once, by whoever comes first: the connection that sends it or the caller that
/// gives it up. So a caller that withdraws it knows that it never leaves.
///
/// Nothing else is published through the atomic, so its operations need no order with others.
#[derive(Debug)]
pub(crate) struct Stage(AtomicU8);

const QUEUED: u8 = 0;
const SENT: u8 = 1;
const WITHDRAWN: u8 = 2;

impl Stage {
    fn leave_queue_as(&self, next: u8) -> bool {
        self.0.compare_exchange(QUEUED, next, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// Whether it was handed to a socket, or is about to be.
    pub(crate) fn is_sent(&self) -> bool {
        self.0.load(Ordering::Relaxed) == SENT
    }
}

/// A request in the queue or in flight.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) request: Request,
    /// When its caller stops waiting.
    pub(crate) deadline: Instant,
    /// The store that may have done an earlier copy: no other may get this one.
    pub(crate) only_store: Option<u64>,
    stage: Arc<Stage>,
    answer: Answer,
}

/// Where the end of an attempt is told.
#[derive(Debug)]
pub(crate) struct Answer(oneshot::Sender<Attempt>);

impl Answer {
    /// Tells it. A caller that does not wait any more hears nothing.
    pub(crate) fn tell(self, attempt: Attempt) {
        // An error gives the attempt back because nobody waits for it.
        drop(self.0.send(attempt));
    }
}

impl Job {
    /// A job, and the ticket for its answer.
    pub(crate) fn new(request: Request, deadline: Instant, only_store: Option<u64>) -> (Job, Ticket) {
        let stage = Arc::new(Stage(AtomicU8::new(QUEUED)));
        let (sender, receiver) = oneshot::channel();
        let ticket = Ticket { stage: Arc::clone(&stage), answer: receiver };
        (Job { request, deadline, only_store, stage, answer: Answer(sender) }, ticket)
    }

    /// Marks it as sent, unless the caller gave it up: then it must not leave.
    pub(crate) fn depart(&self) -> bool {
        self.stage.leave_queue_as(SENT)
    }

    /// Whether its caller still waits for it to be sent.
    pub(crate) fn is_wanted(&self) -> bool {
        self.stage.0.load(Ordering::Relaxed) == QUEUED
    }

    pub(crate) fn into_answer(self) -> Answer {
        self.answer
    }
}

/// The caller's end. Dropping it withdraws the job if it has not left.
#[derive(Debug)]
pub(crate) struct Ticket {
    stage: Arc<Stage>,
    answer: oneshot::Receiver<Attempt>,
}

impl Ticket {
    pub(crate) fn stage(&self) -> Arc<Stage> {
        Arc::clone(&self.stage)
    }

    /// Waits for the end of the attempt. A connection that ends without a word (its runtime was shut down) is one, too.
    pub(crate) async fn answer(mut self) -> Attempt {
        if let Ok(attempt) = (&mut self.answer).await {
            return attempt;
        }
        let trouble = Trouble::network("the runtime that drove the connection was shut down");
        if self.stage.is_sent() { Attempt::Doubtful { trouble, store: None } } else { Attempt::Undone(trouble) }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.stage.leave_queue_as(WITHDRAWN);
    }
}
