//! Many runs on servers of its own: for each combination of settings a new server on an empty folder, a closed loop,
//! and the same verification as any other run.
//!
//! [`grid`] says what is tried, [`server`] starts it, [`premises`] and [`interrupt`] see to it that nothing stays
//! behind, [`knee`] judges, [`table`] and [`fragment`] tell.

pub mod fragment;
pub mod grid;
pub mod interrupt;
pub mod knee;
pub mod premises;
pub mod server;
pub mod table;

use std::fmt;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::thread;
use std::time::SystemTime;

use rustix::fs::statfs;
use serde::Serialize;

use crate::plan::Plan;
use crate::report::Report;
use crate::report::machine::{BUILD, Build, Machine};
use crate::run::{RunError, run};
use crate::time::utc;
use crate::view::Screen;
use crate::view::progress::Progress;
use grid::{Grid, Spot};
use knee::{Edge, Knee, Recommendation, knees, recommend};
use premises::Premises;
use server::Launcher;

/// What `statfs` calls a file system in memory, from `linux/magic.h`.
const TMPFS_MAGIC: u64 = 0x0102_1994;

/// What to sweep, and with what.
#[derive(Clone, Debug)]
pub struct Sweep {
    /// What to try.
    pub grid: Grid,
    /// How to start servers.
    pub launcher: Launcher,
    /// The folder in which the sweep makes its own: the disk that is measured.
    pub data_parent: PathBuf,
    /// Every run, but for what the grid says.
    pub plan: Plan,
}

/// What one run found.
#[derive(Clone, Debug, Serialize)]
pub struct Point {
    /// What was run.
    pub spot: Spot,
    /// Claims answered a second.
    pub claims_per_s: f64,
    /// Mean latency.
    pub mean_us: f64,
    /// Half of the claims were faster.
    pub p50_us: f64,
    /// 99 in 100 were.
    pub p99_us: f64,
    /// 999 in 1,000 were.
    pub p999_us: f64,
    /// The server's processor time for each claim.
    pub cpu_ns_per_claim: Option<f64>,
    /// Mean time of the server's syncs.
    pub sync_mean_us: Option<f64>,
    /// Claims that were answered with anything but a grant: the bounds of the server were reached.
    pub refused: u64,
}

/// What a sweep found.
#[derive(Clone, Debug, Serialize)]
pub struct Findings {
    /// When it began, in UTC.
    pub started: String,
    /// The program that measured.
    pub build: Build,
    /// The machine that all of it ran on.
    pub machine: Machine,
    /// The server's version.
    pub server_version: String,
    /// What its answers survived.
    pub durability: String,
    /// What was tried.
    pub grid: Grid,
    /// How long each run was measured.
    pub duration_s: f64,
    /// What users, requests and choices followed from.
    pub seed: u64,
    /// Every run, in the order of the grid.
    pub points: Vec<Point>,
    /// The knee of each curve.
    pub knees: Vec<Knee>,
    /// What to configure.
    pub recommendation: Option<Recommendation>,
    /// What the reader should know before he believes it.
    pub notes: Vec<String>,
}

