//! From the bytes of one readable event to replies: the synchronous heart of a connection.

use std::time::Duration;

use bytes::BytesMut;
use stockade_protocol::batch::{AddStock, BatchId, BatchInfo, Change, Create, List};
use stockade_protocol::claim::{Claim, ClaimReply, RequestKey, SerialRun};
use stockade_protocol::fault::Fault;
use stockade_protocol::frame::{Opcode, Side, decode};
use stockade_protocol::limits::HEADER_BYTES;
use stockade_protocol::ping::Ping;
use stockade_protocol::{Frame, FrameError, Header, Status};
use zerocopy::little_endian::{U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::options::ServerOptions;
use super::session::Session;
use crate::engine::{Burst, Engine, LookAhead, Sight};
use crate::metrics::CoreMetrics;
use crate::types::Epoch;

/// Status numbers are below this.
const STATUS_SLOTS: usize = 64;

/// How far the look-ahead over several small frames runs before the decision.
const AHEAD_BYTES: usize = 2_048;

/// One burst under way.
pub(super) struct BurstWork<'a> {
    pub(super) engine: &'a Engine,
    pub(super) options: &'a ServerOptions,
    pub(super) session: &'a mut Session,
    pub(super) burst: Burst<'a>,
    pub(super) out: &'a mut BytesMut,
    /// Claims that may still be admitted.
    pub(super) admit: usize,
    /// Since the first byte of the first frame.
    pub(super) age: Duration,
    /// The server leaves: every frame that is in order is refused.
    pub(super) leaving: bool,
    /// Answers whose epoch must be filled in: position of the first one's epoch, distance, number.
    stamps: Vec<(usize, usize, usize)>,
    counts: [u32; STATUS_SLOTS],
    refused_frames: Vec<Status>,
    claims: usize,
}

/// What a burst did.
pub(super) struct BurstResult {
    /// Bytes of the input that were used.
    pub(super) consumed: usize,
    /// The epoch that its replies wait for.
    pub(super) epoch: Epoch,
    /// Claims admitted.
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
        admit: usize,
        age: Duration,
    ) -> Self {
        let (counts, leaving) = ([0; STATUS_SLOTS], false);
        let (stamps, refused_frames) = (Vec::new(), Vec::new());
        Self { engine, options, session, burst, out, admit, age, leaving, stamps, counts, refused_frames, claims: 0 }
    }

    /// Decides all whole frames of `input` and appends their replies.
    pub(super) fn run(mut self, input: &[u8], metrics: &CoreMetrics) -> BurstResult {
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
        count_claims(metrics, &self.counts);
        self.refused_frames.iter().for_each(|status| metrics.refused_frame(*status));
        BurstResult { consumed, epoch, claims: self.claims, full, close }
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
            if frame.opcode == Opcode::Claim
                && let Ok(claims) = frame.items::<Claim>()
            {
                for claim in claims.iter().take(LookAhead::WORTH) {
                    let mut sight = self.burst.sight(claim);
                    self.burst.approach(claim, &mut sight);
                    self.burst.reach(&sight);
                }
            }
        }
        ahead
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

    /// Answers a frame other than the handshake. `Err` = refuse it as a whole; then nothing of it was done.
    fn answer(&mut self, frame: &Frame<'_>) -> Result<(), Status> {
        match frame.opcode {
            Opcode::Claim => self.claims(frame)?,
            Opcode::Lookup => {
                let items = frame.items::<RequestKey>()?;
                self.replies(frame, items, EPOCH_OF_CLAIM_REPLY, |work, key| work.burst.lookup(key));
            }
            Opcode::Serials => {
                let runs = self.burst.serials(frame.item::<RequestKey>()?)?;
                let runs = runs.iter().map(|run| SerialRun { first: U32::new(run.first), count: U32::new(run.count) });
                self.reply(frame, &runs.collect::<Vec<_>>());
            }
            Opcode::BatchCreate => {
                let items = well_formed(frame, Create::is_well_formed)?;
                self.admit_inflow()?;
                self.replies(frame, items, EPOCH_OF_BATCH_INFO, |work, create| work.burst.create(create));
            }
            Opcode::BatchShow => {
                let items = frame.items::<BatchId>()?;
                self.replies(frame, items, EPOCH_OF_BATCH_INFO, |work, id| work.burst.show(id.batch.get()));
            }
            Opcode::BatchList => {
                let list = well_formed(frame, List::is_well_formed)?.first().ok_or(Status::Malformed)?;
                let page = self.burst.list(list);
                self.replies(frame, &page, EPOCH_OF_BATCH_INFO, |_, info| *info);
            }
            Opcode::BatchChange => {
                let items = well_formed(frame, |change: &Change| change.action().is_some())?;
                self.replies(frame, items, EPOCH_OF_BATCH_INFO, |work, change| match change.action() {
                    Some(action) => work.burst.change(change.batch.get(), action),
                    None => BatchInfo::refused(Status::Malformed, change.batch.get()),
                });
            }
            Opcode::BatchAddStock => {
                let items = well_formed(frame, AddStock::is_well_formed)?;
                self.admit_inflow()?;
                self.replies(frame, items, EPOCH_OF_BATCH_INFO, |work, add| work.burst.add_stock(add));
            }
            Opcode::Ping => {
                let ping = *frame.item::<Ping>()?;
                self.reply(frame, &[ping]);
            }
            Opcode::Hello | Opcode::Fault => return Err(Status::OpcodeUnknown),
        }
        Ok(())
    }

    fn claims(&mut self, frame: &Frame<'_>) -> Result<(), Status> {
        let items = well_formed(frame, Claim::is_well_formed)?;
        self.claims += items.len();
        // Small frames were looked at together.
        let mut ahead = (items.len() >= LookAhead::WORTH).then(|| LookAhead::new(items));
        self.replies(frame, items, EPOCH_OF_CLAIM_REPLY, |work, claim| {
            let sight = ahead.as_mut().map_or_else(Sight::default, |ahead| ahead.next(&mut work.burst));
            let reply = if work.admit == 0 {
                // Not taken in: it takes no place of others while its answer waits.
                work.claims -= 1;
                ClaimReply::refused(Status::Overloaded)
            } else {
                work.admit -= 1;
                work.burst.claim_sighted(claim, &sight)
            };
            let slot = if reply.is_replayed() { 0 } else { reply.status().map_or(0, |status| status as usize) };
            work.counts[slot] += 1;
            reply
        });
        Ok(())
    }

    /// Whether the disk has room for an operation that is stored.
    fn admit_inflow(&self) -> Result<(), Status> {
        if self.engine.is_out_of_space() { Err(Status::NoSpace) } else { Ok(()) }
    }

    /// Answers each item with one item whose epoch stands at `epoch_at`.
    fn replies<Q, R: IntoBytes + Immutable>(
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

    fn reply<R: IntoBytes + Immutable>(&mut self, frame: &Frame<'_>, items: &[R]) {
        let count = u32::try_from(items.len()).expect("a reply has at most as many items as a frame may");
        self.out.extend_from_slice(Header::reply(frame.opcode, count, frame.correlation).as_bytes());
        self.out.extend_from_slice(items.as_bytes());
    }

    fn fault(&mut self, status: Status, correlation: u64) {
        self.refused_frames.push(status);
        self.out.extend_from_slice(Header::reply(Opcode::Fault, 1, correlation).as_bytes());
        self.out.extend_from_slice(Fault::new(status, advice(status)).as_bytes());
    }
}

