//! The sale: who arrives when, and what they were told.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use indicatif::ProgressBar;
use stockade_client::{ClaimOutcome, ClaimRequest, Client, ClientError, Status, Terms};
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;

use crate::cli::exit::Failure;

/// The batch that is sold.
pub(super) const BATCH: u64 = 1;

/// One buyer in this many clicks twice: the same request, sent by two tasks at once.
const DOUBLE_CLICK_EVERY: u32 = 10;

/// Buyers that wait for an answer at one time.
const WAITING_MAX: usize = 4_096;

/// What a timer may be late by.
const TIMER_GRAIN: Duration = Duration::from_millis(2);

/// Tenths of the stock that are acknowledged when the server is killed.
const KILL_AT_TENTHS: u32 = 4;

/// Longest latency that is told apart: ten minutes.
const LATENCY_US_MAX: u64 = 600_000_000;

/// A buyer's grant: user, serial.
pub(super) type Grant = (u64, u32);

/// What the buyers were told.
#[derive(Clone, Default)]
pub(super) struct Answers {
    /// Buyers who were answered.
    pub(super) answered: u32,
    /// Grants, one a buyer.
    pub(super) grants: Vec<Grant>,
    /// Buyers who were told that everything is gone.
    pub(super) sold_out: u32,
    /// Answers that repeat an earlier decision.
    pub(super) replayed: u32,
    /// Calls that ended without an answer and were resolved by asking again.
    pub(super) unknown: u32,
    /// Answers that must not be: another status, or two answers of one request that differ.
    pub(super) wrong: Vec<String>,
}

/// The whole sale.
pub(super) struct Sold {
    pub(super) answers: Answers,
    pub(super) seconds: f64,
    /// Microseconds from a buyer's planned arrival to the answer.
    pub(super) latency_us: Histogram<u64>,
}

/// A sale under way.
pub(super) struct Sale {
    pub(super) client: Client,
    pub(super) buyers: u32,
    pub(super) stock: u32,
    rate: u32,
    granted: AtomicU32,
    partly_sold: Notify,
    answers: Mutex<Answers>,
}

impl Sale {
    pub(super) fn new(client: Client, buyers: u32, stock: u32, rate: u32) -> Self {
        let (granted, partly_sold, answers) = (AtomicU32::new(0), Notify::new(), Mutex::default());
        Self { client, buyers, stock, rate, granted, partly_sold, answers }
    }

    /// Puts the stock up for sale.
    pub(super) async fn create(&self) -> Result<(), Failure> {
        let terms = Terms { stock: self.stock, per_user: Some(1), name: "flash sale".to_owned(), ..Terms::default() };
        let outcome = self.client.create_batch(BATCH, &terms).await.map_err(|error| Failure::of_server(&error))?;
        if outcome.status == Status::Done {
            Ok(())
        } else {
            Err(Failure::other(format!("the batch could not be created: {}", outcome.status)))
        }
    }

    /// Grants that buyers have been told of.
    pub(super) fn acknowledged(&self) -> u32 {
        self.granted.load(Ordering::Relaxed)
    }

    fn answers(&self) -> MutexGuard<'_, Answers> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the moment of the kill.
    pub(super) async fn until_partly_sold(&self) {
        self.partly_sold.notified().await;
    }

    /// Lets all buyers in, on schedule, and waits until each has an answer.
    pub(super) async fn sell(self: Arc<Self>, bar: ProgressBar) -> Sold {
        let (began, room) = (Instant::now(), Arc::new(Semaphore::new(WAITING_MAX)));
        let (mut buyers, mut latency_us) = (JoinSet::new(), histogram());
        for buyer in 0..self.buyers {
            let arrives = began + Duration::from_secs_f64(f64::from(buyer) / f64::from(self.rate));
            if arrives > Instant::now() {
                tokio::time::sleep_until(arrives.into()).await;
            }
            // Timers are no finer than this: it is not the buyer who waits. Any longer delay is the server's (all seats
            // are taken), and counts from the planned arrival.
            let due = if arrives.elapsed() < TIMER_GRAIN { Instant::now() } else { arrives };
            let seat = Arc::clone(&room).acquire_owned().await.expect("the semaphore is never closed");
            let (sale, bar) = (Arc::clone(&self), bar.clone());
            buyers.spawn(async move {
                sale.buy(u64::from(buyer) + 1, &bar).await;
                drop(seat);
                due.elapsed()
            });
            while let Some(done) = buyers.try_join_next() {
                record(&mut latency_us, done);
            }
        }
        while let Some(done) = buyers.join_next().await {
            record(&mut latency_us, done);
        }
        Sold { answers: self.answers().clone(), seconds: began.elapsed().as_secs_f64(), latency_us }
    }

    async fn buy(&self, user: u64, bar: &ProgressBar) {
        let request = ClaimRequest { batch: BATCH, user, request: user, ..ClaimRequest::default() };
        let double = user.is_multiple_of(u64::from(DOUBLE_CLICK_EVERY));
        let (first, second) =
            tokio::join!(self.claim(request), async { if double { Some(self.claim(request).await) } else { None } });
        let mut answers = self.answers();
        answers.answered += 1;
        if let Some(second) = second
            && (second.status, &second.serials) != (first.status, &first.serials)
            // Before the sell-out both are granted; a refusal is decided anew each time.
            && (second.status == Status::Granted || first.status == Status::Granted)
        {
            answers.wrong.push(format!("buyer {user} was told {} and {}", first.status, second.status));
        }
        answers.replayed += u32::from(first.replayed);
        match (first.status, first.serials.as_slice()) {
            (Status::Granted, [serial]) => {
                answers.grants.push((user, *serial));
                if self.granted.fetch_add(1, Ordering::Relaxed) + 1 == self.stock * KILL_AT_TENTHS / 10 {
                    self.partly_sold.notify_one();
                }
            }
            (Status::SoldOut, _) => answers.sold_out += 1,
            (status, serials) => answers.wrong.push(format!("buyer {user} was told {status} with {serials:?}")),
        }
        bar.set_message(format!("{} granted", answers.grants.len()));
        bar.inc(1);
    }

    /// Claims until there is an answer: an unknown outcome is asked for again with the same request id.
    async fn claim(&self, request: ClaimRequest) -> ClaimOutcome {
        loop {
            match self.client.claim(request).await {
                Ok(outcome) => return outcome,
                Err(
                    ClientError::UnknownOutcome { .. }
                    | ClientError::Unavailable { .. }
                    | ClientError::Refused { .. }
                    | ClientError::Protocol { .. }
                    | ClientError::InvalidInput { .. },
                ) => {
                    self.answers().unknown += 1;
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }
}

fn histogram() -> Histogram<u64> {
    Histogram::new_with_max(LATENCY_US_MAX, 3).expect("three digits are allowed")
}

fn record(latency_us: &mut Histogram<u64>, done: Result<Duration, tokio::task::JoinError>) {
    let waited = done.expect("a buyer's task neither panics nor is cancelled");
    latency_us.saturating_record(u64::try_from(waited.as_micros()).unwrap_or(u64::MAX));
}
