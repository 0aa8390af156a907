//! From the bytes of one readable event to replies: the synchronous heart of a connection. What each opcode is answered
//! stands in [`super::answers`].

use std::time::Duration;

use bytes::BytesMut;
use stockade_protocol::claim::{Claim, RequestKey};
use stockade_protocol::coupon;
use stockade_protocol::fault::Fault;
use stockade_protocol::frame::{Opcode, Side, decode};
use stockade_protocol::limits::HEADER_BYTES;
use stockade_protocol::reservation::{Extend, Reserve};
use stockade_protocol::{Frame, FrameError, Header, Status};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::admission::Admission;
use super::advice::advice;
use super::desk::Desk;
use super::options::ServerOptions;
use super::session::Session;
use crate::engine::{Burst, Engine, LOOK_AHEAD_WORTH, Named};
use crate::metrics::CoreMetrics;
use crate::types::Epoch;

/// How far the look-ahead over several small frames runs before the decision.
const AHEAD_BYTES: usize = 2_048;

/// One burst under way.
pub(super) struct BurstWork<'a> {
    pub(super) engine: &'a Engine,
    pub(super) options: &'a ServerOptions,
    pub(super) session: &'a mut Session,
    pub(super) burst: Burst<'a>,
    pub(super) out: &'a mut BytesMut,
    pub(super) admission: Admission,
    /// Since the first byte of the first frame.
    pub(super) age: Duration,
    /// The server leaves: every frame that is in order is refused.
    pub(super) leaving: bool,
    /// Where requests are handed over that no core answers, and the number of the connection.
    pub(super) post: Option<(&'a Desk, u64)>,
    /// Requests that were handed over.
    handed_over: usize,
    /// Answers whose epoch must be filled in: position of the first one's epoch, distance, number.
    stamps: Vec<(usize, usize, usize)>,
    pub(super) metrics: &'a CoreMetrics,
}

/// What a burst did.
pub(super) struct BurstResult {
    /// Bytes of the input that were used.
    pub(super) consumed: usize,
    /// The epoch that its replies wait for.
    pub(super) epoch: Epoch,
    /// Requests that other threads answer.
    pub(super) handed_over: usize,
    /// Items admitted whose answers wait.
    pub(super) claims: usize,
    /// The epoch whose group has no room left for this core, if that is so.
    pub(super) full: Option<Epoch>,
    /// The stream is out of step, or the client was refused: close after the replies.
    pub(super) close: bool,
}

impl<'a> BurstWork<'a> {
    pub(super) fn new(
        engine: &'a Engine,
        options: &'a ServerOptions,
        session: &'a mut Session,
        burst: Burst<'a>,
        out: &'a mut BytesMut,
        (admission, age): (Admission, Duration),
        metrics: &'a CoreMetrics,
    ) -> Self {
        let (leaving, post, handed_over, stamps) = (false, None, 0, Vec::new());
        Self { engine, options, session, burst, out, admission, age, leaving, post, handed_over, stamps, metrics }
    }

    /// Decides all whole frames of `input` and appends their replies.
    pub(super) fn run(mut self, input: &[u8]) -> BurstResult {
        let (mut consumed, mut ahead, mut close) = (0, 0, false);
        while !close && consumed < input.len() {
            ahead = self.look_ahead(input, consumed, ahead);
            match decode(Side::Server, &input[consumed..], self.session.body_bytes_max()) {
                Ok(None) => break,
                Ok(Some((frame, length))) => {
                    close = self.frame(&frame).is_err();
                    consumed += length;
                }
                Err(FrameError { status, correlation, skip }) => {
                    self.fault(status, correlation);
                    // Before the handshake nothing is forgiven.
                    close = skip.is_none() || !self.session.is_greeted();
                    consumed += skip.unwrap_or(0);
                }
            }
            // Only the first frame can have begun before this event.
            self.age = Duration::ZERO;
        }
        let full = (self.burst.room() == 0).then_some(self.burst.epoch());
        let epoch = self.burst.leave();
        for (first, distance, count) in self.stamps {
            for index in 0..count {
                let at = first + index * distance;
                self.out[at..at + size_of::<Epoch>()].copy_from_slice(&epoch.to_le_bytes());
            }
        }
        BurstResult { consumed, epoch, handed_over: self.handed_over, claims: self.admission.admitted, full, close }
    }

