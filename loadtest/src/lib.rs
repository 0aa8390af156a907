//! Load for a Stockade server, the proof that every answer was right, and the tools to read what came out.
//!
//! ```text
//! plan ─► run ─┬─ wire      opens connections, creates the batches
//!              ├─ load      one thread each: epoll, schedules, frames out, replies in; before it, if it needs
//!              │    │       coupons, a load of claims that has them granted
//!              │    └─ timeline   what happened when
//!              ├─ probe     the server's own metrics meanwhile, if its admin port is named
//!              ├─ view      a terminal, or plain lines, meanwhile
//!              ├─ proof     serials, limits, counters, look-ups
//!              ├─ turnover  batches that come and go meanwhile
//!              └─ report    text, JSON, an HTML page, an .hgrm file
//!
//! compare   two reports: what changed, and whether that is too much
//! sweep     many runs on servers of its own: the knee, and what to configure
//! cli       the command line of all of them
//! ```
//!
//! It speaks the wire protocol itself and keeps nothing per claim in flight: who claims what follows from the seed and
//! the claim's position ([`load::population`]), so that a claim costs a few tens of nanoseconds and 10⁸ of them can be
//! verified. It knows nothing of the server beyond the protocol, its metrics and its command line, and uses no client
//! library that could hide latencies.
//!
//! Only for Linux: it waits with epoll, since finer timers than a millisecond are what an open loop stands on.

pub mod cli;
pub mod compare;
pub mod hash;
pub mod limits;
pub mod load;
pub mod plan;
pub mod probe;
pub mod proof;
pub mod report;
pub mod run;
pub mod sweep;
pub mod time;
pub mod timeline;
pub mod turnover;
pub mod view;
pub mod wire;

pub use plan::Plan;
pub use plan::scenario::Scenario;
pub use report::Report;
pub use run::{RunError, run};
pub use view::progress::Progress;
pub use view::watch;
