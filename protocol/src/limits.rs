//! The protocol's bounds. Each is part of the specification: a peer that goes beyond is refused.

/// Version of the protocol that this crate speaks; byte 4 of every frame.
pub const VERSION: u8 = 1;

/// Bytes of a frame header.
pub const HEADER_BYTES: usize = 32;

/// Claims (or look-ups) in one frame. More would hold up the other connections of a core for over a millisecond.
pub const CLAIMS_PER_FRAME_MAX: u32 = 8_192;

/// Items of a batch operation, and of a page of any list.
pub const BATCHES_PER_FRAME_MAX: u32 = 1_024;

/// Units that one claim may ask for. The granted quantity travels as one byte.
pub const QUANTITY_MAX: u8 = 255;

/// Runs of serials that one claim can hold: in the worst case each unit comes from another bucket.
pub const SERIAL_RUNS_MAX: u32 = QUANTITY_MAX as u32;

/// Body of the largest request: a full frame of claims. A longer one is refused before a byte of it is kept.
pub const REQUEST_BODY_BYTES_MAX: usize = CLAIMS_PER_FRAME_MAX as usize * 32;

/// Body of the largest reply: a full page of batches, or a full frame of events.
pub const REPLY_BODY_BYTES_MAX: usize = BATCHES_PER_FRAME_MAX as usize * 256;

/// Body of the largest request before the handshake succeeded.
pub const HANDSHAKE_BODY_BYTES_MAX: usize = 128;

/// Longest batch name, in bytes of UTF-8.
pub const BATCH_NAME_BYTES_MAX: usize = 88;

/// Longest name of a time zone, in bytes. The longest of the IANA database has 32.
pub const ZONE_BYTES_MAX: usize = 40;

/// Longest name of a consumer of the feed, in bytes of UTF-8.
pub const CONSUMER_NAME_BYTES_MAX: usize = 40;

/// Orders that gave one coupon up and are remembered: without a bound, one coupon could fill the memory.
pub const ORDERS_PER_COUPON_MAX: usize = 64;

/// Events of one frame of the feed.
pub const EVENTS_PER_FRAME_MAX: u32 = 4_096;

/// Events of one feed that are sent and not acknowledged.
pub const FEED_WINDOW_MAX: u32 = 65_536;

/// Longest client name, in bytes of UTF-8.
pub const CLIENT_NAME_BYTES_MAX: usize = 56;

/// Longest token. 32 random bytes in hexadecimal fill it.
pub const TOKEN_BYTES_MAX: usize = 64;

/// Longest text of an error frame.
pub const FAULT_TEXT_BYTES_MAX: usize = 120;

/// Longest name of a server's version.
pub const SERVER_VERSION_BYTES_MAX: usize = 24;

const _: () = assert!(REQUEST_BODY_BYTES_MAX >= BATCHES_PER_FRAME_MAX as usize * 256);
const _: () = assert!(REPLY_BODY_BYTES_MAX >= CLAIMS_PER_FRAME_MAX as usize * 24);
const _: () = assert!(REPLY_BODY_BYTES_MAX >= EVENTS_PER_FRAME_MAX as usize * 64);

/// Hundredths of a batch that may be reserved at once: all of it.
pub(crate) const HOLDS_SHARE_MAX: u8 = 100;

/// Whether so many items may be asked for.
pub(crate) fn is_page(limit: u32) -> bool {
    (1..=BATCHES_PER_FRAME_MAX).contains(&limit)
}
