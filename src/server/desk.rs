//! A core's desk: where requests are handed over that no core answers itself.

use crossbeam_channel::{Sender, TrySendError};
use stockade_protocol::frame::Opcode;
use stockade_protocol::{Frame, Status};

use super::feeder::Ask;
use super::reader::{Back, Job};
use crate::engine::Rights;

/// See the module. Dropping it lets the threads behind it end.
pub(super) struct Desk {
    core: usize,
    jobs: Option<Sender<Job>>,
    asks: Option<Sender<Ask>>,
}

impl Desk {
    pub(super) fn new(core: usize, jobs: Option<Sender<Job>>, asks: Option<Sender<Ask>>) -> Self {
        Self { core, jobs, asks }
    }

    /// Hands over a request of a connection, whose items were checked.
    ///
    /// # Errors
    /// The status to refuse it with.
    pub(super) fn hand_over(
        &self,
        frame: &Frame<'_>,
        items: &[u8],
        connection: u64,
        rights: Rights,
    ) -> Result<(), Status> {
        let back = Back { core: self.core, connection };
        let (opcode, correlation, items) = (frame.opcode, frame.correlation, items.into());
        let job = Job { opcode, correlation, items, rights, back };
        let is_of_feed =
            matches!(opcode, Opcode::FeedSubscribe | Opcode::FeedAcknowledge | Opcode::FeedList | Opcode::FeedForget);
        if is_of_feed {
            self.asks.as_ref().ok_or(Status::Unavailable)?.try_send(Ask::Frame(job)).map_err(refusal)
        } else {
            self.jobs.as_ref().ok_or(Status::Unavailable)?.try_send(job).map_err(refusal)
        }
    }

    /// Tells that a connection has ended.
    pub(super) fn gone(&self, connection: u64) {
        let back = Back { core: self.core, connection };
        // It must not be lost: the subscription would hold the journal for ever.
        let _the_feeder_ended = self.asks.as_ref().map(|asks| asks.send(Ask::Gone(back)));
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is what map_err hands over")]
fn refusal<T>(error: TrySendError<T>) -> Status {
    match error {
        TrySendError::Full(_) => Status::Overloaded,
        TrySendError::Disconnected(_) => Status::Unavailable,
    }
}
