//! The program `stockade`: the allocator, the command line, and what `serve` starts.

mod service;

use std::process::ExitCode;

/// One allocator for Rust and RocksDB's C++: two would each keep pages that the other needs.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    stockade::cli::run(std::env::args_os(), service::serve)
}
