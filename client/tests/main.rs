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
mod contradictions;
mod coupons;
mod deadline_in_frames;
mod feed_acknowledgement_refused;
mod feed_broken_server;
mod feed_consumers;
mod feed_cut;
mod feed_events;
mod feed_idle;
mod feed_next_cancelled;
mod feed_refused;
mod feed_window;
mod handshake_refused;
mod host_names;
mod idle_close;
mod impossible_input;
mod last_clone;
mod newer_server;
mod other_store;
mod overload;
mod reading;
mod reservations;
mod retry_after_cut;
mod second_runtime;
mod silent_connection;
mod split_serials;
mod storm;
mod unavailable;
mod unknown_outcome;
mod wallet_pages;
mod window;
