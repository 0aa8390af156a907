//! The feed: every effect that is durable, in order.

use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::limits::{CONSUMER_NAME_BYTES_MAX, FEED_WINDOW_MAX};
use crate::numbered::numbered;
use crate::status::Status;
use crate::text::{FixedText, TextError};

/// Flag of a subscription: go on from the consumer's stored cursor.
pub const STORED: u8 = 1;

numbered! {
    /// What happened.
    pub enum Kind {
        /// Units were granted by a claim.
        Granted = 1, "granted";
        /// Units were reserved; the value is the seconds that the reservation lives.
        Reserved = 2, "reserved";
        /// A reservation was confirmed.
        Confirmed = 3, "confirmed";
        /// A reservation was cancelled; the value is the first serial under which the units came back.
        Cancelled = 4, "cancelled";
        /// A reservation's time passed; the same.
        Lapsed = 5, "lapsed";
        /// A reservation lives so many seconds from here.
        Extended = 6, "extended";
        /// A reservation was cancelled that had not come.
        CancelledAhead = 7, "cancelled_ahead";
        /// An order took hold of a coupon.
        Locked = 8, "locked";
        /// An order gave a coupon up; the value says whether it had it: 0 = yes.
        Unlocked = 9, "unlocked";
        /// An order used a coupon.
        Redeemed = 10, "redeemed";
        /// A redeemed coupon can be used again; the value is the last day on which it is valid.
        Restored = 11, "restored";
        /// A coupon's unit went back into stock; the value is its new serial.
        Returned = 12, "returned";
        /// A coupon was made worthless.
        Voided = 13, "voided";
        /// A batch was created with so many units.
        BatchCreated = 20, "batch_created";
        /// A batch's state was set; the value is its number.
        BatchChanged = 21, "batch_changed";
        /// So many units were added.
        BatchAdded = 22, "batch_added";
        /// So many units were withdrawn.
        BatchWithdrawn = 23, "batch_withdrawn";
        /// A batch was edited; the value says which fields.
        BatchEdited = 24, "batch_edited";
        /// A batch was forgotten.
        BatchPurged = 25, "batch_purged";
        /// So many coupons expired, those taken on the day `serial` or before.
        BatchExpired = 26, "batch_expired";
        /// So many units of a closed batch are only counted; `serial` says in which number.
        BatchCondensed = 27, "batch_condensed";
    }
}

/// One event.
///
/// ```text
/// offset  0  epoch    u64
///         8  index    u32   within its epoch
///        12  kind     u8
///        13  units    u8    with consecutive serials from `serial` on
///        14  client   u16   who asked for it; 0 = the server, or not recorded
///        16  batch    u64
///        24  user     u64
///        32  request  u64
///        40  order    u64
///        48  time_ms  u64
///        56  serial   u32
///        60  value    u32   as the kind says
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct Event {
    /// Epoch in which it happened.
    pub epoch: U64,
    /// Its number within the epoch.
    pub index: U32,
    kind: u8,
    /// Units of it.
    pub units: u8,
    /// Who asked for it.
    pub client: U16,
    /// The batch.
    pub batch: U64,
    /// The user.
    pub user: U64,
    /// The request.
    pub request: U64,
    /// The order.
    pub order: U64,
    /// When.
    pub time_ms: U64,
    /// First serial.
    pub serial: U32,
    /// As the kind says.
    pub value: U32,
}

const _: () = assert!(size_of::<Event>() == 64);

impl Event {
    /// An event of this kind: fill in the other fields.
    #[must_use]
    pub fn new(kind: Kind, batch: u64, time_ms: u64) -> Self {
        Self {
            epoch: U64::ZERO,
            index: U32::ZERO,
            kind: kind as u8,
            units: 0,
            client: U16::ZERO,
            batch: U64::new(batch),
            user: U64::ZERO,
            request: U64::ZERO,
            order: U64::ZERO,
            time_ms: U64::new(time_ms),
            serial: U32::ZERO,
            value: U32::ZERO,
        }
    }

    /// What happened; `None` for a kind that this client does not know.
    #[must_use]
    #[inline]
    pub fn kind(&self) -> Option<Kind> {
        Kind::from_number(self.kind)
    }
}

/// Begins a subscription.
///
/// ```text
/// offset  0  epoch     u64
///         8  index     u32   first event wanted; 0 and 0 = the oldest that is kept
///        12  window    u32   events sent and not acknowledged, 1..=65536
///        16  flags     u8    bit 0 STORED; others zero
///        17  reserved  7 bytes, zero
///        24  consumer 40 bytes, UTF-8 padded with zeros; empty = no cursor is stored
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct Subscribe {
    /// Epoch of the first event wanted.
    pub epoch: U64,
    /// Its index, or a lower one.
    pub index: U32,
    /// Most events sent and not acknowledged.
    pub window: U32,
    flags: u8,
    reserved: [u8; 7],
    consumer: FixedText<CONSUMER_NAME_BYTES_MAX>,
}

const _: () = assert!(size_of::<Subscribe>() == 64);

