//! The client's bounds. The server's own limits, told in the handshake, apply on top.

use std::time::Duration;

/// Connections of one client. More spread no load: a server deals connections out to its cores.
pub const CONNECTIONS_MAX: usize = 256;

/// Requests that wait for a connection to take them. A lower bound stalls crowds before the server is busy, a higher
/// one only keeps work that will be late (a waiting request takes about 200 bytes).
pub const QUEUED_REQUESTS_MAX: usize = 65_536;

/// Longest deadline of a call. It fits the four bytes of milliseconds that a frame has for it.
pub const DEADLINE_MAX: Duration = Duration::from_hours(24);

/// Requests of one connection that wait for their answers, even when the server would allow more.
pub(crate) const IN_FLIGHT_MAX: usize = 262_144;

/// Time for resolving the name, connecting and shaking hands. Long enough for one lost SYN (1 s) and a busy server.
pub(crate) const CONNECT_LIMIT: Duration = Duration::from_secs(3);

/// Addresses of one name that are tried, each for its share of [`CONNECT_LIMIT`].
pub(crate) const ADDRESSES_MAX: usize = 8;

/// Bytes asked of the socket at once. Less costs system calls, more only memory.
pub(crate) const READ_BYTES: usize = 64 * 1_024;

/// How long a feed sends nothing before it sends a ping. A third of the time after which a server closes what is idle.
pub(crate) const FEED_PING_INTERVAL: Duration = Duration::from_secs(20);

const _: () = assert!(DEADLINE_MAX.as_millis() <= u32::MAX as u128);
