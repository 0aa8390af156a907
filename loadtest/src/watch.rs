//! Shows a run's progress: a bar on a terminal, a line for each phase elsewhere. All of it goes to standard error.

use std::io::{self, IsTerminal, Write};
use std::thread::park_timeout;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::plan::Plan;
use crate::progress::{Phase, Progress, Snapshot};
use crate::text::Grouped;
use crate::time::{nanoseconds, per_second};

const REDRAW_INTERVAL: Duration = Duration::from_millis(100);

/// Shows `progress` until the run is over. Whoever ends the run may unpark this thread to spare it the last pause.
pub fn watch(plan: &Plan, progress: &Progress) {
    if io::stderr().is_terminal() { bar(plan, progress) } else { lines(progress) }
}

fn bar(plan: &Plan, progress: &Progress) {
    let claiming_ms = u64::try_from((plan.warm_up + plan.duration).as_millis()).unwrap_or(u64::MAX);
    let template = "{prefix:9} [{bar:30}] {elapsed_precise} {wide_msg}";
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::new(claiming_ms).with_style(style.progress_chars("=> "));
    let mut began = Instant::now();
    let mut previous = progress.snapshot();
    loop {
        let now = progress.snapshot();
        if now.phase != previous.phase {
            began = Instant::now();
        }
        match now.phase {
            Phase::Over => break,
            Phase::Preparing => bar.set_prefix("preparing"),
            Phase::Claiming => {
                bar.set_prefix("claiming");
                bar.set_position(u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX).min(claiming_ms));
                let rate = per_second(now.answered.saturating_sub(previous.answered), nanoseconds(REDRAW_INTERVAL));
                let (rate, granted) = (Grouped(crate::time::whole(rate)), Grouped(now.granted));
                bar.set_message(format!("{rate} claims/s, {granted} granted"));
            }
            Phase::Verifying => {
                bar.set_prefix("verifying");
                bar.set_length(now.to_look_up);
                bar.set_position(now.looked_up);
                bar.set_message(format!("{} of {} grants", Grouped(now.looked_up), Grouped(now.to_look_up)));
            }
        }
        previous = now;
        park_timeout(REDRAW_INTERVAL);
    }
    bar.finish_and_clear();
}

fn lines(progress: &Progress) {
    let mut previous = None;
    loop {
        let now = progress.snapshot();
        if previous != Some(now.phase) {
            // Nobody reads it: then there is nobody to tell.
            let _ = writeln!(io::stderr(), "{}", line(&now));
        }
        if now.phase == Phase::Over {
            return;
        }
        previous = Some(now.phase);
        park_timeout(REDRAW_INTERVAL);
    }
}

fn line(now: &Snapshot) -> String {
    match now.phase {
        Phase::Preparing => "connecting and creating batches".to_owned(),
        Phase::Claiming => "claiming".to_owned(),
        Phase::Verifying => format!("{} claims answered; verifying", Grouped(now.answered)),
        Phase::Over => format!("{} grants looked up", Grouped(now.looked_up)),
    }
}
