//! Frames: a header of 32 bytes, then `count` items of one size.
//!
//! ```text
//! offset  0  magic        4 bytes  "STKD"
//!         4  version      u8       1
//!         5  opcode       u8       a reply has the request's opcode with bit 7 set
//!         6  flags        u16      zero
//!         8  body_bytes   u32      count × item size
//!        12  count        u32
//!        16  correlation  u64      chosen by the client, returned as it is
//!        24  deadline_ms  u32      0 = none; counted from the arrival of the frame
//!        28  reserved     u32      zero
//! ```
//!
//! A broken frame is either *in step* (its end is known, so an error frame answers it and the connection goes on) or
//! not (the connection must close).

use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::limits::{
    BATCHES_PER_FRAME_MAX, CLAIMS_PER_FRAME_MAX, EVENTS_PER_FRAME_MAX, HEADER_BYTES, REPLY_BODY_BYTES_MAX,
    REQUEST_BODY_BYTES_MAX, SERIAL_RUNS_MAX, VERSION,
};
use crate::status::Status;
use crate::{batch, claim, coupon, fault, feed, hello, ping, reservation, wallet};

/// The first four bytes of every frame.
pub const MAGIC: [u8; 4] = *b"STKD";

/// Bit 7 of the opcode marks a reply.
pub const REPLY_BIT: u8 = 0x80;

/// One table for the number, the items and the counts of each opcode, so that they cannot disagree.
macro_rules! opcodes {
    ($(
        $(#[$doc:meta])* $variant:ident = $number:literal: $request:ty, $request_counts:expr =>
            $reply:ty, $reply_counts:expr;
    )*) => {
        /// What a frame asks for.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Opcode { $($(#[$doc])* $variant = $number,)* }

        impl Opcode {
            /// Every opcode.
            pub const ALL: &'static [Opcode] = &[$(Opcode::$variant,)*];

            /// The opcode with this number (bit 7 clear), if there is one.
            #[must_use]
            pub const fn from_number(number: u8) -> Option<Opcode> {
                match number { $($number => Some(Opcode::$variant),)* _ => None }
            }

            /// The shape of the request: bytes of one item, and the fewest and most items of one frame.
            #[must_use]
            pub const fn request_shape(self) -> Shape {
                match self { $(Opcode::$variant => Shape::new(size_of::<$request>(), $request_counts),)* }
            }

            /// The shape of the reply.
            #[must_use]
            pub const fn reply_shape(self) -> Shape {
                match self { $(Opcode::$variant => Shape::new(size_of::<$reply>(), $reply_counts),)* }
            }
        }
    };
}

/// Fewest and most items of a frame.
type Counts = (u32, u32);

const ONE: Counts = (1, 1);
const CLAIMS: Counts = (1, CLAIMS_PER_FRAME_MAX);
const BATCHES: Counts = (1, BATCHES_PER_FRAME_MAX);
const PAGE: Counts = (0, BATCHES_PER_FRAME_MAX);

opcodes! {
    /// First frame of a connection: who the client is.
    Hello = 0x01: hello::Hello, ONE => hello::Welcome, ONE;
    /// Is anybody there.
    Ping = 0x02: ping::Ping, ONE => ping::Ping, ONE;
    /// The names of the clients that events name by number.
    ClientList = 0x03: hello::Page, ONE => hello::ClientInfo, PAGE;
    /// Take units of batches for users.
    Claim = 0x10: claim::Claim, CLAIMS => claim::ClaimReply, CLAIMS;
    /// What became of earlier claims and reservations.
    Lookup = 0x11: claim::RequestKey, CLAIMS => claim::ClaimReply, CLAIMS;
    /// All serials of one claim, as runs.
    Serials = 0x12: claim::RequestKey, ONE => claim::SerialRun, (1, SERIAL_RUNS_MAX);
    /// Take units of batches for users, for a while.
    Reserve = 0x13: reservation::Reserve, CLAIMS => claim::ClaimReply, CLAIMS;
    /// Make reservations grants.
    Confirm = 0x14: claim::RequestKey, CLAIMS => claim::ClaimReply, CLAIMS;
    /// Give reserved units back.
    Cancel = 0x15: claim::RequestKey, CLAIMS => claim::ClaimReply, CLAIMS;
    /// Let reservations live longer.
    Extend = 0x16: reservation::Extend, CLAIMS => claim::ClaimReply, CLAIMS;
    /// Create batches.
    BatchCreate = 0x20: batch::Create, BATCHES => batch::BatchInfo, BATCHES;
    /// Show batches by id.
    BatchShow = 0x21: batch::BatchId, BATCHES => batch::BatchInfo, BATCHES;
    /// Show a page of batches, in order of id.
    BatchList = 0x22: batch::List, ONE => batch::BatchInfo, PAGE;
    /// Activate, pause, resume, end, close or purge batches.
    BatchChange = 0x23: batch::Change, BATCHES => batch::BatchInfo, BATCHES;
    /// Add stock to batches.
    BatchAddStock = 0x24: batch::AddStock, BATCHES => batch::BatchInfo, BATCHES;
    /// Change the terms of batches.
    BatchEdit = 0x25: batch::Edit, BATCHES => batch::BatchInfo, BATCHES;
    /// Withdraw stock that nobody has.
    BatchWithdraw = 0x26: batch::Withdraw, BATCHES => batch::BatchInfo, BATCHES;
    /// What became of a batch's units, by day.
    BatchStats = 0x27: batch::StatsQuery, ONE => batch::Stats, BATCHES;
    /// How often claims of a batch were refused, and why.
    BatchRefusals = 0x28: batch::BatchId, ONE => batch::RefusalCount, (0, u8::MAX as u32);
    /// Count a batch anew.
    BatchReconcile = 0x29: batch::BatchId, ONE => batch::Stats, ONE;
    /// Lock, unlock, redeem, restore, return or void coupons.
    CouponChange = 0x30: coupon::Change, CLAIMS => coupon::Changed, CLAIMS;
    /// Show units by batch and serial.
    CouponShow = 0x31: coupon::CouponKey, BATCHES => coupon::CouponInfo, BATCHES;
    /// Show a page of a batch's units.
    CouponList = 0x32: coupon::List, ONE => coupon::CouponInfo, PAGE;
    /// All that happened to one unit.
    CouponLog = 0x33: coupon::CouponKey, ONE => feed::Event, PAGE;
    /// A page of a user's coupons.
    Wallet = 0x34: wallet::WalletQuery, ONE => wallet::WalletItem, PAGE;
    /// Begin to be sent every effect.
    FeedSubscribe = 0x40: feed::Subscribe, ONE => feed::Event, (0, EVENTS_PER_FRAME_MAX);
    /// Acknowledge events.
    FeedAcknowledge = 0x41: feed::Acknowledge, ONE => feed::Acknowledged, ONE;
    /// The consumers whose cursors are stored.
    FeedList = 0x42: hello::Page, ONE => feed::ConsumerInfo, PAGE;
    /// Forget a consumer.
    FeedForget = 0x43: feed::Forget, ONE => feed::Acknowledged, ONE;
    /// Only as a reply, with bit 7: the frame was refused as a whole.
    Fault = 0x7f: fault::Fault, (1, 0) => fault::Fault, ONE;
}

/// Size and number of a frame's items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Bytes of one item.
    pub item_bytes: u32,
    /// Fewest items.
    pub count_min: u32,
    /// Most items.
    pub count_max: u32,
}

