//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::machine::BUILD;
use crate::plan::Plan;
use crate::scenario::Scenario;

const EXAMPLES: &str = "\
Examples:
  stockade-loadtest run --rate 50000 --claims-per-frame 8 --duration 10s
      offers 50,000 claims/s on a schedule; latency counts from each claim's intended start
  stockade-loadtest run --closed --connections 16 --window 64 --claims-per-frame 64
      as fast as the server answers
  stockade-loadtest run --scenario config/flash-sale.toml --rate 80000 --json
      a scenario from a file, faster, as JSON

Exit status: 0 measured and verified, 1 the verification failed or nothing was measured, 2 usage.";

/// Offers load to a Stockade server and proves that every answer was right.
#[derive(Parser, Debug)]
#[command(name = "stockade-loadtest", version = VERSION, after_help = EXAMPLES)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), ", commit ", env!("STOCKADE_COMMIT"));

/// What to do.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Run a load, verify it, report
    #[command(after_help = EXAMPLES)]
    Run(Box<RunArguments>),
}

/// How to run.
#[derive(clap::Args, Debug)]
pub struct RunArguments {
    /// Scenario file (TOML); flags and environment come before what it says
    #[arg(long = "scenario", value_name = "FILE")]
    pub file: Option<PathBuf>,

    /// Print the report as JSON, and nothing else, on standard output
    #[arg(long)]
    pub json: bool,

    /// Everything else.
    #[command(flatten)]
    pub settings: Scenario,
}

impl RunArguments {
    /// The run that is asked for.
    ///
    /// # Errors
    /// A sentence for each thing that is wrong.
    pub fn plan(self) -> Result<Plan, Vec<String>> {
        let file = match &self.file {
            Some(path) => Scenario::read(path).map_err(|problem| vec![problem])?,
            None => Scenario::default(),
        };
        Plan::new(self.settings.or(file))
    }
}

const _: () = assert!(!BUILD.version.is_empty() && !BUILD.commit.is_empty());