const EPOCH_OF_CLAIM_REPLY: usize = std::mem::offset_of!(ClaimReply, epoch);
const EPOCH_OF_BATCH_INFO: usize = std::mem::offset_of!(BatchInfo, epoch);
const _: () = assert!(size_of::<U64>() == size_of::<Epoch>());

/// The items of a frame, if no reserved bit is set in any of them.
fn well_formed<'a, T: FromBytes + KnownLayout + Immutable + Unaligned>(
    frame: &Frame<'a>,
    is_well_formed: impl Fn(&T) -> bool,
) -> Result<&'a [T], Status> {
    let items = frame.items::<T>()?;
    if items.iter().all(is_well_formed) { Ok(items) } else { Err(Status::Malformed) }
}

fn count_claims(metrics: &CoreMetrics, counts: &[u32; STATUS_SLOTS]) {
    if counts[0] > 0 {
        metrics.replays(u64::from(counts[0]));
    }
    for status in Status::ALL {
        let count = counts[*status as usize];
        if count > 0 {
            metrics.claims(*status, u64::from(count));
        }
    }
}

/// What to do about a frame that was refused as a whole.
fn advice(status: Status) -> &'static str {
    match status {
        Status::Malformed => "the frame breaks a rule of its layout: see docs/protocol.md",
        Status::VersionUnsupported => "this server speaks version 1: use a client for it",
        Status::OpcodeUnknown => "the server does not know this opcode: is the client newer?",
        Status::FrameTooLarge => "the frame is longer, or has more items, than the limits allow: split it",
        Status::HandshakeRequired => "the first frame, and only the first, must be HELLO",
        Status::TokenInvalid => "the token is missing or wrong: check the client's configuration",
        Status::Forbidden => "this token may not do that: use an operator token",
        Status::DeadlinePassed => "the frame came too late; nothing was done",
        Status::Overloaded => "a bound was reached; nothing was done: try again later",
        Status::NoSpace => "the server's disk is nearly full; nothing was done",
        Status::Unavailable => "the server is leaving; nothing was done",
        Status::BatchUnknown => "no batch has this id",
        Status::RequestUnknown => "nothing is recorded for this batch, user and request",
        Status::Closed => "the batch is closed; its claims are no longer in memory",
        Status::Granted
        | Status::Done
        | Status::BatchConflict
        | Status::StateConflict
        | Status::TermsInvalid
        | Status::QuantityInvalid
        | Status::StockOverflow
        | Status::RequestConflict
        | Status::BatchDraft
        | Status::NotStarted
        | Status::Paused
        | Status::Ended
        | Status::LimitReached
        | Status::SoldOut => "",
    }
}