impl Shape {
    #[expect(clippy::cast_possible_truncation, reason = "sizes of our own items, at most 256 bytes")]
    const fn new(item_bytes: usize, (count_min, count_max): Counts) -> Self {
        Self { item_bytes: item_bytes as u32, count_min, count_max }
    }
}

/// The first 32 bytes of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct Header {
    magic: [u8; 4],
    version: u8,
    opcode: u8,
    flags: U16,
    body_bytes: U32,
    count: U32,
    correlation: U64,
    deadline_ms: U32,
    reserved: U32,
}

const _: () = assert!(size_of::<Header>() == HEADER_BYTES);

impl Header {
    /// Header of a request of `count` items. `deadline_ms` of 0 means none.
    #[must_use]
    pub fn request(opcode: Opcode, count: u32, correlation: u64, deadline_ms: u32) -> Self {
        Self::new(opcode as u8, opcode.request_shape(), count, correlation, deadline_ms)
    }

    /// Header of a reply of `count` items.
    #[must_use]
    pub fn reply(opcode: Opcode, count: u32, correlation: u64) -> Self {
        Self::new(opcode as u8 | REPLY_BIT, opcode.reply_shape(), count, correlation, 0)
    }

    fn new(opcode: u8, shape: Shape, count: u32, correlation: u64, deadline_ms: u32) -> Self {
        Self {
            magic: MAGIC,
            version: VERSION,
            opcode,
            flags: U16::ZERO,
            body_bytes: U32::new(count * shape.item_bytes),
            count: U32::new(count),
            correlation: U64::new(correlation),
            deadline_ms: U32::new(deadline_ms),
            reserved: U32::ZERO,
        }
    }
}

