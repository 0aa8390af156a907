//! The configuration: its layers, its problems, and the shipped file.

mod every_key;
mod layers;
mod lists_every_problem;
mod shipped_file;
