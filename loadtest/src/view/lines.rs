//! A run's progress for logs and pipes: a line for each phase, and one every few seconds of a long load. No escape
//! codes.

use std::io::Write;
use std::thread::park_timeout;
use std::time::{Duration, Instant};

use super::meter::Meter;
use super::progress::{Phase, Progress, Snapshot};
use crate::plan::Plan;
use crate::report::text::Grouped;

const LOOK_INTERVAL: Duration = Duration::from_millis(100);

/// Between two lines of a load that goes on.
const LINE_INTERVAL: Duration = Duration::from_secs(5);

/// Writes lines to `out` until the run is over.
pub(super) fn watch(out: &mut impl Write, plan: &Plan, progress: &Progress) {
    let (mut phase, mut began, mut meter) = (None, Instant::now(), Meter::default());
    let mut next_line = LINE_INTERVAL;
    loop {
        let now = progress.snapshot();
        if phase != Some(now.phase) {
            if let Some(line) = opening(plan, &now) {
                // Nobody reads it: then there is nobody to tell.
                let _ = writeln!(out, "{line}");
            }
            (phase, began) = (Some(now.phase), Instant::now());
        }
        match now.phase {
            Phase::Over => return,
            Phase::Claiming => {
                let elapsed = began.elapsed();
                meter.note(elapsed, now.answered, progress.live());
                if elapsed >= next_line {
                    next_line = elapsed + LINE_INTERVAL;
                    let _ = writeln!(out, "{}", line(plan, elapsed, &meter));
                }
            }
            Phase::Preparing | Phase::Granting | Phase::Verifying => {}
        }
        park_timeout(LOOK_INTERVAL);
    }
}

/// What is said when a phase begins. A short one may begin and end between two looks: nothing here counts on having
/// seen the one before.
fn opening(plan: &Plan, now: &Snapshot) -> Option<String> {
    match now.phase {
        Phase::Preparing => Some("connecting and creating batches".to_owned()),
        Phase::Granting => plan.grants.map(|grants| format!("granting {} coupons", Grouped(grants))),
        Phase::Claiming => Some(plan.operation.doing().to_owned()),
        Phase::Verifying => Some(format!("{} {} answered; verifying", Grouped(now.answered), plan.operation.unit())),
        // A run that ended in the middle says why elsewhere.
        Phase::Over => (now.looked_up > 0).then(|| format!("{} grants looked up", Grouped(now.looked_up))),
    }
}

fn line(plan: &Plan, elapsed: Duration, meter: &Meter) -> String {
    let planned = (plan.warm_up + plan.duration).as_secs();
    let (rates, latencies, outcomes) = (meter.rates(plan.operation), meter.latencies(), meter.outcomes());
    format!("{} of {planned} s: {rates}; {latencies}; {outcomes}", elapsed.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::operation::Operation;
    use crate::view::progress::Live;

    #[test]
    fn a_line_has_all_figures_and_no_escape_code() {
        let mut live = Live::default();
        live.outcomes[1] = 5_000;
        live.latency.record(100_000, 5_000);
        let mut meter = Meter::default();
        meter.note(Duration::from_secs(5), 5_000, live);
        let line = line(&Plan::default(), Duration::from_secs(5), &meter);
        assert!(line.starts_with("5 of 6 s: 1,000 claims/s, 1,000 on average; p50 1"), "{line}");
        assert!(line.ends_with("GRANTED 5,000") && !line.contains('\u{1b}'), "{line}");
    }

    #[test]
    fn only_a_run_that_was_verified_says_how_many_grants_were_looked_up() {
        let now = Snapshot { phase: Phase::Over, answered: 9, granted: 8, looked_up: 7_000, to_look_up: 7_000 };
        let plan = Plan::default();
        assert_eq!(opening(&plan, &now), Some("7,000 grants looked up".to_owned()));
        assert_eq!(opening(&plan, &Snapshot { looked_up: 0, ..now }), None);
    }

    #[test]
    fn each_operation_has_its_words() {
        let now = Snapshot { phase: Phase::Granting, answered: 9_000, granted: 8, looked_up: 0, to_look_up: 0 };
        let plan = Plan { operation: Operation::LockRedeem, grants: Some(9_000), ..Plan::default() };
        let said = [Phase::Granting, Phase::Claiming, Phase::Verifying]
            .map(|phase| opening(&plan, &Snapshot { phase, ..now }).unwrap());
        assert_eq!(said, ["granting 9,000 coupons", "redeeming", "9,000 pairs answered; verifying"]);
    }

    #[test]
    fn watching_ends_with_the_run() {
        let progress = Progress::new(1);
        progress.enter(Phase::Over);
        let mut out = Vec::new();
        watch(&mut out, &Plan::default(), &progress);
        assert_eq!(out, b"");
    }
}
