//! The reply to a frame that was refused as a whole. None of its items had any effect.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::limits::{FAULT_TEXT_BYTES_MAX, VERSION};
use crate::status::Status;
use crate::text::FixedText;

/// Body of a `FAULT` frame.
///
/// ```text
/// offset  0  status         u8
///         1  version        u8    protocol version that the server speaks
///         2  reserved       6 bytes, zero
///         8  text         120 bytes, UTF-8 padded with zeros: what to do about it
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct Fault {
    status: u8,
    version: u8,
    reserved: [u8; 6],
    text: FixedText<FAULT_TEXT_BYTES_MAX>,
}

const _: () = assert!(size_of::<Fault>() == 128);

impl Fault {
    /// A refusal for `status`, with a sentence for the one who reads the client's log.
    #[must_use]
    pub fn new(status: Status, text: &str) -> Self {
        Self { status: status as u8, version: VERSION, reserved: [0; 6], text: FixedText::truncated(text) }
    }

    /// The reason; `None` when the server is newer than this client and uses a code that it does not know.
    #[must_use]
    pub fn status(&self) -> Option<Status> {
        Status::from_number(self.status)
    }

    /// The protocol version that the server speaks.
    #[must_use]
    pub fn version(&self) -> u8 {
        self.version
    }

    /// What the server says about it.
    #[must_use]
    pub fn text(&self) -> &str {
        self.text.text_or_empty()
    }
}
