//! The program `stockade-loadtest`.

use std::process::ExitCode;

use clap::Parser;
use stockade_loadtest::cli::Cli;

fn main() -> ExitCode {
    Cli::parse().carry_out()
}
