//! Stockade's wire protocol: bytes to messages and back. No I/O, no runtime.
//!
//! Every frame is a [`Header`] of 32 bytes followed by `count` items of one size that the opcode fixes, so a
//! message is a typed view of the bytes received: nothing is copied and nothing is allocated to decode it.
//! All integers are little-endian. `docs/protocol.md` is the specification; `vectors.json` beside this crate holds
//! golden bytes for it that no code of this crate produced.
//!
//! Guarantees: decoding never panics, whatever the bytes; no length or count from the peer sizes anything before it
//! was held against a named maximum ([`limits`]); reserved bits must be zero.

pub mod batch;
pub mod claim;
pub mod coupon;
pub mod fault;
pub mod feed;
pub mod frame;
pub mod hello;
pub mod limits;
mod numbered;
pub mod ping;
pub mod reservation;
pub mod status;
mod text;
pub mod wallet;

pub use frame::{Frame, FrameError, Header, Opcode};
pub use status::{ComesAs, Retry, Status};
pub use text::{FixedText, TextError};
