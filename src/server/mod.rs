//! Server: sockets, bursts, replies. The only async code on the data path.
//!
//! One acceptor deals connections out to the cores in turn. A core is a thread with its own single-threaded runtime,
//! its connections, its bucket of every batch and its journal buffer: a claim never leaves the thread that read it
//! until the committer has made it durable. What one readable event brings is one burst; the replies of a durable epoch
//! leave a connection in one write.
//!
//! What reads files is answered by threads of its own ([`reader`]), and so are subscriptions of the feed ([`feeder`]).
//!
//! Everything is bounded, and every bound has an answer: see [`options`].

mod acceptor;
mod admission;
mod advice;
mod answers;
mod burst;
mod connection;
mod core;
mod desk;
mod feeder;
mod intake;
mod options;
mod outbox;
mod reader;
mod session;
mod subscription;

pub use acceptor::{Server, StartError};
pub use options::ServerOptions;

pub use crate::access::Access;
