//! One call: attempts until one settles it, or its deadline passes, or its tries are used up.
//!
//! The call keeps the one thing that must not be lost on the way: whether any copy of its request may have been done.

use std::sync::Arc;
use std::time::Duration;

use stockade_protocol::{Retry, Status};
use tokio::time::{Instant, sleep, timeout_at};

use crate::contradiction::Unclear;
use crate::error::ClientError;
use crate::handle::Handle;
use crate::job::{Attempt, Job, Stage};
use crate::reply::Reply;
use crate::request::Request;
use crate::trouble::Trouble;

/// A request and the state of its attempts.
pub(crate) struct Call<'a> {
    handle: &'a Handle,
    request: Request,
    allowed: Duration,
    deadline: Instant,
    /// Whether a copy was sent and never answered.
    is_doubtful: bool,
    /// The store that may have done that copy.
    store: Option<u64>,
    /// The attempt under way.
    stage: Option<Arc<Stage>>,
    /// How the last attempt failed.
    trouble: Option<Trouble>,
}

/// What follows from an attempt.
enum Verdict {
    Settled(Reply),
    TryAgain(Trouble),
    GiveUp(Trouble),
}

impl<'a> Call<'a> {
    /// A call that has `allowed` from `start` on.
    pub(crate) fn new(handle: &'a Handle, request: Request, start: Instant, allowed: Duration) -> Self {
        Self {
            handle,
            request,
            allowed,
            deadline: start + allowed,
            is_doubtful: false,
            store: None,
            stage: None,
            trouble: None,
        }
    }

    /// Runs it to its end.
    ///
    /// # Errors
    /// As [`ClientError`] says; never `InvalidInput`.
    pub(crate) async fn run(mut self) -> Result<Reply, ClientError> {
        match timeout_at(self.deadline, self.attempts()).await {
            Ok(result) => result,
            Err(_) => Err(self.expired()),
        }
    }

    async fn attempts(&mut self) -> Result<Reply, ClientError> {
        let options = &self.handle.pool.options;
        let mut tries = 0;
        loop {
            let attempt = self.attempt().await;
            tries += 1;
            match self.judge(attempt) {
                Verdict::Settled(reply) => return Ok(reply),
                Verdict::GiveUp(trouble) => return Err(self.failure(&trouble)),
                Verdict::TryAgain(trouble) if tries >= options.attempts => return Err(self.failure(&trouble)),
                Verdict::TryAgain(trouble) => self.trouble = Some(trouble),
            }
            // At most half of what is left: the last pause before the deadline must leave time for a try.
            let left = self.deadline.saturating_duration_since(Instant::now());
            sleep(options.backoff.pause(tries).min(left / 2)).await;
        }
    }

    async fn attempt(&mut self) -> Attempt {
        let (job, ticket) = Job::new(self.request.clone(), self.deadline, self.store);
        self.stage = Some(ticket.stage());
        let attempt = match self.handle.submit(job).await {
            Ok(()) => ticket.answer().await,
            Err(trouble) => Attempt::Undone(trouble),
        };
        self.stage = None;
        attempt
    }

    fn judge(&mut self, attempt: Attempt) -> Verdict {
        match attempt {
            Attempt::Answered(reply) => self.judge_reply(reply),
            Attempt::Undone(trouble) if trouble.is_final() => Verdict::GiveUp(trouble),
            Attempt::Undone(trouble) => Verdict::TryAgain(trouble),
            Attempt::Doubtful { trouble, store } => {
                // What only reads has no doubt about its effect.
                if self.request.operation().is_some() {
                    self.is_doubtful = true;
                    self.store = self.store.or(store);
                }
                Verdict::TryAgain(trouble)
            }
            Attempt::OtherStore => Verdict::GiveUp(Trouble::network(
                "the request was sent, its connection was lost, and the server came back with other data",
            )),
        }
    }

