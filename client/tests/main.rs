//! The client against a scripted server over real sockets, one scenario a file.
//!
//! Nothing sleeps. Where time must pass, tokio's clock is paused once the server has what it waits for: the clock then
//! jumps to the next timer as soon as nothing else can run.

mod support;

mod answers_that_settle_nothing;
mod batches;
mod broken_server;
mod cancelled_calls;
mod coalescing;
mod connections_on_demand;
mod deadline_in_frames;
mod handshake_refused;
mod host_names;
mod idle_close;
mod impossible_input;
mod last_clone;
mod newer_server;
mod other_store;
mod overload;
mod retry_after_cut;
mod second_runtime;
mod silent_connection;
mod split_serials;
mod storm;
mod unavailable;
mod unknown_outcome;
mod window;
