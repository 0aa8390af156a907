//! Admin: `/metrics`, `/livez` and `/readyz` over HTTP, on a port and a thread of their own.
//!
//! The port opens before recovery, so that a long recovery can be told from a hung process. It reads what the cores and
//! the committer count, and never makes them wait: a scrape takes no lock of theirs.
//!
//! One request a connection, without a body. Connections, the size of a request and the time of all of it are bounded:
//! see [`port`] and [`conversation`]. Every metric is described in `docs/metrics.md`.

mod answer;
mod conversation;
mod exposition;
mod page;
mod port;
mod process;
mod scale;
mod state;

pub use port::{Admin, AdminOptions, StartError};
