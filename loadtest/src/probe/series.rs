//! The server over time, as the report shows it.

use serde::Serialize;

use super::sample::Sample;
use super::{Reading, Readings};
use crate::time::seconds;

/// What the server's metrics said during the run.
#[derive(Clone, Debug, Serialize)]
pub struct ServerSeries {
    /// Where they were read.
    pub address: String,
    /// From before the load until after it.
    pub whole: Option<Stretch>,
    /// Processor time for each claim answered, in nanoseconds.
    pub cpu_ns_per_claim: Option<f64>,
    /// From each reading to the next.
    pub stretches: Vec<Stretch>,
    /// Attempts to read that brought nothing.
    pub failures: u64,
    /// What the first of them met.
    pub complaint: Option<String>,
}

/// From one reading to another. `null`: there were no syncs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Stretch {
    /// Its beginning, in seconds since the start of the schedule.
    pub from_s: f64,
    /// Its end.
    pub until_s: f64,
    /// Processors that the server kept busy.
    pub cpus: f64,
    /// Resident memory at its end, in MiB.
    pub resident_mib: f64,
    /// Group commits synced a second.
    pub syncs_per_s: f64,
    /// Grant records in one group, on average.
    pub claims_per_group: Option<f64>,
    /// A sync's time on average.
    pub sync_mean_us: Option<f64>,
    /// A bound that 99 in 100 syncs kept: the power of two above their time.
    pub sync_p99_us: Option<f64>,
}

impl ServerSeries {
    /// What `readings` say of a run in which `answered` claims were answered.
    #[must_use]
    pub fn new(address: &str, readings: &Readings, answered: u64) -> Self {
        let kept = &readings.kept;
        let whole = match (kept.first(), kept.last()) {
            (Some(first), Some(last)) => stretch(first, last),
            (None, _) | (_, None) => None,
        };
        let cpu_s = whole.map(|whole| whole.cpus * (whole.until_s - whole.from_s));
        Self {
            address: address.to_owned(),
            whole,
            cpu_ns_per_claim: cpu_s.filter(|_| answered > 0).map(|cpu_s| cpu_s * 1e9 / crate::time::real(answered)),
            stretches: kept.windows(2).filter_map(|pair| stretch(&pair[0], &pair[1])).collect(),
            failures: readings.failures,
            complaint: readings.complaint.clone(),
        }
    }
}

/// What happened between two readings. `None`: no time passed, or the server was started again.
fn stretch(earlier: &Reading, later: &Reading) -> Option<Stretch> {
    let (before, after) = (&earlier.sample, &later.sample);
    let span_s = seconds(later.at_ns.saturating_sub(earlier.at_ns));
    let (cpu_s, syncs) = (after.cpu_s - before.cpu_s, after.syncs - before.syncs);
    if span_s <= 0.0 || cpu_s < 0.0 || syncs < 0.0 {
        return None;
    }
    let each = |total: f64| (syncs > 0.0).then(|| total / syncs);
    Some(Stretch {
        from_s: seconds(earlier.at_ns),
        until_s: seconds(later.at_ns),
        cpus: cpu_s / span_s,
        resident_mib: after.resident_bytes / f64::from(1 << 20),
        syncs_per_s: syncs / span_s,
        claims_per_group: each(after.group_claims - before.group_claims),
        sync_mean_us: each((after.sync_s - before.sync_s) * 1e6),
        sync_p99_us: bound(before, after, 0.99).map(|bound_s| bound_s * 1e6),
    })
}

/// The lowest finite bound that this share of the syncs between two samples kept.
fn bound(before: &Sample, after: &Sample, share: f64) -> Option<f64> {
    let syncs = after.syncs - before.syncs;
    let earlier = |bound: f64| {
        let same = before.sync_buckets.iter().find(|(known, _)| known.total_cmp(&bound).is_eq());
        same.map_or(0.0, |(_, count)| *count)
    };
    let kept = after.sync_buckets.iter().map(|(bound, count)| (*bound, *count - earlier(*bound)));
    let found = kept.filter(|(bound, count)| bound.is_finite() && *count >= share * syncs);
    found.map(|(bound, _)| bound).next().filter(|_| syncs > 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(at_ms: u64, cpu_s: f64, syncs: f64, slow: f64) -> Reading {
        let sync_buckets = vec![(0.001, syncs - slow), (0.004, syncs), (f64::INFINITY, syncs)];
        let sample = Sample {
            cpu_s,
            resident_bytes: 2_097_152.0,
            syncs,
            sync_s: (syncs - slow) * 0.0005 + slow * 0.003,
            sync_buckets,
            group_claims: syncs * 64.0,
        };
        Reading { at_ns: at_ms * 1_000_000, sample }
    }

    #[test]
    fn a_stretch_is_what_was_added_since_the_reading_before() {
        let kept =
            vec![reading(0, 1.0, 100.0, 50.0), reading(500, 1.75, 600.0, 50.0), reading(1_000, 2.0, 800.0, 54.0)];
        let series = ServerSeries::new("a:1", &Readings { kept, ..Readings::default() }, 1_000_000);
        let [first, second] = series.stretches[..] else { panic!("{series:?}") };
        assert_eq!((first.from_s, first.until_s, first.cpus, first.syncs_per_s), (0.0, 0.5, 1.5, 1_000.0));
        assert_eq!((first.claims_per_group, first.resident_mib), (Some(64.0), 2.0));
        assert!((first.sync_mean_us.unwrap() - 500.0).abs() < 1e-6);
        assert_eq!(first.sync_p99_us, Some(1_000.0), "those that were slow before do not count");
        assert_eq!(second.sync_p99_us, Some(4_000.0), "4 of 200 were slow");
        assert!((series.whole.unwrap().cpus - 1.0).abs() < 1e-9);
        assert!((series.cpu_ns_per_claim.unwrap() - 1_000.0).abs() < 1e-6);
    }

    #[test]
    fn idle_stretches_and_restarts_say_so() {
        let idle = stretch(&reading(0, 1.0, 100.0, 0.0), &reading(500, 1.0, 100.0, 0.0)).unwrap();
        assert_eq!((idle.cpus, idle.sync_mean_us, idle.sync_p99_us, idle.claims_per_group), (0.0, None, None, None));
        assert_eq!(stretch(&reading(0, 5.0, 100.0, 0.0), &reading(500, 0.1, 3.0, 0.0)), None, "a new process");
        assert_eq!(stretch(&reading(5, 1.0, 1.0, 0.0), &reading(5, 1.0, 1.0, 0.0)), None);
    }
}
