//! The program `stockade-loadtest`.

use std::io::{self, Write};
use std::process::ExitCode;
use std::thread;

use clap::Parser;
use stockade_loadtest::cli::{Cli, Command, RunArguments};
use stockade_loadtest::{Progress, Report, run, watch};

const FAILED: u8 = 1;
const USAGE: u8 = 2;

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Run(arguments) => carry_out(*arguments),
    }
}

fn carry_out(arguments: RunArguments) -> ExitCode {
    let json = arguments.json;
    let plan = match arguments.plan() {
        Ok(plan) => plan,
        Err(problems) => return fail(&problems.join("\n"), USAGE),
    };
    let progress = Progress::new(plan.threads);
    let result = thread::scope(|scope| {
        let watcher = scope.spawn(|| watch(&plan, &progress));
        let result = run(&plan, &progress);
        watcher.thread().unpark();
        result
    });
    match result {
        Ok(report) => match print(&report, json) {
            Ok(()) if report.passed => ExitCode::SUCCESS,
            Ok(()) => FAILED.into(),
            Err(error) => fail(&format!("cannot print the report: {error}"), FAILED),
        },
        Err(error) if error.is_usage() => fail(&error.to_string(), USAGE),
        Err(error) => fail(&error.to_string(), FAILED),
    }
}

fn print(report: &Report, json: bool) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if json {
        serde_json::to_writer_pretty(&mut out, report)?;
        writeln!(out)?;
    } else {
        writeln!(out, "{report}")?;
    }
    out.flush()
}

fn fail(text: &str, status: u8) -> ExitCode {
    // Standard error may be closed; the exit status says it all the same.
    let _ = writeln!(io::stderr(), "stockade-loadtest: {text}");
    status.into()
}
