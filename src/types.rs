//! Words of all layers: ids and time.

/// A batch's id.
pub type BatchId = u64;
/// A user's id.
pub type UserId = u64;
/// A caller's id of one request.
pub type RequestId = u64;

/// The number of a group commit: the only clock of durability.
pub type Epoch = u64;

/// Milliseconds since 1970, UTC, by the server's clock that never goes back.
pub type TimeMs = u64;

/// A caller's id of an order.
pub type OrderId = u64;

/// The number that stands for a client's name in the journal; 0 = the server itself, or not recorded.
pub type ClientNumber = u16;
