//! `stockade-loadtest run`.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;

use super::exit::{FAILED, USAGE, fail, unwritable};
use crate::plan::Plan;
use crate::plan::scenario::Scenario;
use crate::report::Report;
use crate::report::hgrm::Hgrm;
use crate::report::page::Page;
use crate::run::run;
use crate::view::progress::Progress;
use crate::view::watch;

pub(super) const EXAMPLES: &str = "\
Examples:
  stockade-loadtest run --rate 50000 --claims-per-frame 8 --duration 10s
      offers 50,000 claims/s on a schedule; latency counts from each claim's intended start
  stockade-loadtest run --closed --connections 16 --window 64 --claims-per-frame 64
      as fast as the server answers
  stockade-loadtest run --scenario config/flash-sale.toml --rate 80000 --json
      a scenario from a file, faster, as JSON
  stockade-loadtest run --admin 127.0.0.1:7401 --report run.html --json-file run.json
      a page with all curves, the server's fsync time and CPU included, and JSON for `compare`
  stockade-loadtest run --closed --claims-per-frame 64 --turnover 1000 --claims 50000000 --duration 1h
      sells 50,000 batches of 1,000 units one after the other; each is closed when it is sold out
  stockade-loadtest run --operation reserve-confirm --closed --claims-per-frame 64
      each unit is reserved, and confirmed when the answer comes; the rate is that of finished pairs
  stockade-loadtest run --operation lock-redeem --rate 20000 --duration 10s
      coupons that were granted before are locked and redeemed
  stockade-loadtest run --operation wallet --closed --users 10000 --per-user unlimited --grants 200000
      first pages of the wallets of 10,000 users with 20 coupons each
  stockade-loadtest run --closed --per-user-day 1 --per-day 4000000000 --quantity-max 1 --audience-any 1
      claims with every limit on; the same without these flags says what they cost
  stockade-loadtest run --hgrm run.hgrm
      percentiles for HdrHistogram's plotters

Exit status: 0 measured and verified, 1 the verification failed or nothing was measured, 2 usage.";

/// How to run.
#[derive(clap::Args, Debug)]
pub struct RunArguments {
    /// Scenario file (TOML); flags and environment come before what it says
    #[arg(long = "scenario", value_name = "FILE")]
    pub file: Option<PathBuf>,

    /// Print the report as JSON, and nothing else, on standard output
    #[arg(long)]
    pub json: bool,

    /// Write the report as JSON into a file: what `compare` reads
    #[arg(long, value_name = "FILE")]
    pub json_file: Option<PathBuf>,

    /// Write the report as one HTML page that needs no network
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,

    /// Write the percentile distribution as the text that HdrHistogram's plotters read, in milliseconds
    #[arg(long, value_name = "FILE")]
    pub hgrm: Option<PathBuf>,

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

    /// Every file to write, with its flag.
    fn files(&self) -> Vec<(&'static str, Format, PathBuf)> {
        let asked = [
            ("--json-file", Format::Json, &self.json_file),
            ("--report", Format::Page, &self.report),
            ("--hgrm", Format::Hgrm, &self.hgrm),
        ];
        asked.into_iter().filter_map(|(flag, format, path)| Some((flag, format, path.clone()?))).collect()
    }
}

/// What a file shows of a report.
#[derive(Clone, Copy, Debug)]
enum Format {
    Json,
    Page,
    Hgrm,
}

impl Format {
    fn text(self, report: &Report) -> io::Result<String> {
        match self {
            Format::Json => Ok(serde_json::to_string_pretty(report)? + "\n"),
            Format::Page => Ok(Page(report).to_string()),
            Format::Hgrm => Ok(Hgrm(&report.distribution).to_string()),
        }
    }
}

/// Runs, prints and writes.
pub(super) fn carry_out(arguments: RunArguments) -> ExitCode {
    let (json, files) = (arguments.json, arguments.files());
    let plan = match arguments.plan() {
        Ok(plan) => plan,
        Err(problems) => return fail(&problems.join("\n"), USAGE),
    };
    // Told now, and not when the run is over.
    let unwritable = files.iter().filter_map(|(flag, _, path)| unwritable(flag, path)).collect::<Vec<_>>();
    if !unwritable.is_empty() {
        return fail(&unwritable.join("\n"), USAGE);
    }
    let progress = Progress::new(plan.threads);
    let result = thread::scope(|scope| {
        let watcher = scope.spawn(|| watch(&plan, &progress));
        let result = run(&plan, &progress);
        watcher.thread().unpark();
        result
    });
    let report = match result {
        Ok(report) => report,
        Err(error) if error.is_usage() => return fail(&error.to_string(), USAGE),
        Err(error) => return fail(&error.to_string(), FAILED),
    };
    let printed = print(&report, json).map_err(|error| format!("cannot print the report: {error}"));
    let written = files.iter().map(|(_, format, path)| write(*format, path, &report));
    let problems = std::iter::once(printed).chain(written).filter_map(Result::err).collect::<Vec<_>>();
    match problems.is_empty() {
        true if report.passed => ExitCode::SUCCESS,
        true => FAILED.into(),
        false => fail(&problems.join("\n"), FAILED),
    }
}

fn print(report: &Report, json: bool) -> io::Result<()> {
    let text = if json { Format::Json.text(report)? } else { format!("{report}\n") };
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

fn write(format: Format, path: &Path, report: &Report) -> Result<(), String> {
    let written = format.text(report).and_then(|text| fs::write(path, text));
    written.map_err(|error| format!("cannot write {}: {error}", path.display()))
}
