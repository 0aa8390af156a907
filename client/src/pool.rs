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
use crate::server::Server;
use crate::trouble::Trouble;

pub(crate) struct Pool {
    pub(crate) options: Options,
    state: Mutex<State>,
    /// Free places in the queue.
    places: Semaphore,
    /// Each push wakes one connection that waits. A wait is registered under the lock, while the queue is empty, and a
    /// wait dropped after its wake-up passes it on: so no request stays queued while a connection sleeps.
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

    /// Queues a job, after waiting for a place. Returns the seat of a connection that must be started for it, if one
    /// must.
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
            let mut woken = std::pin::pin!(self.work.notified());
            let idle = {
                let mut state = self.state.lock();
                if !state.jobs.is_empty() {
                    return;
                }
                // Registers; true where a wake-up was left over, which the wait below then takes.
                woken.as_mut().enable();
                state.idle += 1;
                Idle(self)
            };
            woken.await;
            drop(idle);
        }
    }

    /// Moves up to `max` jobs into `taken`, oldest first.
    pub(crate) fn take(&self, max: usize, taken: &mut Vec<Job>) {
        let mut state = self.state.lock();
        let count = state.jobs.len().min(max);
        taken.extend(state.jobs.drain(..count));
        drop(state);
        self.places.add_permits(count);
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

    /// Gives the seat back unless somebody waits in the queue. One step under the lock: a push either sees the seat
    /// free or is seen here.
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use stockade_protocol::claim::Claim;

    use super::*;
    use crate::Client;
    use crate::job::Ticket;
    use crate::request::Request;

    fn pool() -> Arc<Pool> {
        Arc::clone(&Client::builder("stock.example:7400").connections(2).build().expect("valid").into_handle().pool)
    }

    fn job() -> (Job, Ticket) {
        let deadline = Instant::now() + Duration::from_mins(1);
        Job::new(Request::Claim(Claim::new(1, 1, 1, 1)), deadline, None)
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_queue_makes_callers_wait_for_a_place() {
        let pool = pool();
        let mut tickets = Vec::new();
        let mut seats = Vec::new();
        for _ in 0..QUEUED_REQUESTS_MAX {
            let (job, ticket) = job();
            seats.extend(pool.push(job).await.expect("not refused"));
            tickets.push(ticket);
        }
        assert_eq!(seats.len(), 2, "as many connections as allowed are wanted");

        let (one_more, _ticket) = job();
        let mut waiting = std::pin::pin!(pool.push(one_more));
        tokio::select! {
            biased;
            _ = &mut waiting => panic!("the queue took more than its bound"),
            () = tokio::task::yield_now() => {}
        }
        let mut taken = Vec::new();
        pool.take(1, &mut taken);
        assert_eq!(taken.len(), 1);
        assert!(waiting.await.expect("not refused").is_none());
    }

    #[tokio::test]
    async fn withdrawn_requests_give_their_places_back_and_need_no_connection() {
        let pool = pool();
        let (first, ticket) = job();
        let seat = pool.push(first).await.expect("not refused").expect("a connection is wanted");
        drop(ticket);
        assert!(seat.stay().is_none());
        assert_eq!(pool.places.available_permits(), QUEUED_REQUESTS_MAX);

        let (second, _ticket) = job();
        assert!(pool.push(second).await.expect("not refused").is_some(), "the seat is free again");
    }

    #[tokio::test]
    async fn each_push_wakes_one_connection_and_a_dropped_wait_passes_its_turn_on() {
        let pool = pool();
        let (mut first, mut second, mut third) = (Box::pin(pool.work()), Box::pin(pool.work()), Box::pin(pool.work()));
        for waiting in [&mut first, &mut second, &mut third] {
            assert!(is_pending(waiting).await);
        }
        assert_eq!(pool.state.lock().idle, 3);

        let (one, _ticket) = job();
        let (two, _ticket) = job();
        assert!(pool.push(one).await.expect("not refused").is_none(), "somebody waits: no connection is wanted");
        assert!(pool.push(two).await.expect("not refused").is_none());
        // The first two were woken. The first is dropped, as when its connection reads at the same moment.
        drop(first);
        assert!(!is_pending(&mut second).await);
        pool.take(1, &mut Vec::new());
        assert!(!is_pending(&mut third).await, "the turn of the first");
        assert_eq!(pool.state.lock().idle, 0);
    }

    async fn is_pending(future: &mut (impl Future<Output = ()> + Unpin)) -> bool {
        tokio::select! {
            biased;
            () = future => false,
            () = std::future::ready(()) => true,
        }
    }
}
