//! The server's counters at one moment, out of its metrics.

/// Counters of a server since its start. What it does not tell is 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sample {
    /// Processor time of the process, in seconds.
    pub cpu_s: f64,
    /// Resident memory, in bytes.
    pub resident_bytes: f64,
    /// Group commits that were synced.
    pub syncs: f64,
    /// Time that they took, in seconds.
    pub sync_s: f64,
    /// The same by upper bound in seconds: syncs that took no longer. Bounds rise.
    pub sync_buckets: Vec<(f64, f64)>,
    /// Grant records of all groups.
    pub group_claims: f64,
}

const CPU: &str = "process_cpu_seconds_total";
const RESIDENT: &str = "process_resident_memory_bytes";
const SYNCS: &str = "stockade_commit_sync_seconds_count";
const SYNC_SECONDS: &str = "stockade_commit_sync_seconds_sum";
const SYNC_BUCKET: &str = "stockade_commit_sync_seconds_bucket";
const GROUP_CLAIMS: &str = "stockade_commit_group_claims_sum";

impl Sample {
    /// Reads the Prometheus text `metrics`. `None`: they are not those of a Stockade server.
    #[must_use]
    pub fn read(metrics: &str) -> Option<Self> {
        let mut sample = Self::default();
        let mut has_cpu = false;
        for line in metrics.lines().filter(|line| !line.starts_with('#')) {
            let Some((series, value)) = line.rsplit_once(' ') else { continue };
            let Ok(value) = value.parse::<f64>() else { continue };
            let (name, labels) = series.split_once('{').unwrap_or((series, ""));
            match name {
                CPU => (sample.cpu_s, has_cpu) = (value, true),
                RESIDENT => sample.resident_bytes = value,
                SYNCS => sample.syncs = value,
                SYNC_SECONDS => sample.sync_s = value,
                GROUP_CLAIMS => sample.group_claims = value,
                SYNC_BUCKET => sample.sync_buckets.extend(upper_bound(labels).map(|bound| (bound, value))),
                _ => {}
            }
        }
        sample.sync_buckets.sort_by(|one, other| one.0.total_cmp(&other.0));
        has_cpu.then_some(sample)
    }
}

/// The value of the label `le`.
fn upper_bound(labels: &str) -> Option<f64> {
    let (_, rest) = labels.split_once("le=\"")?;
    let (bound, _) = rest.split_once('"')?;
    bound.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const METRICS: &str = "\
# HELP process_cpu_seconds_total Processor time used.
process_cpu_seconds_total 1.5
process_resident_memory_bytes 17981440
stockade_claims_total{result=\"granted\"} 12
stockade_commit_sync_seconds_sum 0.25
stockade_commit_sync_seconds_count 1000
stockade_commit_sync_seconds_bucket{le=\"0.000262143\"} 900
stockade_commit_sync_seconds_bucket{le=\"+Inf\"} 1000
stockade_commit_sync_seconds_bucket{le=\"0.000131071\"} 10
stockade_commit_group_claims_sum 64000
";

    #[test]
    fn the_counters_are_found_whatever_their_order() {
        let sample = Sample::read(METRICS).unwrap();
        assert_eq!((sample.cpu_s, sample.resident_bytes, sample.group_claims), (1.5, 17_981_440.0, 64_000.0));
        assert_eq!((sample.syncs, sample.sync_s), (1_000.0, 0.25));
        let buckets = [(0.000_131_071, 10.0), (0.000_262_143, 900.0), (f64::INFINITY, 1_000.0)];
        assert_eq!(sample.sync_buckets, buckets);
    }

    #[test]
    fn other_pages_are_no_metrics() {
        for page in ["", "ready\n", "<html>404</html>", "node_load1 0.5\n"] {
            assert_eq!(Sample::read(page), None, "{page}");
        }
    }
}
