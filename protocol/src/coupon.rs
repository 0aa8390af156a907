//! Coupons: what becomes of a unit that was taken.

use zerocopy::little_endian::{U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::limits::is_page;
use crate::numbered::numbered;
use crate::status::Status;

/// Flag of a change's reply: done earlier by the same order.
pub const REPLAYED: u8 = 1;

numbered! {
    /// What is done with a coupon.
    pub enum Action {
        /// An order takes hold of it.
        Lock = 1, "lock";
        /// The order gives it up.
        Unlock = 2, "unlock";
        /// The order uses it.
        Redeem = 3, "redeem";
        /// The order was refunded: it can be used again.
        Restore = 4, "restore";
        /// Its unit goes back into stock.
        Return = 5, "return";
        /// An operator makes it worthless.
        Void = 6, "void";
    }
}

numbered! {
    /// Where a unit that was taken is in its life.
    pub enum State {
        /// Held for a while.
        Reserved = 1, "reserved";
        /// The user's.
        Granted = 2, "granted";
        /// An order has hold of it.
        Locked = 3, "locked";
        /// An order used it.
        Redeemed = 4, "redeemed";
        /// Its unit went back into stock.
        Returned = 5, "returned";
        /// An operator made it worthless.
        Voided = 6, "voided";
        /// Its time passed.
        Expired = 7, "expired";
        /// Its reservation was cancelled.
        Cancelled = 8, "cancelled";
        /// Its reservation's time passed.
        Lapsed = 9, "lapsed";
    }
}

impl State {
    /// The state's bit in a filter.
    #[must_use]
    pub const fn bit(self) -> u16 {
        1 << self as u8
    }
}

/// Changes one coupon.
///
/// ```text
/// offset  0  batch     u64
///         8  user      u64   who holds it
///        16  order     u64   for return and void a reference for the log
///        24  serial    u32
///        28  action    u8    1 lock, 2 unlock, 3 redeem, 4 restore, 5 return, 6 void
///        29  reserved  3 bytes, zero
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct Change {
    /// Batch of the coupon.
    pub batch: U64,
    /// Who holds it.
    pub user: U64,
    /// The order.
    pub order: U64,
    /// The coupon's serial.
    pub serial: U32,
    action: u8,
    reserved: [u8; 3],
}

const _: () = assert!(size_of::<Change>() == 32);

impl Change {
    /// Asks for `action` by `order` on the coupon `serial` of `batch`, which `user` holds.
    #[must_use]
    pub fn new(batch: u64, user: u64, serial: u32, action: Action, order: u64) -> Self {
        Self {
            batch: U64::new(batch),
            user: U64::new(user),
            order: U64::new(order),
            serial: U32::new(serial),
            action: action as u8,
            reserved: [0; 3],
        }
    }

    /// The action, or `None` when it is unknown or a reserved bit is set.
    #[must_use]
    pub fn action(&self) -> Option<Action> {
        if self.reserved == [0; 3] { Action::from_number(self.action) } else { None }
    }
}

/// The answer to one change.
///
/// ```text
/// offset  0  status    u8
///         1  state     u8    0 = no coupon to tell of
///         2  flags     u8    bit 0 REPLAYED; others zero
///         3  reserved  u8    zero
///         4  serial    u32   of the coupon; of a returned one, the new serial of its unit
///         8  order     u64   that holds or redeemed the coupon, told to that order and to operators
///        16  epoch     u64   this answer waited for this epoch to be durable
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct Changed {
    status: u8,
    state: u8,
    /// `REPLAYED`.
    pub flags: u8,
    reserved: u8,
    /// Serial of the coupon, or the new one of its unit.
    pub serial: U32,
    /// The order that holds or redeemed it, as far as it is told.
    pub order: U64,
    /// The epoch that had to be durable before this answer could leave.
    pub epoch: U64,
}

const _: () = assert!(size_of::<Changed>() == 24);

impl Changed {
    /// An answer without a coupon.
    #[must_use]
    pub fn refused(status: Status) -> Self {
        Self {
            status: status as u8,
            state: 0,
            flags: 0,
            reserved: 0,
            serial: U32::ZERO,
            order: U64::ZERO,
            epoch: U64::ZERO,
        }
    }

    /// An answer about a coupon in `state`.
    #[must_use]
    pub fn about(status: Status, state: State, serial: u32) -> Self {
        Self { state: state as u8, serial: U32::new(serial), ..Self::refused(status) }
    }

    /// The outcome; `None` for a code that this client does not know.
    #[must_use]
    pub fn status(&self) -> Option<Status> {
        Status::from_number(self.status)
    }

    /// The coupon's state now; `None` when there is no coupon to tell of.
    #[must_use]
    pub fn state(&self) -> Option<State> {
        State::from_number(self.state)
    }

    /// Whether it was done earlier.
    #[must_use]
    pub fn is_replayed(&self) -> bool {
        self.flags & REPLAYED != 0
    }
}

/// Names one unit.
///
/// ```text
/// offset  0  batch     u64
///         8  serial    u32
///        12  reserved  u32   zero
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct CouponKey {
    /// The batch.
    pub batch: U64,
    /// The serial.
    pub serial: U32,
    reserved: U32,
}

const _: () = assert!(size_of::<CouponKey>() == 16);

impl CouponKey {
    /// Names the unit `serial` of `batch`.
    #[must_use]
    pub fn new(batch: u64, serial: u32) -> Self {
        Self { batch: U64::new(batch), serial: U32::new(serial), reserved: U32::ZERO }
    }

    /// Whether all reserved bits are zero.
    #[must_use]
    pub fn is_well_formed(&self) -> bool {
        self.reserved.get() == 0
    }
}

/// Asks for a page of a batch's units that were ever taken, in order of serial.
///
/// ```text
/// offset  0  batch      u64
///         8  from       u32   smallest serial wanted
///        12  limit      u32   1..=1024
///        16  see_epoch  u64   0 = what is durable
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct List {
    /// The batch.
    pub batch: U64,
    /// Smallest serial wanted.
    pub from: U32,
    /// Most coupons wanted.
    pub limit: U32,
    /// The epoch whose effects must be seen; 0 = what is durable.
    pub see_epoch: U64,
}

const _: () = assert!(size_of::<List>() == 24);

impl List {
    /// Whether the limit is one.
    #[must_use]
    pub fn is_well_formed(&self) -> bool {
        is_page(self.limit.get())
    }
}

/// All about one unit.
///
/// ```text
/// offset  0  status      u8
///         1  state       u8    0 = no unit to tell of
///         2  reserved    u16   zero
///         4  serial      u32
///         8  batch       u64
///        16  user        u64
///        24  request     u64   of the claim or reservation
///        32  order       u64   that holds or redeemed it; told to operators
///        40  taken_ms    u64
///        48  expires_ms  u64   of the coupon or the reservation; 0 = never
///        56  changed_ms  u64
///        64  epoch       u64   shows everything up to this epoch
///        72  new_serial  u32   of a unit that came back, what it came back as
///        76  reserved    u32   zero
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct CouponInfo {
    status: u8,
    state: u8,
    reserved: [u8; 2],
    /// The serial.
    pub serial: U32,
    /// The batch.
    pub batch: U64,
    /// Who took it.
    pub user: U64,
    /// The request that took it.
    pub request: U64,
    /// The order that holds or redeemed it, as far as it is told.
    pub order: U64,
    /// When it was taken.
    pub taken_ms: U64,
    /// When the coupon, or the reservation, expires; 0 = never.
    pub expires_ms: U64,
    /// When it last changed.
    pub changed_ms: U64,
    /// It shows everything up to this epoch.
    pub epoch: U64,
    /// What a unit that came back came back as.
    pub new_serial: U32,
    reserved_tail: U32,
}

const _: () = assert!(size_of::<CouponInfo>() == 80);

impl CouponInfo {
    /// An answer without a unit.
    #[must_use]
    pub fn refused(status: Status, batch: u64, serial: u32) -> Self {
        Self {
            status: status as u8,
            state: 0,
            reserved: [0; 2],
            serial: U32::new(serial),
            batch: U64::new(batch),
            user: U64::ZERO,
            request: U64::ZERO,
            order: U64::ZERO,
            taken_ms: U64::ZERO,
            expires_ms: U64::ZERO,
            changed_ms: U64::ZERO,
            epoch: U64::ZERO,
            new_serial: U32::ZERO,
            reserved_tail: U32::ZERO,
        }
    }

    /// An answer about a unit in `state`: fill in the public fields.
    #[must_use]
    pub fn about(batch: u64, serial: u32, state: State) -> Self {
        Self { state: state as u8, ..Self::refused(Status::Done, batch, serial) }
    }

    /// The outcome; `None` for a code that this client does not know.
    #[must_use]
    pub fn status(&self) -> Option<Status> {
        Status::from_number(self.status)
    }

    /// The unit's state; `None` when there is no unit to tell of.
    #[must_use]
    pub fn state(&self) -> Option<State> {
        State::from_number(self.state)
    }
}
