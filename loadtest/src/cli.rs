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

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::span::Span;

    #[test]
    fn the_help_names_the_defaults_as_they_are() {
        let mut command = Cli::command();
        let run = command.find_subcommand_mut("run").unwrap();
        let help = run.render_help().to_string().split_whitespace().collect::<Vec<_>>().join(" ");
        let plan = Plan::default();
        let seconds = |span: std::time::Duration| format!("{}s", span.as_secs());
        for (flag, default) in [
            ("server", plan.server),
            ("rate", plan.rate.to_string()),
            ("arrivals", plan.arrivals.name().to_owned()),
            ("connections", plan.connections.to_string()),
            ("threads", plan.threads.to_string()),
            ("claims-per-frame", plan.claims_per_frame.to_string()),
            ("window", plan.window.to_string()),
            ("duration", seconds(plan.duration)),
            ("warm-up", seconds(plan.warm_up)),
            ("drain-limit", seconds(plan.drain_limit)),
            ("seed", plan.seed.to_string()),
            ("repeat-ratio", plan.repeat_ratio.to_string()),
            ("retry-ratio", plan.retry_ratio.to_string()),
            ("sample", plan.sample.to_string()),
            ("batches", plan.batches.to_string()),
            ("batch-mix", plan.batch_mix.name().to_owned()),
            ("per-user", plan.per_user.unwrap().to_string()),
            ("batch-name", plan.batch_name),
        ] {
            let about =
                help.split(&format!("--{flag} ")).nth(1).unwrap_or_else(|| panic!("--{flag} is missing: {help}"));
            let about = about.split(" --").next().unwrap();
            assert!(about.contains(&format!("[default: {default}]")), "--{flag} should default to {default}: {about}");
        }
    }

    #[test]
    fn the_exact_lines_are_understood() {
        let line = "stockade-loadtest run --server h:1 --closed --rate 5 --connections 2 --claims-per-frame 3 \
                    --window 4 --duration 5s --warm-up 1s --seed 9 --json";
        let Command::Run(run) = Cli::try_parse_from(line.split_whitespace()).unwrap().command;
        assert!(run.json);
        let settings = run.settings;
        assert_eq!((settings.closed, settings.rate, settings.connections), (Some(true), Some(5), Some(2)));
        assert_eq!((settings.claims_per_frame, settings.window, settings.seed), (Some(3), Some(4), Some(9)));
        assert_eq!(settings.duration, Some(Span(std::time::Duration::from_secs(5))));
        assert_eq!(settings.warm_up, Some(Span(std::time::Duration::from_secs(1))));
        let open = Cli::try_parse_from(["stockade-loadtest", "run", "--closed=false"]).unwrap();
        let Command::Run(open) = open.command;
        assert_eq!(open.settings.closed, Some(false), "a flag can undo what a file says");
    }
}
