//! `stockade-loadtest compare`.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use super::exit::{FAILED, USAGE, fail};
use crate::compare::{Comparison, Saved};

pub(super) const EXAMPLES: &str = "\
Examples:
  stockade-loadtest compare before.json after.json
      both written by `run --json-file`; fails when after.json is worse by more than 10 %
  stockade-loadtest compare before.json after.json --threshold 25
      on a machine that is not quiet
  stockade-loadtest compare fsync.json os.json --force
      two runs that are not the same thing, on purpose

Worse is a lower claims/s, or a higher p50, p99 or p99.9; the other rows are shown and do not decide.

Exit status: 0 not worse, 1 worse, 2 usage: a file that is no report, or parameters that differ without --force.";

/// What to compare.
#[derive(clap::Args, Debug)]
pub struct CompareArguments {
    /// The report to compare with
    #[arg(value_name = "A.json")]
    before: PathBuf,

    /// The report to judge
    #[arg(value_name = "B.json")]
    after: PathBuf,

    /// By how many percent a figure may be worse
    #[arg(long, value_name = "PERCENT", default_value = "10", value_parser = percent)]
    threshold: f64,

    /// Compare runs with different parameters all the same
    #[arg(long)]
    force: bool,
}

fn percent(text: &str) -> Result<f64, String> {
    let percent = text.parse::<f64>().ok().filter(|percent| percent.is_finite() && *percent >= 0.0);
    percent.ok_or_else(|| "give a number of percent from 0 on, like 10".to_owned())
}

/// Compares and prints.
pub(super) fn carry_out(arguments: &CompareArguments) -> ExitCode {
    let (before, after) = match (Saved::read(&arguments.before), Saved::read(&arguments.after)) {
        (Ok(before), Ok(after)) => (before, after),
        (before, after) => {
            let problems = [before.err(), after.err()].into_iter().flatten().map(|error| error.to_string());
            return fail(&problems.collect::<Vec<_>>().join("\n"), USAGE);
        }
    };
    let comparison = Comparison::new(before, after, arguments.threshold);
    let objections = comparison.objections();
    if !objections.is_empty() && !arguments.force {
        let list = objections.join("\n  ");
        let text = format!("these two cannot be compared:\n  {list}\nrun B again with A's parameters, or add --force");
        return fail(&text, USAGE);
    }
    match writeln!(io::stdout(), "{comparison}") {
        Ok(()) if comparison.is_worse() => FAILED.into(),
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&format!("cannot print the comparison: {error}"), FAILED),
    }
}