impl Subscribe {
    /// Wants the events from (`epoch`, `index`) on.
    ///
    /// # Errors
    /// When the consumer's name does not fit its field.
    pub fn from(epoch: u64, index: u32, window: u32, consumer: &str) -> Result<Self, TextError> {
        Ok(Self {
            epoch: U64::new(epoch),
            index: U32::new(index),
            window: U32::new(window),
            flags: 0,
            reserved: [0; 7],
            consumer: FixedText::new(consumer)?,
        })
    }

    /// The same, from the stored cursor if there is one.
    #[must_use]
    pub fn stored(mut self) -> Self {
        self.flags |= STORED;
        self
    }

    /// Whether to go on from the stored cursor.
    #[must_use]
    pub fn is_stored(&self) -> bool {
        self.flags & STORED != 0
    }

    /// The consumer's name.
    #[must_use]
    pub fn consumer(&self) -> &str {
        self.consumer.text_or_empty()
    }

    /// Whether all reserved bits are zero, the window is one and the name a text.
    #[must_use]
    pub fn is_well_formed(&self) -> bool {
        self.flags & !STORED == 0
            && self.reserved == [0; 7]
            && (1..=FEED_WINDOW_MAX).contains(&self.window.get())
            && self.consumer.text().is_ok()
    }
}

/// Acknowledges all events before a place.
///
/// ```text
/// offset  0  subscription  u64   correlation of the subscription
///         8  epoch         u64
///        16  index         u32   of the first event that is not acknowledged
///        20  reserved      u32   zero
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct Acknowledge {
    /// Correlation of the subscription.
    pub subscription: U64,
    /// Epoch of the first event that is not acknowledged.
    pub epoch: U64,
    /// Its index.
    pub index: U32,
    reserved: U32,
}

const _: () = assert!(size_of::<Acknowledge>() == 24);

impl Acknowledge {
    /// Acknowledges what comes before (`epoch`, `index`).
    #[must_use]
    pub fn new(subscription: u64, epoch: u64, index: u32) -> Self {
        Self {
            subscription: U64::new(subscription),
            epoch: U64::new(epoch),
            index: U32::new(index),
            reserved: U32::ZERO,
        }
    }

    /// Whether all reserved bits are zero.
    #[must_use]
    pub fn is_well_formed(&self) -> bool {
        self.reserved.get() == 0
    }
}

/// The answer to an acknowledgement or a forgetting.
///
/// ```text
/// offset  0  status    u8
///         1  reserved  7 bytes, zero
///         8  epoch     u64   of the cursor
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct Acknowledged {
    status: u8,
    reserved: [u8; 7],
    /// Epoch of the cursor.
    pub epoch: U64,
}

const _: () = assert!(size_of::<Acknowledged>() == 16);

impl Acknowledged {
    /// An answer.
    #[must_use]
    pub fn new(status: Status, epoch: u64) -> Self {
        Self { status: status as u8, reserved: [0; 7], epoch: U64::new(epoch) }
    }

    /// The outcome; `None` for a code that this client does not know.
    #[must_use]
    pub fn status(&self) -> Option<Status> {
        Status::from_number(self.status)
    }
}

/// A consumer whose cursor is stored.
///
/// ```text
/// offset  0  epoch         u64
///         8  index         u32   of the cursor
///        12  connected     u8    1 = it has a subscription
///        13  reserved      3 bytes, zero
///        16  behind_bytes  u64   of groups from the cursor on
///        24  consumer     40 bytes, UTF-8 padded with zeros
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct ConsumerInfo {
    /// Epoch of its cursor.
    pub epoch: U64,
    /// Index of its cursor.
    pub index: U32,
    connected: u8,
    reserved: [u8; 3],
    /// Bytes of groups from the cursor on.
    pub behind_bytes: U64,
    consumer: FixedText<CONSUMER_NAME_BYTES_MAX>,
}

const _: () = assert!(size_of::<ConsumerInfo>() == 64);

impl ConsumerInfo {
    /// A consumer with this cursor.
    #[must_use]
    pub fn new(consumer: &str, (epoch, index): (u64, u32), connected: bool, behind_bytes: u64) -> Self {
        Self {
            epoch: U64::new(epoch),
            index: U32::new(index),
            connected: u8::from(connected),
            reserved: [0; 3],
            behind_bytes: U64::new(behind_bytes),
            consumer: FixedText::truncated(consumer),
        }
    }

    /// Its name.
    #[must_use]
    pub fn consumer(&self) -> &str {
        self.consumer.text_or_empty()
    }

    /// Whether it has a subscription now.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.connected != 0
    }
}

/// Forgets a consumer and its cursor.
///
/// ```text
/// offset  0  consumer  40 bytes, UTF-8 padded with zeros
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct Forget {
    consumer: FixedText<CONSUMER_NAME_BYTES_MAX>,
}

const _: () = assert!(size_of::<Forget>() == 40);

impl Forget {
    /// Asks to forget the consumer of this name.
    ///
    /// # Errors
    /// When the name does not fit its field.
    pub fn new(consumer: &str) -> Result<Self, TextError> {
        Ok(Self { consumer: FixedText::new(consumer)? })
    }

    /// The consumer's name.
    #[must_use]
    pub fn consumer(&self) -> &str {
        self.consumer.text_or_empty()
    }

    /// Whether the name is a text.
    #[must_use]
    pub fn is_well_formed(&self) -> bool {
        self.consumer.text().is_ok()
    }
}
