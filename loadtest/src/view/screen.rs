//! Standard error as what it is: a terminal that can be drawn on, or a file or pipe that takes lines.

use std::env;
use std::io::{self, IsTerminal, Write};

use indicatif::{MultiProgress, ProgressBar};

use super::bars;
use super::lines;
use super::progress::Progress;
use crate::plan::Plan;

/// Where progress is shown.
#[derive(Debug)]
pub struct Screen {
    /// `None`: not a terminal, or one without a cursor.
    terminal: Option<MultiProgress>,
}

/// How many of a number of runs are done.
#[derive(Debug)]
pub struct Steps {
    bar: Option<ProgressBar>,
}

impl Default for Screen {
    fn default() -> Self {
        Self::new()
    }
}

impl Screen {
    /// Standard error.
    #[must_use]
    pub fn new() -> Self {
        let can_draw = io::stderr().is_terminal() && env::var_os("TERM").is_none_or(|term| term != "dumb");
        Self { terminal: can_draw.then(MultiProgress::new) }
    }

    /// Shows a run until it is over.
    pub fn watch(&self, plan: &Plan, progress: &Progress) {
        match &self.terminal {
            Some(screen) => bars::watch(screen, plan, progress),
            None => lines::watch(&mut io::stderr(), plan, progress),
        }
    }

    /// Shows a run that is one of many until it is over: only a terminal has room for it.
    pub fn watch_one_of_many(&self, plan: &Plan, progress: &Progress) {
        if let Some(screen) = &self.terminal {
            bars::watch(screen, plan, progress);
        }
    }

    /// Shows that there will be `count` runs.
    #[must_use]
    pub fn steps(&self, count: u64) -> Steps {
        let bar = self.terminal.as_ref().map(|screen| {
            let bar =
                ProgressBar::new(count).with_style(bars::style("{prefix:9} [{bar:30}] {pos} of {len} {wide_msg}"));
            screen.add(bar.with_prefix("sweep"))
        });
        Steps { bar }
    }

    /// A line that stays.
    pub fn say(&self, line: &str) {
        // Nobody reads it: then there is nobody to tell.
        let _ = match &self.terminal {
            Some(screen) => screen.println(line),
            None => writeln!(io::stderr(), "{line}"),
        };
    }
}

impl Steps {
    /// Says what the next run is.
    pub fn begin(&self, what: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(what.to_owned());
        }
    }

    /// One run is done.
    pub fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.inc(1);
        }
    }
}

impl Drop for Steps {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