    /// Fetches the memory that the claims of the next frames will need, from `ahead` on or from `consumed`. Returns up
    /// to where it looked. What it cannot read, it leaves to the decision.
    fn look_ahead(&mut self, input: &[u8], consumed: usize, ahead: usize) -> usize {
        let mut ahead = ahead.max(consumed);
        while ahead < input.len().min(consumed + AHEAD_BYTES) && self.session.is_greeted() {
            let Ok(Some((frame, length))) = decode(Side::Server, &input[ahead..], self.session.body_bytes_max()) else {
                return input.len();
            };
            ahead += length;
            match frame.opcode {
                Opcode::Claim => self.look_at::<Claim>(&frame),
                Opcode::Reserve => self.look_at::<Reserve>(&frame),
                Opcode::Confirm | Opcode::Cancel | Opcode::Lookup => self.look_at::<RequestKey>(&frame),
                Opcode::Extend => self.look_at::<Extend>(&frame),
                Opcode::CouponChange => self.look_at::<coupon::Change>(&frame),
                _ => {}
            }
        }
        ahead
    }

    fn look_at<T: Named + FromBytes + KnownLayout + Immutable + Unaligned>(&mut self, frame: &Frame<'_>) {
        for item in frame.items::<T>().into_iter().flatten().take(LOOK_AHEAD_WORTH) {
            let mut sight = self.burst.sight(item);
            self.burst.approach(item, &mut sight);
            self.burst.reach(&sight);
        }
    }

    /// Answers one frame. `Err` = close the connection.
    fn frame(&mut self, frame: &Frame<'_>) -> Result<(), ()> {
        if let Err(status) = self.session.may(frame.opcode) {
            self.fault(status, frame.correlation);
            return if self.session.is_greeted() { Ok(()) } else { Err(()) };
        }
        if frame.opcode == Opcode::Hello {
            return match self.session.greet(frame, self.options, self.engine) {
                Ok(_) if self.leaving => {
                    self.fault(Status::Unavailable, frame.correlation);
                    Err(())
                }
                Ok(welcome) => {
                    self.reply(frame, &[welcome]);
                    Ok(())
                }
                Err(status) => {
                    self.fault(status, frame.correlation);
                    Err(())
                }
            };
        }
        if frame.deadline_ms > 0 && self.age >= Duration::from_millis(u64::from(frame.deadline_ms)) {
            self.fault(Status::DeadlinePassed, frame.correlation);
            return Ok(());
        }
        if self.leaving {
            self.fault(Status::Unavailable, frame.correlation);
            return Ok(());
        }
        if let Err(status) = self.answer(frame) {
            self.fault(status, frame.correlation);
        }
        Ok(())
    }

    /// Answers each item with one item whose epoch stands at `epoch_at`.
    pub(super) fn replies<Q, R: IntoBytes + Immutable>(
        &mut self,
        frame: &Frame<'_>,
        items: &[Q],
        epoch_at: usize,
        mut answer: impl FnMut(&mut Self, &Q) -> R,
    ) {
        let count = u32::try_from(items.len()).expect("a frame's count is 32 bits");
        let header = Header::reply(frame.opcode, count, frame.correlation);
        self.out.reserve(HEADER_BYTES + size_of_val(items).max(items.len() * size_of::<R>()));
        self.out.extend_from_slice(header.as_bytes());
        self.stamps.push((self.out.len() + epoch_at, size_of::<R>(), items.len()));
        for item in items {
            let reply = answer(self, item);
            self.out.extend_from_slice(reply.as_bytes());
        }
    }

    pub(super) fn reply<R: IntoBytes + Immutable>(&mut self, frame: &Frame<'_>, items: &[R]) {
        let count = u32::try_from(items.len()).expect("a reply has at most as many items as a frame may");
        self.out.extend_from_slice(Header::reply(frame.opcode, count, frame.correlation).as_bytes());
        self.out.extend_from_slice(items.as_bytes());
    }

    /// Hands a request over to another thread. Its items are well-formed.
    pub(super) fn hand_over(&mut self, frame: &Frame<'_>, items: &[u8]) -> Result<(), Status> {
        let (desk, connection) = self.post.ok_or(Status::Unavailable)?;
        desk.hand_over(frame, items, connection, (self.session.rights(), self.age))?;
        self.handed_over += 1;
        Ok(())
    }

    fn fault(&mut self, status: Status, correlation: u64) {
        self.metrics.refused_frame(status);
        self.out.extend_from_slice(Header::reply(Opcode::Fault, 1, correlation).as_bytes());
        self.out.extend_from_slice(Fault::new(status, advice(status)).as_bytes());
    }
}
