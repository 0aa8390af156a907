//! What one connection has sent and not seen answered: correlation id → waiting callers.

use std::collections::HashMap;

use stockade_protocol::Opcode;
use stockade_protocol::fault::Fault;
use stockade_protocol::frame::Frame;
use zerocopy::IntoBytes;

use crate::job::{Answer, Attempt};
use crate::reply;
use crate::trouble::Trouble;

/// A frame in flight.
struct Flight {
    opcode: Opcode,
    /// One for each item, in order.
    answers: Vec<Answer>,
    /// Position behind its last byte in all that the connection sends.
    end: u64,
}

/// The frames in flight of one connection.
#[derive(Default)]
pub(crate) struct Pending {
    flights: HashMap<u64, Flight>,
    requests: usize,
    last_correlation: u64,
}

impl Pending {
    /// Requests that wait for their answers.
    pub(crate) fn requests(&self) -> usize {
        self.requests
    }

    /// Notes a frame whose last byte will be the connection's `end`-th. Returns its correlation id.
    pub(crate) fn enrol(&mut self, opcode: Opcode, answers: Vec<Answer>, end: u64) -> u64 {
        self.last_correlation += 1;
        self.requests += answers.len();
        self.flights.insert(self.last_correlation, Flight { opcode, answers, end });
        self.last_correlation
    }

    /// Hands a frame's answers to those who wait for them.
    ///
    /// # Errors
    /// When it answers nothing that was asked. The connection must close: who knows what its other frames answer.
    pub(crate) fn settle(&mut self, frame: &Frame<'_>) -> Result<(), Trouble> {
        if frame.opcode == Opcode::Fault {
            return self.refuse(frame);
        }
        let Some(flight) = self.flights.get(&frame.correlation) else {
            return Err(Trouble::protocol("a reply answers no frame that is in flight"));
        };
        if flight.opcode != frame.opcode {
            return Err(Trouble::protocol("a reply is of another kind than its request"));
        }
        // Before the flight is taken out: when this fails, its callers must still be told.
        let replies = reply::replies(frame, flight.answers.len()).map_err(Trouble::protocol)?;
        for (answer, reply) in self.land(frame.correlation).into_iter().zip(replies) {
            answer.tell(Attempt::Answered(reply));
        }
        Ok(())
    }

    /// A frame was refused as a whole: none of its items had any effect.
    fn refuse(&mut self, frame: &Frame<'_>) -> Result<(), Trouble> {
        let trouble = fault_of(frame)?;
        if !self.flights.contains_key(&frame.correlation) {
            // A farewell: about the connection, not about one frame.
            return Err(trouble);
        }
        for answer in self.land(frame.correlation) {
            answer.tell(Attempt::Undone(trouble.clone()));
        }
        Ok(())
    }

    fn land(&mut self, correlation: u64) -> Vec<Answer> {
        let answers = self.flights.remove(&correlation).map(|flight| flight.answers).unwrap_or_default();
        self.requests -= answers.len();
        answers
    }

    /// Tells everyone that the connection is lost. A frame of which `written` bytes of the stream do not hold all was
    /// surely not done; any other may have been, by `store`.
    pub(crate) fn cut(self, trouble: &Trouble, written: u64, store: u64) {
        for flight in self.flights.into_values() {
            let was_written = flight.end <= written;
            for answer in flight.answers {
                let trouble = trouble.clone();
                answer.tell(if was_written {
                    Attempt::Doubtful { trouble, store: Some(store) }
                } else {
                    Attempt::Undone(trouble)
                });
            }
        }
    }
}

/// What a fault frame says.
///
/// # Errors
/// When its body is not a fault.
pub(crate) fn fault_of(frame: &Frame<'_>) -> Result<Trouble, Trouble> {
    let fault = frame.item::<Fault>().map_err(|_| Trouble::protocol("a fault has the wrong size"))?;
    Ok(match fault.status() {
        Some(status) => Trouble::refused(status, fault.text()),
        None => Trouble::refused_unknown(fault.as_bytes()[0], fault.text()),
    })
}
