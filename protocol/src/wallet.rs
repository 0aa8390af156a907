//! Wallets: what one user has, of all batches.

use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::coupon::State;
use crate::limits::is_page;

/// Where a page of a wallet ends. Opaque to clients; zeros = at the newest.
///
/// ```text
/// offset  0  epoch  u64   of the entry
///         8  index  u32   of the entry within its epoch, and of the unit within the entry
///        12  check  u32   of the query that it belongs to
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct Cursor {
    /// Epoch of the entry.
    pub epoch: U64,
    /// Its place within the epoch.
    pub index: U32,
    /// Check of the query.
    pub check: U32,
}

const _: () = assert!(size_of::<Cursor>() == 16);

/// Asks for a page of a user's coupons, newest first.
///
/// ```text
/// offset  0  user       u64
///         8  states     u16   bit n = those in state n; 0 = all
///        10  limit      u16   1..=1024
///        12  reserved   u32   zero
///        16  cursor    16 bytes, zeros for the first page
///        32  see_epoch  u64   0 = what is durable
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct WalletQuery {
    /// The user.
    pub user: U64,
    /// States wanted, as bits; 0 = all.
    pub states: U16,
    /// Most coupons wanted.
    pub limit: U16,
    reserved: U32,
    /// Where the page before ended.
    pub cursor: Cursor,
    /// The epoch whose effects must be seen; 0 = what is durable.
    pub see_epoch: U64,
}

const _: () = assert!(size_of::<WalletQuery>() == 40);

impl WalletQuery {
    /// The first page of up to `limit` of a user's coupons in any of `states`; none = all.
    #[must_use]
    pub fn new(user: u64, states: &[State], limit: u16) -> Self {
        let states = states.iter().fold(0, |states, state| states | state.bit());
        Self {
            user: U64::new(user),
            states: U16::new(states),
            limit: U16::new(limit),
            reserved: U32::ZERO,
            cursor: Cursor::default(),
            see_epoch: U64::ZERO,
        }
    }

    /// Whether all reserved bits are zero and the limit is one.
    #[must_use]
    pub fn is_well_formed(&self) -> bool {
        self.reserved.get() == 0 && is_page(self.limit.get().into())
    }
}

/// One coupon of a wallet.
///
/// ```text
/// offset  0  batch       u64
///         8  request     u64   of the claim or reservation
///        16  cursor     16 bytes, where the page after it begins
///        32  taken_ms    u64
///        40  expires_ms  u64   0 = never
///        48  order       u64   told to operators
///        56  serial      u32
///        60  state       u8
///        61  reserved    3 bytes, zero
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct WalletItem {
    /// The batch.
    pub batch: U64,
    /// The request that took it.
    pub request: U64,
    /// Where the page after it begins.
    pub cursor: Cursor,
    /// When it was taken.
    pub taken_ms: U64,
    /// When the coupon, or the reservation, expires; 0 = never.
    pub expires_ms: U64,
    /// The order that holds or redeemed it, as far as it is told.
    pub order: U64,
    /// The serial.
    pub serial: U32,
    state: u8,
    reserved: [u8; 3],
}

const _: () = assert!(size_of::<WalletItem>() == 64);

impl WalletItem {
    /// The coupon `serial` of `batch` in `state`: fill in the other fields.
    #[must_use]
    pub fn new(batch: u64, serial: u32, state: State) -> Self {
        Self {
            batch: U64::new(batch),
            request: U64::ZERO,
            cursor: Cursor::default(),
            taken_ms: U64::ZERO,
            expires_ms: U64::ZERO,
            order: U64::ZERO,
            serial: U32::new(serial),
            state: state as u8,
            reserved: [0; 3],
        }
    }

    /// The state; `None` for one that this client does not know.
    #[must_use]
    pub fn state(&self) -> Option<State> {
        State::from_number(self.state)
    }
}
