//! `stockade-loadtest sweep`.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread::available_parallelism;
use std::time::Duration;

use clap::ValueEnum;

use super::exit::{FAILED, USAGE, fail, unwritable};
use crate::plan::Plan;
use crate::plan::scenario::Scenario;
use crate::plan::span::Span;
use crate::sweep::fragment::Fragment;
use crate::sweep::grid::{Grid, Spot, Style};
use crate::sweep::server::{Launcher, find_program};
use crate::sweep::{Findings, Sweep};
use crate::view::Screen;

pub(super) const EXAMPLES: &str = "\
Examples:
  stockade-loadtest sweep --cores 1,2 --windows 1,4,16,64 --group-limits 65536,262144 --duration 2s
      32 runs, each on a new server with an empty folder in the current one; about two minutes
  stockade-loadtest sweep --styles 8x512 --windows 1,2,4,8 --write recommended.toml
      clients as you expect them; then `stockade serve --config recommended.toml`

The knee of a curve is the window with the greatest throughput divided by mean latency.
Each batch has as many buckets as the server has cores, so that --cores sweeps both.

Exit status: 0 done, 1 a run failed or was not proved, 2 usage, 130 interrupted. The servers are
killed and their data is removed in each case.";

/// Time that a run takes beside its load: a server starts, grants are looked up.
const OVERHEAD: Duration = Duration::from_millis(500);

/// How long a run waits for outstanding replies: the server is on this machine, and nobody restarts it.
const DRAIN_LIMIT: Duration = Duration::from_secs(3);

/// What to try.
#[derive(clap::Args, Debug)]
pub struct SweepArguments {
    /// Network threads of the server (`server.cores`) [default: powers of two up to this machine's]
    #[arg(long, value_name = "N,N…", value_delimiter = ',')]
    cores: Vec<u32>,

    /// Frames in flight on each connection
    #[arg(long, value_name = "N,N…", value_delimiter = ',', default_value = "1,4,16,64")]
    windows: Vec<u32>,

    /// Claims in one group commit (`journal.group_claims_max`)
    #[arg(long, value_name = "N,N…", value_delimiter = ',', default_value = "65536,262144")]
    group_limits: Vec<u32>,

    /// Client styles, each CONNECTIONSxCLAIMS-PER-FRAME
    #[arg(long, value_name = "CxN,CxN…", value_delimiter = ',', default_value = "64x1,16x64")]
    styles: Vec<Style>,

    /// How long to measure each run
    #[arg(long, value_name = "SPAN", default_value = "2s")]
    duration: Span,

    /// How long to run before measuring
    #[arg(long, value_name = "SPAN", default_value = "500ms")]
    warm_up: Span,

    /// Generator threads
    #[arg(long, value_name = "T", default_value = "1")]
    threads: u32,

    /// Users, requests and choices follow from it
    #[arg(long, value_name = "S", default_value = "1")]
    seed: u64,

    /// Most grants of a run that are looked up; of more, an even sample is
    #[arg(long, value_name = "N", default_value = "100000")]
    sample: u64,

    /// What the server's answers survive
    #[arg(long, default_value = "fsync")]
    durability: Durability,

    /// The server's program [default: `stockade` beside this one]
    #[arg(long, value_name = "PATH")]
    stockade: Option<PathBuf>,

    /// Configuration file for all servers, below what the sweep sets
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Token for the servers, if --config asks for one: an operator's; better in the environment
    #[arg(long, value_name = "TEXT", env = "STOCKADE_TOKEN", hide_env_values = true)]
    token: Option<String>,

    /// Existing folder in which the sweep makes a temporary one: the disk that is measured
    #[arg(long, value_name = "DIR", default_value = ".")]
    data_parent: PathBuf,

    /// Write the recommended settings, with the reasons, as a piece of a configuration file; it must not exist
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,

    /// Print all findings as JSON, and nothing else, on standard output
    #[arg(long)]
    json: bool,
}

/// What an answer survives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Durability {
    /// The loss of power
    Fsync,
    /// The death of the process
    Os,
    /// Nothing
    Memory,
}

impl Durability {
    const fn name(self) -> &'static str {
        match self {
            Durability::Fsync => "fsync",
            Durability::Os => "os",
            Durability::Memory => "memory",
        }
    }
}

