//! What the connections of one client share: the bounded queue of requests, and what is known about the server.
//!
//! Callers push into one queue; whichever connection has room takes from it, so a slow or lost connection holds up
//! nothing but what it had already sent. Connections exist on demand: one is wanted when a request is pushed and no
//! connection waits for work.
//!
//! The lock is held for a push or for taking one frame's worth, never across an `.await`.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::{Notify, Semaphore};
use tokio::time::Instant;

use crate::builder::Options;
use crate::job::{Attempt, Job};
use crate::limits::QUEUED_REQUESTS_MAX;
use crate::outcome::Server;
use crate::trouble::Trouble;

pub(crate) struct Pool {
    pub(crate) options: Options,
    state: Mutex<State>,
    /// Free places in the queue.
    places: Semaphore,
    /// Woken once for each push, and again by a connection that leaves something behind. Whoever is woken takes, or its
    /// dropped wait passes the wake-up on: requests are never queued with every connection asleep.
    work: Notify,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    /// Connections that exist: dialling, pausing or open.
    running: usize,
    /// Of these, open ones.
    open: usize,
    /// Of these, those that wait for work and will take whatever is pushed.
    idle: usize,
    /// Dials that failed since the last that succeeded.
    failures: u32,
    /// Not before then is the next dial.
    next_dial: Option<Instant>,
    /// Why the last dial failed; `None` after one that succeeded.
    trouble: Option<Trouble>,
    /// From the newest handshake.
    server: Option<Server>,
}

impl Pool {
    pub(crate) fn new(options: Options) -> Self {
        let places = Semaphore::new(QUEUED_REQUESTS_MAX);
        Self { options, state: Mutex::default(), places, work: Notify::new() }
    }

    /// Queues a job, after waiting for a place. Returns the seat of a connection that must be started for it, if one must.
    ///
    /// Cancel-safe: a dropped push has queued nothing.
    ///
    /// # Errors
    /// When the server has just refused this client for good: at once, with its sentence.
    pub(crate) async fn push(self: &Arc<Self>, job: Job) -> Result<Option<Seat>, Trouble> {
        let place = self.places.acquire().await.expect("the semaphore is never closed");
        let mut state = self.state.lock();
        if let Some(trouble) = state.standing_refusal() {
            return Err(trouble);
        }
        place.forget();
        state.jobs.push_back(job);
        let is_wanted = state.idle == 0 && state.running < self.options.connections;
        if is_wanted {
            state.running += 1;
        }
        drop(state);
        self.work.notify_one();
        Ok(is_wanted.then(|| Seat { pool: Arc::clone(self), is_taken: true }))
    }

    /// Waits until there may be work. For an open connection that can take some.
    ///
    /// Cancel-safe: a wake-up that a dropped wait had received goes to the next connection.
    pub(crate) async fn work(&self) {
        loop {
            let idle = {
                let mut state = self.state.lock();
                if !state.jobs.is_empty() {
                    return;
                }
                state.idle += 1;
                Idle(self)
            };
            self.work.notified().await;
            drop(idle);
        }
    }

    /// Moves up to `max` jobs into `taken`, oldest first.
    pub(crate) fn take(&self, max: usize, taken: &mut Vec<Job>) {
        let mut state = self.state.lock();
        let count = state.jobs.len().min(max);
        taken.extend(state.jobs.drain(..count));
        let leaves_some = !state.jobs.is_empty();
        drop(state);
        self.places.add_permits(count);
        if leaves_some {
            self.work.notify_one();
        }
    }

    /// Notes a connection whose handshake succeeded. It counts as open until the guard is dropped.
    pub(crate) fn opened(&self, server: Server) -> Open<'_> {
        let mut state = self.state.lock();
        state.open += 1;
        state.failures = 0;
        state.next_dial = None;
        state.trouble = None;
        state.server = Some(server);
        Open(self)
    }

    /// Notes a failed dial and sets the time of the next. When no connection is open, everyone queued is told why.
    pub(crate) fn dial_failed(&self, trouble: &Trouble) {
        let mut state = self.state.lock();
        state.failures = state.failures.saturating_add(1);
        state.next_dial = Some(Instant::now() + self.options.backoff.pause(state.failures));
        state.trouble = Some(trouble.clone());
        let told = if state.open == 0 { std::mem::take(&mut state.jobs) } else { VecDeque::new() };
        drop(state);
        self.places.add_permits(told.len());
        for job in told {
            job.into_answer().tell(Attempt::Undone(trouble.clone()));
        }
    }

    /// When the next dial may be.
    pub(crate) fn next_dial(&self) -> Option<Instant> {
        self.state.lock().next_dial
    }

    /// Why no connection is open, if that is so and known.
    pub(crate) fn trouble(&self) -> Option<Trouble> {
        self.state.lock().trouble.clone()
    }

    /// From the newest handshake; `is_open` asks for it only while a connection is open.
    pub(crate) fn server(&self, is_open: bool) -> Option<Server> {
        let state = self.state.lock();
        if is_open && state.open == 0 { None } else { state.server.clone() }
    }
}

impl State {
    /// A refusal that would be met again, until it is time for the next dial.
    fn standing_refusal(&self) -> Option<Trouble> {
        let is_standing = self.open == 0 && self.next_dial.is_some_and(|at| at > Instant::now());
        self.trouble.as_ref().filter(|trouble| is_standing && trouble.is_final()).cloned()
    }
}

/// The right to run one connection. Dropping it, also when its task is dropped with its runtime, gives it back.
pub(crate) struct Seat {
    pool: Arc<Pool>,
    is_taken: bool,
}

impl Seat {
    pub(crate) fn pool(&self) -> &Pool {
        &self.pool
    }

    /// Gives the seat back unless somebody waits in the queue. One step under the lock: a push either sees the seat free
    /// or is seen here.
    pub(crate) fn stay(mut self) -> Option<Seat> {
        let mut state = self.pool.state.lock();
        let before = state.jobs.len();
        state.jobs.retain(Job::is_wanted);
        let withdrawn = before - state.jobs.len();
        let is_needed = !state.jobs.is_empty();
        if !is_needed {
            state.running -= 1;
        }
        drop(state);
        self.pool.places.add_permits(withdrawn);
        self.is_taken = is_needed;
        is_needed.then_some(self)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if self.is_taken {
            self.pool.state.lock().running -= 1;
        }
    }
}

/// Counts a connection as open.
pub(crate) struct Open<'a>(&'a Pool);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.state.lock().open -= 1;
    }
}

/// Counts a connection as waiting for work.
struct Idle<'a>(&'a Pool);

impl Drop for Idle<'_> {
    fn drop(&mut self) {
        self.0.state.lock().idle -= 1;
    }
}
