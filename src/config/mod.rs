//! The server's configuration: defaults < file < environment < flags, read once and checked as a whole at boot.
//!
//! [`Loader`] collects the layers and every problem in them; [`Loader::finish`] gives back either a [`Config`] whose
//! values are typed, within their bounds and consistent with each other, or all [`Problems`] at once.
//! `keys` holds the one table of keys: name, place, bound. `config/stockade.toml` is the same table for people, and
//! equals [`Config::default`] by test.
//!
//! Refuses to know: what the values are for. Only `cli` and `main` import this module; they convert a [`Config`] into
//! each layer's own options. Tokens are never shown: not in problems, not in `Debug`, not in the effective values.

mod document;
mod environment;
mod field;
mod keys;
mod load;
mod problem;
mod relations;
mod values;

pub use field::Shown;
pub use keys::FILE_BYTES_MAX;
pub use load::{Effective, Loaded, Loader};
pub use problem::{Origin, Problem, Problems};
pub use values::{
    Admin, Auth, Batches, Config, Feed, Journal, Level, Log, Reading, Reservations, Server, Storage, Token, Users,
};
