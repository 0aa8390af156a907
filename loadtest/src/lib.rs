//! Open-loop load for a Stockade server, and the proof that every answer was right.
//!
//! ```text
//! scenario ─► plan ─► run ─┬─ batches      creates them, over the control connection
//!                          ├─ worker × N   one thread: epoll, schedules, lanes
//!                          │    └─ lane    a socket and its connection
//!                          │         └─ connection   frames out, replies in, without a socket
//!                          ├─ verify       serials, limits, counters, look-ups
//!                          └─ report
//! ```
//!
//! It speaks the wire protocol itself and keeps nothing per claim in flight: who claims what follows from the seed and
//! the claim's position ([`population`]), so that a claim costs a few tens of nanoseconds and 10⁸ of them can be
//! verified. It knows nothing of the server beyond the protocol, and uses no client library that could hide latencies.
//!
//! Only for Linux: it waits with epoll, since finer timers than a millisecond are what an open loop stands on.

pub mod batch_mix;
pub mod batches;
pub mod books;
pub mod cli;
pub mod connection;
pub mod control;
pub mod hash;
pub mod lane;
pub mod ledger;
pub mod limit_check;
pub mod limits;
pub mod link;
pub mod machine;
pub mod plan;
pub mod population;
pub mod progress;
pub mod reconnect;
pub mod report;
pub mod run;
pub mod scenario;
pub mod schedule;
pub mod serials;
pub mod span;
pub mod tally;
pub mod text;
pub mod time;
pub mod verdict;
pub mod verify;
pub mod watch;
pub mod window;
pub mod worker;

pub use plan::Plan;
pub use progress::Progress;
pub use report::Report;
pub use run::{RunError, run};
pub use scenario::Scenario;
pub use watch::watch;