    fn judge_reply(&mut self, reply: Reply) -> Verdict {
        let status = match self.request.status_of(&reply) {
            Ok(Some(status)) => status,
            Ok(None) => return Verdict::Settled(reply),
            Err(Unclear::Status(status)) => return Verdict::GiveUp(Trouble::refused_unknown(status, "")),
            Err(Unclear::Contradiction(reason)) => {
                self.is_doubtful = true;
                return Verdict::GiveUp(Trouble::protocol(reason));
            }
        };
        match status.retry() {
            Retry::Later => Verdict::TryAgain(Trouble::refused(status, "")),
            Retry::Never | Retry::WhenBatchChanges | Retry::WhenCouponChanges if is_refusal_of_the_client(status) => {
                Verdict::GiveUp(Trouble::refused(status, ""))
            }
            Retry::Never | Retry::WhenBatchChanges | Retry::WhenCouponChanges => match self.request.operation() {
                Some(operation) if self.is_doubtful && !operation.is_settled_by(status) => {
                    Verdict::GiveUp(Trouble::refused(status, "an earlier copy was sent and not answered"))
                }
                Some(_) | None => Verdict::Settled(reply),
            },
        }
    }

    /// The error after `trouble`.
    fn failure(&self, trouble: &Trouble) -> ClientError {
        self.error(trouble, trouble.reason())
    }

    /// The error when time is up. The attempt under way was withdrawn: whether it had left decides.
    fn expired(&mut self) -> ClientError {
        let under_way = self.stage.take();
        let is_sent = under_way.as_ref().is_some_and(|stage| stage.is_sent());
        self.is_doubtful |= is_sent && self.request.operation().is_some();
        let what = match (&under_way, is_sent) {
            (Some(_), true) => "no answer",
            (Some(_), false) => "no connection took it",
            (None, _) => "no try succeeded",
        };
        let late = format!("{what} within {:?}", self.allowed);
        match self.trouble.take().or_else(|| self.handle.pool.trouble()) {
            Some(trouble) => self.error(&trouble, format!("{late}; before: {}", trouble.reason())),
            None => self.error(&Trouble::network(""), late),
        }
    }

    fn error(&self, trouble: &Trouble, reason: String) -> ClientError {
        if let (true, Some(operation)) = (self.is_doubtful, self.request.operation()) {
            return ClientError::UnknownOutcome { operation, deadline: self.allowed, reason };
        }
        trouble.error(&self.handle.pool.options.server, reason)
    }
}

/// Whether a status refuses the client or its frame rather than deciding the request.
fn is_refusal_of_the_client(status: Status) -> bool {
    match status {
        Status::Malformed
        | Status::VersionUnsupported
        | Status::OpcodeUnknown
        | Status::FrameTooLarge
        | Status::HandshakeRequired
        | Status::TokenInvalid
        | Status::Forbidden => true,
        Status::Granted
        | Status::Done
        | Status::Reserved
        | Status::DeadlinePassed
        | Status::Overloaded
        | Status::NoSpace
        | Status::Unavailable
        | Status::BatchUnknown
        | Status::BatchConflict
        | Status::StateConflict
        | Status::TermsInvalid
        | Status::QuantityInvalid
        | Status::StockOverflow
        | Status::TtlInvalid
        | Status::ZoneInvalid
        | Status::CursorInvalid
        | Status::CursorTooOld
        | Status::RequestConflict
        | Status::RequestUnknown
        | Status::ReservationConfirmed
        | Status::ReservationCancelled
        | Status::ReservationExpired
        | Status::ReservationExtended
        | Status::HistoryFull
        | Status::BatchDraft
        | Status::NotStarted
        | Status::Paused
        | Status::Ended
        | Status::Closed
        | Status::AudienceRefused
        | Status::QuantityAboveLimit
        | Status::HoldsUserLimit
        | Status::HoldsBatchLimit
        | Status::DayLimitReached
        | Status::LimitReached
        | Status::SoldOut
        | Status::DaySoldOut
        | Status::SerialUnknown
        | Status::NotYours
        | Status::OrderEnded
        | Status::OrderConflict
        | Status::CouponStateConflict
        | Status::CouponExpired => false,
    }
}