/// One whole frame in a receive buffer; its body is borrowed.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// What is asked or answered.
    pub opcode: Opcode,
    /// Number of items in the body; within the bounds of the opcode.
    pub count: u32,
    /// The client's own number for this frame.
    pub correlation: u64,
    /// Milliseconds from its arrival after which the work is not wanted any more; 0 = none.
    pub deadline_ms: u32,
    body: &'a [u8],
}

impl<'a> Frame<'a> {
    /// The items, as a view of the receive buffer.
    ///
    /// # Errors
    /// `Malformed` when `T` is not the item of this frame.
    pub fn items<T: FromBytes + KnownLayout + Immutable + Unaligned>(&self) -> Result<&'a [T], Status> {
        <[T]>::ref_from_bytes(self.body).map_err(|_| Status::Malformed)
    }

    /// The only item.
    ///
    /// # Errors
    /// `Malformed` when the body is not exactly one `T`.
    pub fn item<T: FromBytes + KnownLayout + Immutable + Unaligned>(&self) -> Result<&'a T, Status> {
        T::ref_from_bytes(self.body).map_err(|_| Status::Malformed)
    }

    /// Bytes of the body.
    #[must_use]
    pub fn body(&self) -> &'a [u8] {
        self.body
    }
}

/// Which direction a peer reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Reads requests.
    Server,
    /// Reads replies.
    Client,
}

/// Why the bytes at the front of a buffer are not a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameError {
    /// The reason.
    pub status: Status,
    /// The frame's correlation id, if its header could be read.
    pub correlation: u64,
    /// Bytes to skip to reach the next frame. `None`: the end is not known and the connection must close.
    pub skip: Option<usize>,
}

/// Reads the frame at the front of `buffer`. `body_bytes_max` bounds what the peer may send now (less before the
/// handshake).
///
/// Returns the frame and its whole length, or `None` when more bytes are needed.
///
/// # Errors
/// When the bytes cannot become a frame. Nothing is allocated and nothing panics, whatever they are.
pub fn decode(side: Side, buffer: &[u8], body_bytes_max: usize) -> Result<Option<(Frame<'_>, usize)>, FrameError> {
    let magic_seen = buffer.len().min(MAGIC.len());
    if buffer[..magic_seen] != MAGIC[..magic_seen] {
        return Err(FrameError { status: Status::Malformed, correlation: 0, skip: None });
    }
    let Ok((header, rest)) = Header::ref_from_prefix(buffer) else { return Ok(None) };
    let correlation = header.correlation.get();
    let close = |status| FrameError { status, correlation, skip: None };
    if header.version != VERSION {
        return Err(close(Status::VersionUnsupported));
    }
    let body_bytes = usize::try_from(header.body_bytes.get()).map_err(|_| close(Status::FrameTooLarge))?;
    let whole_max = match side {
        Side::Server => REQUEST_BODY_BYTES_MAX,
        Side::Client => REPLY_BODY_BYTES_MAX,
    };
    if body_bytes > body_bytes_max.min(whole_max) {
        return Err(close(Status::FrameTooLarge));
    }
    let Some(body) = rest.get(..body_bytes) else { return Ok(None) };
    let length = HEADER_BYTES + body_bytes;
    let in_step = |status| FrameError { status, correlation, skip: Some(length) };

    let (opcode, shape) = opcode_of(side, header.opcode).ok_or(in_step(Status::OpcodeUnknown))?;
    let count = header.count.get();
    if count > shape.count_max {
        return Err(in_step(Status::FrameTooLarge));
    }
    if count < shape.count_min
        || u64::from(count) * u64::from(shape.item_bytes) != u64::from(header.body_bytes.get())
        || header.flags.get() != 0
        || header.reserved.get() != 0
    {
        return Err(in_step(Status::Malformed));
    }
    let deadline_ms = header.deadline_ms.get();
    Ok(Some((Frame { opcode, count, correlation, deadline_ms, body }, length)))
}

fn opcode_of(side: Side, number: u8) -> Option<(Opcode, Shape)> {
    let opcode = Opcode::from_number(number & !REPLY_BIT)?;
    match (side, number & REPLY_BIT != 0) {
        (Side::Server, false) if opcode != Opcode::Fault => Some((opcode, opcode.request_shape())),
        (Side::Client, true) => Some((opcode, opcode.reply_shape())),
        (Side::Server | Side::Client, _) => None,
    }
}
