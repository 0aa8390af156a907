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
    BATCHES_PER_FRAME_MAX, CLAIMS_PER_FRAME_MAX, HEADER_BYTES, REPLY_BODY_BYTES_MAX, REQUEST_BODY_BYTES_MAX,
    SERIAL_RUNS_MAX, VERSION,
};
use crate::status::Status;
use crate::{batch, claim, fault, hello, ping};

/// The first four bytes of every frame.
pub const MAGIC: [u8; 4] = *b"STKD";

/// Bit 7 of the opcode marks a reply.
pub const REPLY_BIT: u8 = 0x80;

/// What a frame asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Opcode {
    /// First frame of a connection: who the client is.
    Hello = 0x01,
    /// Is anybody there.
    Ping = 0x02,
    /// Take units of batches for users.
    Claim = 0x10,
    /// What became of earlier claims.
    Lookup = 0x11,
    /// All serials of one claim, as runs.
    Serials = 0x12,
    /// Create batches.
    BatchCreate = 0x20,
    /// Show batches by id.
    BatchShow = 0x21,
    /// Show a page of batches, in order of id.
    BatchList = 0x22,
    /// Activate, pause, resume, end or close batches.
    BatchChange = 0x23,
    /// Add stock to batches.
    BatchAddStock = 0x24,
    /// Only as a reply, with bit 7: the frame was refused as a whole.
    Fault = 0x7f,
}

impl Opcode {
    /// Every opcode.
    pub const ALL: &'static [Opcode] = &[
        Opcode::Hello,
        Opcode::Ping,
        Opcode::Claim,
        Opcode::Lookup,
        Opcode::Serials,
        Opcode::BatchCreate,
        Opcode::BatchShow,
        Opcode::BatchList,
        Opcode::BatchChange,
        Opcode::BatchAddStock,
        Opcode::Fault,
    ];

    /// The opcode with this number (bit 7 clear), if there is one.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Opcode> {
        Opcode::ALL.iter().copied().find(|opcode| *opcode as u8 == number)
    }

    /// The shape of the request: bytes of one item, and the most items of one frame.
    #[must_use]
    pub const fn request_shape(self) -> Shape {
        match self {
            Opcode::Hello => Shape::exactly_one(size_of::<hello::Hello>()),
            Opcode::Ping => Shape::exactly_one(size_of::<ping::Ping>()),
            Opcode::Claim => Shape::new(size_of::<claim::Claim>(), 1, CLAIMS_PER_FRAME_MAX),
            Opcode::Lookup => Shape::new(size_of::<claim::RequestKey>(), 1, CLAIMS_PER_FRAME_MAX),
            Opcode::Serials => Shape::exactly_one(size_of::<claim::RequestKey>()),
            Opcode::BatchCreate => Shape::new(size_of::<batch::Create>(), 1, BATCHES_PER_FRAME_MAX),
            Opcode::BatchShow => Shape::new(size_of::<batch::BatchId>(), 1, BATCHES_PER_FRAME_MAX),
            Opcode::BatchList => Shape::exactly_one(size_of::<batch::List>()),
            Opcode::BatchChange => Shape::new(size_of::<batch::Change>(), 1, BATCHES_PER_FRAME_MAX),
            Opcode::BatchAddStock => Shape::new(size_of::<batch::AddStock>(), 1, BATCHES_PER_FRAME_MAX),
            Opcode::Fault => Shape::new(size_of::<fault::Fault>(), 1, 0),
        }
    }

    /// The shape of the reply.
    #[must_use]
    pub const fn reply_shape(self) -> Shape {
        match self {
            Opcode::Hello => Shape::exactly_one(size_of::<hello::Welcome>()),
            Opcode::Ping => Shape::exactly_one(size_of::<ping::Ping>()),
            Opcode::Claim | Opcode::Lookup => Shape::new(size_of::<claim::ClaimReply>(), 1, CLAIMS_PER_FRAME_MAX),
            Opcode::Serials => Shape::new(size_of::<claim::SerialRun>(), 1, SERIAL_RUNS_MAX),
            Opcode::BatchList => Shape::new(size_of::<batch::BatchInfo>(), 0, BATCHES_PER_FRAME_MAX),
            Opcode::BatchCreate | Opcode::BatchShow | Opcode::BatchChange | Opcode::BatchAddStock => {
                Shape::new(size_of::<batch::BatchInfo>(), 1, BATCHES_PER_FRAME_MAX)
            }
            Opcode::Fault => Shape::exactly_one(size_of::<fault::Fault>()),
        }
    }
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
    #[expect(clippy::cast_possible_truncation, reason = "sizes of our own items, at most 160 bytes")]
    const fn new(item_bytes: usize, count_min: u32, count_max: u32) -> Self {
        Self { item_bytes: item_bytes as u32, count_min, count_max }
    }

    const fn exactly_one(item_bytes: usize) -> Self {
        Self::new(item_bytes, 1, 1)
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
