//! The generator: what leaves when, and what comes back.
//!
//! A [`worker`] is a thread; it serves [`lane`]s, each a socket with its [`connection`], which knows no socket. A
//! connection asks its [`schedule`] when a frame is due, the [`population`] what is in it, and keeps it in its
//! [`window`] until the reply comes. Everything is counted in the thread's [`tally`].

pub mod connection;
pub mod lane;
pub mod population;
pub mod rounds;
pub mod schedule;
pub mod tally;
pub mod window;
pub mod worker;
