//! Question: did a change make a hot path longer? Counts the instructions of fixed workloads and holds them against
//! `budgets.toml`. No clock is read, so a busy or slow machine cannot make it fail.
//!
//! Each workload runs twice under valgrind's callgrind, one round of its operations and two. The difference, divided
//! by the operations of a round, is what one operation costs: start-up, preparation and the end cancel out. What stays
//! is the key of the hash tables, which is random in each process; the workloads are long enough for that to stay far
//! below the tolerance.
//!
//! Not seen here: waiting for memory, for locks and for the disk. `make bench` and `make figures` measure those.
//!
//! - `make instructions` builds and runs it as the product is built; `make test` does the same.
//! - `…/examples/instructions claim replay` checks the workloads whose names contain one of the words.
//! - `…/examples/instructions --once claim 2` does two rounds of one workload: for `callgrind` or `perf record`.
#![expect(clippy::print_stdout, reason = "a program for people and logs")]

mod budget;
mod sale;
mod valgrind;
mod workload;

use std::process::ExitCode;

use budget::{Budget, Verdict};
use valgrind::Valgrind;
use workload::{WORKLOADS, Workload};

/// The server's allocator.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let words = std::env::args().skip(1).collect::<Vec<_>>();
    let outcome = match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["--once", name, rounds] => once(name, rounds),
        names => check(names),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            println!("{reason}");
            ExitCode::FAILURE
        }
    }
}

/// Does some rounds of a workload and leaves without taking it down, which is not what is counted.
fn once(name: &str, rounds: &str) -> Result<(), String> {
    let workload = WORKLOADS.iter().find(|workload| workload.name == name);
    let workload = workload.ok_or_else(|| format!("there is no workload {name}; there are {}", names().join(", ")))?;
    let rounds = rounds.parse().map_err(|error| format!("{rounds} is no number of rounds: {error}"))?;
    (workload.run)(rounds);
    std::process::exit(0)
}

fn check(wanted: &[&str]) -> Result<(), String> {
    let budgets = budget::read()?;
    budget::same_names(&budgets, &names())?;
    let is_wanted = |workload: &&Workload| wanted.is_empty() || wanted.iter().any(|word| workload.name.contains(word));
    let chosen = WORKLOADS.iter().filter(is_wanted).collect::<Vec<_>>();
    if chosen.is_empty() {
        return Err(format!("no workload is called like that; there are {}", names().join(", ")));
    }
    let valgrind = match Valgrind::find() {
        Ok(valgrind) => valgrind,
        Err(reason) => {
            println!("SKIPPED, no instructions were counted: {reason}");
            return Ok(());
        }
    };
    println!("{:<20} {:>12} {:>12}  one operation is", "workload", "instructions", "budget");
    let (mut exceeded, mut notes) = (Vec::new(), Vec::new());
    for (workload, count) in chosen.iter().zip(valgrind.count(&chosen)) {
        let (budget, count) = (&budgets[workload.name], count?);
        let Budget { instructions, tolerance_percent } = budget;
        let limits = format!("{instructions} ±{tolerance_percent} %");
        println!("{:<20} {count:>12.1} {limits:>12}  {}", workload.name, workload.operation);
        match budget.judge(workload.name, count) {
            Verdict::Within => {}
            Verdict::Below(note) => notes.push(note),
            Verdict::Above(failure) => exceeded.push((workload.name, failure)),
        }
    }
    notes.iter().for_each(|note| println!("{note}"));
    exceeded.iter().for_each(|(_, failure)| println!("{failure}"));
    exceeded.first().map_or(Ok(()), |(name, _)| Err(budget::advice(&valgrind.program(), name)))
}

fn names() -> Vec<&'static str> {
    WORKLOADS.iter().map(|workload| workload.name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_workload_has_a_budget_and_every_budget_a_workload() {
        let budgets = budget::read().expect("the file is in order");
        budget::same_names(&budgets, &names()).expect("the same names");
        assert!(budget::same_names(&budgets, &names()[1..]).is_err(), "a budget without a workload");
        assert!(budget::same_names(&budgets, &[names(), vec!["new"]].concat()).is_err(), "a workload without a budget");
    }

    #[test]
    fn every_workload_does_what_it_is_called() {
        // They assert what they do.
        WORKLOADS.iter().for_each(|workload| (workload.run)(1));
    }
}
