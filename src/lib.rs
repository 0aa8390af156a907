//! Stockade: a single-node stock-deduction engine. See `docs/architecture.md` for the picture.

pub mod access;
pub mod admin;
pub mod cli;
pub mod config;
pub mod engine;
pub mod feed;
pub mod index;
pub mod journal;
pub mod limits;
pub mod metrics;
pub mod pace;
pub mod prefetch;
pub mod server;
pub mod stock;
pub mod types;
pub mod users;
