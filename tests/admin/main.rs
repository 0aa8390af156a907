//! The admin port: real engines and a real server, asked through real HTTP.

mod commit_metrics;
mod connections_are_bounded;
mod documented;
mod histogram_bounds;
mod operations;
mod page;
mod port;
mod readiness;
mod refusals;
mod refused_frames;
mod served_claims;
mod support;
mod text_is_valid;
