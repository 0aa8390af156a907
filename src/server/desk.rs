//! A core's desk: where requests are handed over that no core answers itself.

use std::time::{Duration, Instant};

use crossbeam_channel::{Sender, TrySendError};
use stockade_protocol::frame::Opcode;
use stockade_protocol::{Frame, Status};

use super::feeder::Asks;
use super::reader::{Back, Job};
use crate::engine::Rights;

/// See the module. Dropping it lets the threads behind it end.
pub(super) struct Desk {
    core: usize,
    jobs: Option<Sender<Job>>,
    asks: Option<Asks>,
}

impl Desk {
    pub(super) fn new(core: usize, jobs: Option<Sender<Job>>, asks: Option<Asks>) -> Self {
        Self { core, jobs, asks }
    }

    /// Hands over a request of a connection, whose items were checked, and whose first byte is `age` old.
    ///
    /// # Errors
    /// The status to refuse it with.
    pub(super) fn hand_over(
        &self,
        frame: &Frame<'_>,
        items: &[u8],
        connection: u64,
        (rights, age): (Rights, Duration),
    ) -> Result<(), Status> {
        let back = Back { core: self.core, connection };
        let (opcode, correlation, items) = (frame.opcode, frame.correlation, items.into());
        let left = Duration::from_millis(frame.deadline_ms.into()).saturating_sub(age);
        let due = (frame.deadline_ms > 0).then(|| Instant::now() + left);
        let job = Job { opcode, correlation, items, rights, due, back };
        let is_of_feed =
            matches!(opcode, Opcode::FeedSubscribe | Opcode::FeedAcknowledge | Opcode::FeedList | Opcode::FeedForget);
        if is_of_feed {
            self.asks.as_ref().ok_or(Status::Unavailable)?.frames.try_send(job).map_err(refusal)
        } else {
            self.jobs.as_ref().ok_or(Status::Unavailable)?.try_send(job).map_err(refusal)
        }
    }

    /// Tells that a connection has ended.
    pub(super) fn gone(&self, connection: u64) {
        let back = Back { core: self.core, connection };
        let _the_feeder_ended = self.asks.as_ref().map(|asks| asks.gone.send(back));
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is what map_err hands over")]
fn refusal<T>(error: TrySendError<T>) -> Status {
    match error {
        TrySendError::Full(_) => Status::Overloaded,
        TrySendError::Disconnected(_) => Status::Unavailable,
    }
}
