//! What operators tune, converted once from the configuration.

use std::net::SocketAddr;
use std::time::Duration;

use stockade_protocol::hello::Durability;

use crate::access::Access;

/// Bounds and times of the data port.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// Where to listen.
    pub listen: SocketAddr,
    /// What answers survive; told to every client.
    pub durability: Durability,
    /// Open connections; one more is closed at once.
    pub connections_max: usize,
    /// Claims of one connection that wait for their answers; one more is answered `OVERLOADED`.
    pub in_flight_per_connection_max: usize,
    /// The same for the whole server.
    pub in_flight_max: usize,
    /// Threads that answer what reads files.
    pub reader_threads: usize,
    /// From the connection to its handshake.
    pub handshake_timeout: Duration,
    /// From a frame's first byte to its last.
    pub frame_timeout: Duration,
    /// How long a client may leave replies unread.
    pub write_stall_timeout: Duration,
    /// How long a connection may be silent.
    pub idle_timeout: Duration,
    /// How long a shutdown waits for replies to leave.
    pub drain_timeout: Duration,
    /// Who may do what.
    pub access: Access,
}