/// Why there are no findings.
#[derive(Debug)]
pub enum SweepError {
    /// The server's program is not there: name it.
    Program(PathBuf),
    /// The server refuses a setting: choose another.
    Configuration(String),
    /// The temporary folder cannot be made.
    Folder {
        /// Where.
        parent: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The server's program does not run.
    Spawn {
        /// The program.
        program: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A server did not listen.
    Start {
        /// The end of its log.
        log: String,
    },
    /// A run was not carried out.
    Run {
        /// Which.
        spot: Spot,
        /// Why not.
        source: RunError,
    },
    /// A run's verification failed, or nothing was measured: its figures prove nothing, and so does the sweep.
    Unproved {
        /// Which.
        spot: Spot,
        /// What was wrong.
        faults: String,
    },
    /// The operating system refused something else.
    System(io::Error),
}

impl Sweep {
    /// Carries it out, and shows on `screen` how far it is. Blocks until all runs are done.
    ///
    /// # Errors
    /// See [`SweepError`]. The server is killed and the folder removed in any case.
    pub fn carry_out(&self, screen: &Screen) -> Result<Findings, SweepError> {
        let folder_error = |source| SweepError::Folder { parent: self.data_parent.clone(), source };
        let premises = Premises::open(&self.data_parent).map_err(folder_error)?;
        interrupt::clear_when_interrupted(&premises.cleaner()).map_err(SweepError::System)?;
        let found = self.run_all(&premises, screen);
        if found.is_err() && premises.is_closed() {
            interrupt::wait_for_the_end();
        }
        found
    }

    fn run_all(&self, premises: &Premises, screen: &Screen) -> Result<Findings, SweepError> {
        for setting in self.grid.settings() {
            self.launcher.check(setting, premises)?;
        }
        let started = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
        let spots = self.grid.spots();
        let steps = screen.steps(spots.len() as u64);
        let (mut points, mut server_version) = (Vec::with_capacity(spots.len()), String::new());
        for (number, spot) in (1..).zip(&spots) {
            steps.begin(&spot.to_string());
            let report = self.run_at(*spot, premises, screen)?;
            let point = Point::new(*spot, &report);
            screen.say(&format!("{number} of {}: {}", spots.len(), table::line(&point)));
            steps.end();
            points.push(point);
            server_version = report.server.version;
        }
        let knees = knees(&self.grid, &points);
        Ok(Findings {
            started: utc(started.as_secs()),
            build: BUILD,
            machine: Machine::here(),
            server_version,
            durability: self.launcher.durability.clone(),
            grid: self.grid.clone(),
            duration_s: self.plan.duration.as_secs_f64(),
            seed: self.plan.seed,
            notes: self.notes(&points, &knees),
            recommendation: recommend(&self.grid, &knees),
            knees,
            points,
        })
    }

    /// One run on a server of its own.
    fn run_at(&self, spot: Spot, premises: &Premises, screen: &Screen) -> Result<Report, SweepError> {
        let data = premises.folder().join("data");
        let addresses = self.launcher.start(spot.setting, premises, &data)?;
        let plan = Plan {
            server: addresses.data,
            admin: Some(addresses.admin),
            connections: spot.style.connections,
            claims_per_frame: spot.style.claims_per_frame,
            window: spot.window,
            threads: self.plan.threads.min(spot.style.connections),
            ..self.plan.clone()
        };
        let progress = Progress::new(plan.threads);
        let report = thread::scope(|scope| {
            let watcher = scope.spawn(|| screen.watch_one_of_many(&plan, &progress));
            let report = run(&plan, &progress);
            watcher.thread().unpark();
            report
        });
        premises.end_server();
        fs::remove_dir_all(&data).or_else(gone).map_err(SweepError::System)?;
        let report = report.map_err(|source| SweepError::Run { spot, source })?;
        if report.passed {
            return Ok(report);
        }
        let faults = report.verification.faults().into_iter().filter(|(_, count)| *count > 0);
        let faults = faults.map(|(name, count)| format!("{name} {count}")).collect::<Vec<_>>().join(", ");
        let faults =
            if faults.is_empty() { "nothing was measured: give a longer --duration".to_owned() } else { faults };
        Err(SweepError::Unproved { spot, faults })
    }

    fn notes(&self, points: &[Point], knees: &[Knee]) -> Vec<String> {
        let mut notes = Vec::new();
        if self.launcher.durability != "fsync" {
            let durability = &self.launcher.durability;
            notes.push(format!("durability {durability}: these are not the rates of answers that survive a power cut"));
        } else if statfs(&self.data_parent).is_ok_and(|found| u64::try_from(found.f_type) == Ok(TMPFS_MAGIC)) {
            let parent = self.data_parent.display();
            notes.push(format!(
                "{parent} is in memory, where a sync costs nothing: name a folder on your disk with --data-parent"
            ));
        }
        for knee in knees {
            let (style, setting) = (knee.style, knee.setting);
            let place = format!("clients {style} on {} cores, group limit {}", setting.cores, setting.group_claims_max);
            match knee.edge {
                Edge::Inside => {}
                Edge::Only => notes.push(format!("{place}: one window has no knee; give --windows a few")),
                Edge::Largest => {
                    notes.push(format!("{place}: the knee may lie beyond window {}; try larger ones", knee.window));
                }
                Edge::Smallest => {
                    notes.push(format!("{place}: the knee may lie below window {}; try smaller ones", knee.window));
                }
            }
        }
        let refused = points.iter().filter(|point| point.refused > 0).count();
        if refused > 0 {
            notes.push(format!(
                "{refused} runs met a bound of the server (OVERLOADED): a window × claims per frame above \
                 server.in_flight_claims_per_connection shows refusals, not claims"
            ));
        }
        notes
    }
}

/// What is gone already need not be removed.
fn gone(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

impl Point {
    fn new(spot: Spot, report: &Report) -> Self {
        let (latency, metrics) = (&report.latency_us, report.server_metrics.as_ref());
        let granted = report.outcomes.get(stockade_protocol::Status::Granted.name()).copied().unwrap_or(0);
        Self {
            spot,
            claims_per_s: report.claims_per_s,
            mean_us: latency.mean,
            p50_us: latency.p50,
            p99_us: latency.p99,
            p999_us: latency.p999,
            cpu_ns_per_claim: metrics.and_then(|metrics| metrics.cpu_ns_per_claim),
            sync_mean_us: metrics.and_then(|metrics| metrics.whole?.sync_mean_us),
            refused: report.claims.answered.saturating_sub(granted),
        }
    }

    /// A point with this rate and no latencies.
    #[cfg(test)]
    pub(crate) fn of(spot: Spot, claims_per_s: f64) -> Self {
        let (mean_us, p50_us, p99_us, p999_us) = (0.0, 0.0, 0.0, 0.0);
        let (cpu_ns_per_claim, sync_mean_us, refused) = (None, None, 0);
        Self { spot, claims_per_s, mean_us, p50_us, p99_us, p999_us, cpu_ns_per_claim, sync_mean_us, refused }
    }
}

impl SweepError {
    /// Whether the one who called can mend it by calling otherwise.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        match self {
            SweepError::Program(_)
            | SweepError::Configuration(_)
            | SweepError::Folder { .. }
            | SweepError::Spawn { .. } => true,
            SweepError::Start { .. } | SweepError::Run { .. } | SweepError::Unproved { .. } | SweepError::System(_) => {
                false
            }
        }
    }
}

impl fmt::Display for SweepError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SweepError::Program(program) => {
                let program = program.display();
                write!(formatter, "there is no server program {program}: build it, or name it with --stockade PATH")
            }
            SweepError::Configuration(problems) => {
                write!(formatter, "the server would refuse these settings:\n{problems}\nchange the lists or --config")
            }
            SweepError::Folder { parent, source } => {
                let parent = parent.display();
                write!(formatter, "no folder can be made in {parent} ({source}): name another with --data-parent DIR")
            }
            SweepError::Spawn { program, source } => {
                let program = program.display();
                write!(formatter, "{program} does not run ({source}): name the server's program with --stockade PATH")
            }
            SweepError::Start { log } => {
                write!(formatter, "a server ended, or took 30 s, before it listened; the end of its log:\n{log}")
            }
            SweepError::Run { spot, source } => write!(formatter, "the run with {spot} failed: {source}"),
            SweepError::Unproved { spot, faults } => {
                write!(formatter, "the run with {spot} did not pass its verification: {faults}")
            }
            SweepError::System(source) => write!(formatter, "the operating system refuses ({source})"),
        }
    }
}

impl std::error::Error for SweepError {}
