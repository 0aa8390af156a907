//! Requests as bytes, right ones and wrong ones, and replies read back.

use stockade_protocol::fault::Fault;
use stockade_protocol::frame::{Side, decode};
use stockade_protocol::hello::Hello;
use stockade_protocol::limits::{REPLY_BODY_BYTES_MAX, VERSION};
use stockade_protocol::{Header, Opcode, Status};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// Offsets in a frame's header.
pub(crate) const VERSION_AT: usize = 4;
pub(crate) const OPCODE_AT: usize = 5;
pub(crate) const FLAGS_AT: usize = 6;
pub(crate) const BODY_BYTES_AT: usize = 8;
pub(crate) const COUNT_AT: usize = 12;
pub(crate) const DEADLINE_AT: usize = 24;
pub(crate) const RESERVED_AT: usize = 28;
/// Where the first item begins.
pub(crate) const BODY_AT: usize = 32;

/// Every opcode that a client may send after the handshake.
pub(crate) fn requests() -> impl Iterator<Item = Opcode> {
    Opcode::ALL.iter().copied().filter(|opcode| !matches!(opcode, Opcode::Hello | Opcode::Fault))
}

/// A frame without a deadline.
pub(crate) fn frame<T: IntoBytes + Immutable>(opcode: Opcode, correlation: u64, items: &[T]) -> Vec<u8> {
    frame_within(0, opcode, correlation, items)
}

/// A frame with a deadline.
pub(crate) fn frame_within<T: IntoBytes + Immutable>(
    deadline_ms: u32,
    opcode: Opcode,
    correlation: u64,
    items: &[T],
) -> Vec<u8> {
    let count = u32::try_from(items.len()).expect("few items");
    [Header::request(opcode, count, correlation, deadline_ms).as_bytes(), items.as_bytes()].concat()
}

/// A frame of one item that is all zeros: well-formed for most opcodes.
pub(crate) fn blank(opcode: Opcode, correlation: u64) -> Vec<u8> {
    let item_bytes = usize::try_from(opcode.request_shape().item_bytes).expect("small");
    [Header::request(opcode, 1, correlation, 0).as_bytes(), &vec![0; item_bytes]].concat()
}

/// A handshake.
pub(crate) fn hello(token: &str) -> Vec<u8> {
    frame(Opcode::Hello, 1, &[Hello::new("test", token).expect("short texts")])
}

/// These bytes with others from `at` on.
pub(crate) fn patched(mut bytes: Vec<u8>, at: usize, with: &[u8]) -> Vec<u8> {
    bytes[at..at + with.len()].copy_from_slice(with);
    bytes
}

/// One reply frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) opcode: Opcode,
    pub(crate) correlation: u64,
    body: Vec<u8>,
}

impl Reply {
    /// Takes the first whole frame out of `received`.
    pub(crate) fn take_from(received: &mut Vec<u8>) -> Option<Self> {
        let (frame, length) = decode(Side::Client, received, REPLY_BODY_BYTES_MAX).expect("the server is in step")?;
        let reply = Self { opcode: frame.opcode, correlation: frame.correlation, body: frame.body().to_vec() };
        received.drain(..length);
        Some(reply)
    }

    /// The items; the reply must be one to `opcode`.
    pub(crate) fn items<T>(&self, opcode: Opcode) -> Vec<T>
    where
        T: FromBytes + KnownLayout + Immutable + Unaligned + Clone,
    {
        assert_eq!(self.opcode, opcode, "answered {:?}", self.fault());
        <[T]>::ref_from_bytes(&self.body).expect("items of this size").to_vec()
    }

    /// Why the frame was refused as a whole, if it was.
    pub(crate) fn fault(&self) -> Option<Status> {
        if self.opcode != Opcode::Fault {
            return None;
        }
        let fault = Fault::ref_from_bytes(&self.body).expect("one item");
        assert_eq!(fault.version(), VERSION, "a fault says which version is spoken");
        assert_ne!(fault.text(), "", "a fault says what to do");
        Some(fault.status().expect("a known status"))
    }

    /// Both that a test of faults asks for.
    pub(crate) fn refusal(&self) -> (Option<Status>, u64) {
        (self.fault(), self.correlation)
    }
}
