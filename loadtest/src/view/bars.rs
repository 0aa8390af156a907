//! A run's progress on a terminal: a bar, and below it rates, percentiles and outcomes.

use std::thread::park_timeout;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::meter::Meter;
use super::progress::{Phase, Progress};
use crate::plan::Plan;
use crate::plan::operation::Operation;
use crate::report::text::Grouped;

const REDRAW_INTERVAL: Duration = Duration::from_millis(100);

/// The lines of one run.
struct Lines {
    bar: ProgressBar,
    rates: ProgressBar,
    latencies: ProgressBar,
    outcomes: ProgressBar,
}

/// Draws `progress` below whatever `screen` shows until the run is over; then its lines are gone.
pub(super) fn watch(screen: &MultiProgress, plan: &Plan, progress: &Progress) {
    let lines = Lines::new(screen, plan);
    let (mut began, mut meter) = (Instant::now(), Meter::default());
    let mut phase = Phase::Preparing;
    loop {
        let now = progress.snapshot();
        if now.phase != phase {
            (phase, began) = (now.phase, Instant::now());
        }
        match now.phase {
            Phase::Over => break,
            Phase::Preparing => lines.bar.set_prefix("preparing"),
            Phase::Granting => lines.bar.set_prefix("granting"),
            Phase::Claiming => {
                lines.bar.set_prefix(plan.operation.doing());
                lines.bar.set_position(milliseconds(began.elapsed()).min(claiming_ms(plan)));
                meter.note(began.elapsed(), now.answered, progress.live());
                lines.show(plan.operation, &meter);
            }
            Phase::Verifying => {
                lines.bar.set_prefix("verifying");
                lines.bar.set_length(now.to_look_up);
                lines.bar.set_position(now.looked_up);
                lines.bar.set_message(format!("{} of {} grants", Grouped(now.looked_up), Grouped(now.to_look_up)));
            }
        }
        park_timeout(REDRAW_INTERVAL);
    }
    lines.clear(screen);
}

impl Lines {
    fn new(screen: &MultiProgress, plan: &Plan) -> Self {
        let line = |name: &'static str| {
            let bar = ProgressBar::new_spinner().with_style(style("{prefix:9} {wide_msg}")).with_prefix(name);
            screen.add(bar)
        };
        let bar =
            ProgressBar::new(claiming_ms(plan)).with_style(style("{prefix:9} [{bar:30}] {elapsed_precise} {wide_msg}"));
        Self { bar: screen.add(bar), rates: line("answered"), latencies: line("latency"), outcomes: line("outcomes") }
    }

    fn show(&self, operation: Operation, meter: &Meter) {
        self.rates.set_message(meter.rates(operation));
        self.latencies.set_message(meter.latencies());
        self.outcomes.set_message(meter.outcomes());
    }

    fn clear(self, screen: &MultiProgress) {
        for line in [self.bar, self.rates, self.latencies, self.outcomes] {
            line.finish_and_clear();
            screen.remove(&line);
        }
    }
}

/// A line's layout. Each is a constant that indicatif understands; if one day it does not, its own will do.
pub(super) fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> ")
}

fn claiming_ms(plan: &Plan) -> u64 {
    milliseconds(plan.warm_up + plan.duration)
}

fn milliseconds(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
