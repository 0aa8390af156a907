//! The command line: one file for each command, with what it takes and how it ends.

mod compare;
mod exit;
mod run;
mod sweep;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::report::machine::BUILD;

const EXAMPLES: &str = "\
Examples:
  stockade-loadtest run --closed --connections 16 --window 64 --report run.html
      as fast as the server answers; run.html shows it over time
  stockade-loadtest compare before.json after.json
      what changed between two runs, and whether it is too much
  stockade-loadtest sweep --cores 1,2 --windows 1,4,16,64 --write recommended.toml
      tries settings on servers of its own and recommends some

Each command's --help has more.";

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
    #[command(after_help = run::EXAMPLES)]
    Run(Box<run::RunArguments>),
    /// Compare two reports and fail when the second is worse
    #[command(after_help = compare::EXAMPLES)]
    Compare(compare::CompareArguments),
    /// Try settings on servers of its own, find the knee, recommend a configuration
    #[command(after_help = sweep::EXAMPLES)]
    Sweep(Box<sweep::SweepArguments>),
}

impl Cli {
    /// Does what it says: how the program ends.
    #[must_use]
    pub fn carry_out(self) -> ExitCode {
        match self.command {
            Command::Run(arguments) => run::carry_out(*arguments),
            Command::Compare(arguments) => compare::carry_out(&arguments),
            Command::Sweep(arguments) => sweep::carry_out(*arguments),
        }
    }
}

const _: () = assert!(!BUILD.version.is_empty() && !BUILD.commit.is_empty());

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::plan::Plan;
    use crate::plan::span::Span;

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
            ("operation", plan.operation.name().to_owned()),
            ("page-size", "20".to_owned()),
            ("per-user-day", "unlimited".to_owned()),
            ("per-day", "unlimited".to_owned()),
            ("quantity-max", "unlimited".to_owned()),
            ("holds-per-user", "unlimited".to_owned()),
            ("holds-share", "unlimited".to_owned()),
            ("audience-any", plan.rules.audience_any.to_string()),
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
    fn every_command_has_an_example_that_it_understands() {
        let command = Cli::command();
        let names = command.get_subcommands().map(|one| one.get_name().to_owned()).collect::<Vec<_>>();
        assert_eq!(names, ["run", "compare", "sweep"]);
        for name in names {
            // Not the rendered help, which wraps lines.
            let help = command.find_subcommand(&name).unwrap().get_after_help().unwrap().to_string();
            let examples = help.split("Examples:").nth(1).unwrap_or_else(|| panic!("{name} has no examples: {help}"));
            let lines = examples.lines().map(str::trim).filter(|line| line.starts_with("stockade-loadtest"));
            let parsed = lines.map(|line| Cli::try_parse_from(line.split_whitespace()).map_err(|error| (line, error)));
            let parsed = parsed.collect::<Result<Vec<_>, _>>().unwrap();
            assert!(!parsed.is_empty(), "{name} has no example: {examples}");
        }
    }

    #[test]
    fn the_exact_lines_are_understood() {
        let line = "stockade-loadtest run --server h:1 --closed --rate 5 --connections 2 --claims-per-frame 3 \
                    --window 4 --duration 5s --warm-up 1s --seed 9 --json";
        let Command::Run(run) = Cli::try_parse_from(line.split_whitespace()).unwrap().command else { panic!("{line}") };
        assert!(run.json);
        let settings = run.settings;
        assert_eq!((settings.closed, settings.rate, settings.connections), (Some(true), Some(5), Some(2)));
        assert_eq!((settings.claims_per_frame, settings.window, settings.seed), (Some(3), Some(4), Some(9)));
        assert_eq!(settings.duration, Some(Span(std::time::Duration::from_secs(5))));
        assert_eq!(settings.warm_up, Some(Span(std::time::Duration::from_secs(1))));
        let open = Cli::try_parse_from(["stockade-loadtest", "run", "--closed=false"]).unwrap();
        let Command::Run(open) = open.command else { panic!("--closed=false") };
        assert_eq!(open.settings.closed, Some(false), "a flag can undo what a file says");
    }
}
