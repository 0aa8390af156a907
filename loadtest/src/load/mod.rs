//! The generator: what leaves when, and what comes back.
//!
//! A [`worker`] is a thread; it serves [`lane`]s, each a socket with its [`connection`], which knows no socket. A
//! connection asks its [`schedule`] when a frame is due, its [`work`] what is in it, and keeps it in its [`window`]
//! until the reply comes. Work is [`claims`], [`pairs`] of requests or [`pages`] of wallets, of users whom the
//! [`population`] knows. Everything is counted in the thread's [`tally`].

pub mod claims;
pub mod connection;
pub mod lane;
pub mod pages;
pub mod pairs;
pub mod population;
pub mod rounds;
pub mod schedule;
pub mod step_tally;
pub mod tally;
pub mod window;
pub mod work;
pub mod worker;
