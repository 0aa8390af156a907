//! The program `stockade`: the allocator, the command line, and what `serve` starts.

mod allocator;
mod service;

use std::process::ExitCode;

fn main() -> ExitCode {
    stockade::cli::run(std::env::args_os(), service::serve)
}