impl SweepArguments {
    /// The sweep that is asked for, as far as can be told without a server.
    fn sweep(&self) -> Result<Sweep, Vec<String>> {
        let cores = if self.cores.is_empty() { powers_of_two() } else { self.cores.clone() };
        let grid =
            Grid::new(&cores, &self.group_limits, &self.styles, &self.windows).map_err(|problem| vec![problem])?;
        let mut problems = Vec::new();
        for spot in grid.spots() {
            problems.extend(Plan::new(self.scenario(spot)).err().unwrap_or_default());
        }
        problems.sort();
        problems.dedup();
        problems.extend(self.write.as_deref().and_then(unwritable_fragment));
        let program = find_program(self.stockade.clone()).map_err(|error| problems.push(error.to_string()));
        let plan = Plan::new(self.scenario(grid.spots()[0]));
        match (plan, program) {
            (Ok(plan), Ok(program)) if problems.is_empty() => {
                let (config, durability) = (self.config.clone(), self.durability.name().to_owned());
                let launcher = Launcher { program, config, durability };
                Ok(Sweep { grid, launcher, data_parent: self.data_parent.clone(), plan })
            }
            (_, _) => Err(problems),
        }
    }

    fn scenario(&self, spot: Spot) -> Scenario {
        Scenario {
            token: self.token.clone(),
            closed: Some(true),
            connections: Some(spot.style.connections),
            claims_per_frame: Some(spot.style.claims_per_frame),
            window: Some(spot.window),
            threads: Some(self.threads),
            duration: Some(self.duration),
            drain_limit: Some(Span(DRAIN_LIMIT)),
            warm_up: Some(self.warm_up),
            seed: Some(self.seed),
            sample: Some(self.sample),
            ..Scenario::default()
        }
    }
}

/// 1, 2, 4 … and as many as this machine has.
fn powers_of_two() -> Vec<u32> {
    let all = available_parallelism().map_or(1, |count| u32::try_from(count.get()).unwrap_or(u32::MAX));
    let mut cores = (0..u32::BITS).map(|power| 1 << power).take_while(|cores| *cores < all).collect::<Vec<u32>>();
    cores.push(all);
    cores
}

fn unwritable_fragment(path: &Path) -> Option<String> {
    let exists = path.is_file().then(|| format!("--write {} exists: name a new file", path.display()));
    exists.or_else(|| unwritable("--write", path))
}

/// Sweeps, prints and writes.
pub(super) fn carry_out(arguments: SweepArguments) -> ExitCode {
    let sweep = match arguments.sweep() {
        Ok(sweep) => sweep,
        Err(problems) => return fail(&problems.join("\n"), USAGE),
    };
    let screen = Screen::new();
    let count = u32::try_from(sweep.grid.len()).unwrap_or(u32::MAX);
    let each = sweep.plan.warm_up + sweep.plan.duration + OVERHEAD;
    screen.say(&format!("{count} runs, about {} s", (each * count).as_secs()));
    let findings = match sweep.carry_out(&screen) {
        Ok(findings) => findings,
        Err(error) if error.is_usage() => return fail(&error.to_string(), USAGE),
        Err(error) => return fail(&error.to_string(), FAILED),
    };
    if let Err(error) = print(&findings, arguments.json) {
        return fail(&format!("cannot print the findings: {error}"), FAILED);
    }
    match arguments.write.map(|path| write(&path, &findings)) {
        None | Some(Ok(())) => ExitCode::SUCCESS,
        Some(Err(text)) => fail(&text, FAILED),
    }
}

fn print(findings: &Findings, json: bool) -> io::Result<()> {
    let text = if json { serde_json::to_string_pretty(findings)? } else { findings.to_string() };
    let mut out = io::stdout().lock();
    writeln!(out, "{text}")?;
    out.flush()
}

fn write(path: &Path, findings: &Findings) -> Result<(), String> {
    let shown = path.display();
    let recommendation = findings.recommendation.as_ref();
    let recommendation = recommendation.ok_or_else(|| format!("{shown} is not written: nothing is recommended"))?;
    let text = Fragment { findings, recommendation }.to_string();
    fs::write(path, text).map_err(|error| format!("cannot write {shown}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_cores_end_with_all_of_them() {
        let cores = powers_of_two();
        let all = available_parallelism().unwrap().get();
        assert_eq!(*cores.last().unwrap() as usize, all);
        assert!(cores.windows(2).all(|pair| pair[0] < pair[1] && pair[0].is_power_of_two()), "{cores:?}");
    }
}
