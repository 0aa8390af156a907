//! Server: sockets, bursts, replies. The only async code on the data path.
//!
//! One acceptor deals connections out to the cores in turn. A core is a thread with its own single-threaded runtime,
//! its connections, its bucket of every batch and its journal buffer: a claim never leaves the thread that read it
//! until the committer has made it durable. What one readable event brings is one burst; the replies of a durable epoch
//! leave a connection in one write.
//!
//! Everything is bounded, and every bound has an answer: see [`options`].

mod acceptor;
mod burst;
mod connection;
mod core;
mod intake;
mod options;
mod outbox;
mod session;

pub use acceptor::{Server, StartError};
pub use options::ServerOptions;

pub use crate::access::Access;
