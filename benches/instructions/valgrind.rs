//! Counting with valgrind's callgrind, which runs a program on a simulated processor and counts every instruction.
//! (Cachegrind counts the same and takes half as long again; it looks up the source line of each instruction.)

use std::collections::BTreeMap;
use std::env;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::workload::Workload;

/// Settings of the allocator: one arena, and nothing that depends on the time.
const ALLOCATOR_SETTINGS: &str = "narenas:1,dirty_decay_ms:-1,muzzy_decay_ms:-1";

/// A valgrind that works here.
pub(crate) struct Valgrind {
    program: PathBuf,
}

impl Valgrind {
    /// Looks for it. The error says why nothing can be counted.
    pub(crate) fn find() -> Result<Self, String> {
        if env::consts::ARCH != "x86_64" {
            return Err(format!("the budgets are those of x86_64, this is {}", env::consts::ARCH));
        }
        let program = env::current_exe().map_err(|error| format!("this program has no path: {error}"))?;
        let tried = callgrind().arg("true").output().map_err(|error| {
            format!("valgrind cannot be started ({error}); install it, on Debian or Ubuntu: apt-get install valgrind")
        })?;
        if tried.status.success() {
            return Ok(Self { program });
        }
        Err(format!("valgrind does not work here ({}): {}", tried.status, String::from_utf8_lossy(&tried.stderr)))
    }

    /// The program that it runs: this one.
    pub(crate) fn program(&self) -> String {
        self.program.display().to_string()
    }

    /// Instructions of one operation of each workload, in order. Counts several at a time.
    pub(crate) fn count(&self, workloads: &[&Workload]) -> impl Iterator<Item = Result<f64, String>> {
        let runs = workloads.iter().flat_map(|workload| [(workload, 1), (workload, 2)]).collect::<Vec<_>>();
        let (next, threads) = (AtomicUsize::new(0), thread::available_parallelism().map_or(1, usize::from));
        let mut counts = thread::scope(|scope| {
            let count = || {
                let claimed = std::iter::from_fn(|| runs.get(next.fetch_add(1, Ordering::Relaxed)));
                claimed.map(|(workload, rounds)| ((workload.name, *rounds), self.run(workload.name, *rounds))).collect()
            };
            let threads = (0..threads).map(|_| scope.spawn(count)).collect::<Vec<_>>();
            let counts = threads.into_iter().map(|thread| thread.join().expect("it returns its errors"));
            counts.flat_map(|counts: Vec<_>| counts).collect::<BTreeMap<_, _>>()
        });
        let mut take = move |name, rounds| counts.remove(&(name, rounds)).expect("every run was claimed");
        workloads.iter().map(move |workload| {
            let (one, two) = (take(workload.name, 1)?, take(workload.name, 2)?);
            Ok((two - one) / f64::from(workload.operations))
        })
    }

    /// All instructions of a process that does some rounds of a workload.
    fn run(&self, workload: &str, rounds: u32) -> Result<f64, String> {
        let rounds = rounds.to_string();
        let output = callgrind().arg(&self.program).args(["--once", workload, &rounds]).output();
        let output = output.map_err(|error| format!("valgrind cannot be started: {error}"))?;
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        if !output.status.success() {
            return Err(format!("the workload {workload} failed under valgrind ({}):\n{said}", output.status));
        }
        total(&said).ok_or_else(|| format!("valgrind did not tell how many instructions {workload} took:\n{said}"))
    }
}

/// Callgrind, with an environment that is the same everywhere.
fn callgrind() -> Command {
    let mut command = Command::new("valgrind");
    let kept = ["PATH", "VALGRIND_LIB"].map(|name| (name, env::var_os(name)));
    let kept = kept.into_iter().filter_map(|(name, value)| value.map(|value| (name, value)));
    command.env_clear().envs(kept).env("MALLOC_CONF", ALLOCATOR_SETTINGS).stdin(Stdio::null());
    command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
    command
}

/// The number in callgrind's summary: `==1== I   refs:      1,234`, with as many spaces as its version likes.
fn total(said: &str) -> Option<f64> {
    let summary = said.lines().find_map(|line| {
        let (before, number) = line.split_once("refs:")?;
        before.trim_end().ends_with("== I").then_some(number)
    })?;
    let digits = summary.chars().filter(|char| !matches!(char, ',' | ' ')).collect::<String>();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_is_read() {
        assert_eq!(total("==12== \n==12== I   refs:      1,234,567\n"), Some(1_234_567.0));
        assert_eq!(total("==12== I refs:        89\n"), Some(89.0));
        assert_eq!(total("==12== D refs: 5\nI refs: 6\n==12== I refs: ,\n"), None);
    }
}
