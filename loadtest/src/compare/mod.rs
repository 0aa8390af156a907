//! Two reports side by side: what changed between them, and whether that is too much.

pub mod saved;
pub mod table;

pub use saved::{Saved, SavedError};

/// What is compared, with the field of the report and which way is better.
pub const FIGURES: [Figure; 8] = [
    Figure { name: "claims/s", field: "/claims_per_s", better: Better::More, decides: true },
    Figure { name: "granted/s", field: "/granted_per_s", better: Better::More, decides: false },
    Figure { name: "p50, µs", field: "/latency_us/p50", better: Better::Less, decides: true },
    Figure { name: "p90, µs", field: "/latency_us/p90", better: Better::Less, decides: false },
    Figure { name: "p99, µs", field: "/latency_us/p99", better: Better::Less, decides: true },
    Figure { name: "p99.9, µs", field: "/latency_us/p999", better: Better::Less, decides: true },
    Figure { name: "max, µs", field: "/latency_us/max", better: Better::Less, decides: false },
    Figure { name: "mean, µs", field: "/latency_us/mean", better: Better::Less, decides: false },
];

/// One number of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figure {
    /// For people.
    pub name: &'static str,
    /// Where it stands in the JSON, as a pointer.
    pub field: &'static str,
    /// Which way is better.
    pub better: Better,
    /// Whether the verdict depends on it.
    pub decides: bool,
}

/// Which way a figure should go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    /// A rate.
    More,
    /// A time.
    Less,
}

/// A figure of both reports.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change {
    /// Which.
    pub figure: Figure,
    /// In the first report.
    pub before: f64,
    /// In the second one.
    pub after: f64,
    /// Whether it decides, and is worse by more than the threshold.
    pub is_too_bad: bool,
}

/// Two reports, compared.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// The first one, and its name.
    pub before: Saved,
    /// The second one.
    pub after: Saved,
    /// Every figure.
    pub changes: Vec<Change>,
    /// Parameters that differ, a line each.
    pub differences: Vec<String>,
    /// By how many percent a figure may be worse.
    pub threshold_percent: f64,
}

impl Comparison {
    /// Compares `after` with `before`.
    #[must_use]
    pub fn new(before: Saved, after: Saved, threshold_percent: f64) -> Self {
        let pairs = FIGURES.into_iter().zip(before.figures.iter().zip(&after.figures));
        let changes = pairs.map(|(figure, (before, after))| {
            let is_too_bad = figure.decides && figure.is_worse_by(*before, *after, threshold_percent);
            Change { figure, before: *before, after: *after, is_too_bad }
        });
        let changes = changes.collect();
        let differences = before.differences(&after);
        Self { before, after, changes, differences, threshold_percent }
    }

    /// Whether the second report is worse than the threshold allows, or did not pass its verification.
    #[must_use]
    pub fn is_worse(&self) -> bool {
        !self.after.passed || self.changes.iter().any(|change| change.is_too_bad)
    }

    /// Why the two should not be compared; empty when they may be.
    #[must_use]
    pub fn objections(&self) -> Vec<String> {
        let mut objections = self.differences.iter().map(|one| format!("parameter {one}")).collect::<Vec<_>>();
        if !self.before.passed {
            let name = &self.before.name;
            objections.push(format!("{name} did not pass its own verification: its figures prove nothing"));
        }
        objections
    }
}

impl Figure {
    /// Whether `after` is worse than `before` by more than `percent`.
    fn is_worse_by(self, before: f64, after: f64, percent: f64) -> bool {
        match self.better {
            Better::More => after < before * (1.0 - percent / 100.0),
            Better::Less => after > before * (1.0 + percent / 100.0),
        }
    }
}

impl Change {
    /// The change in percent of the first report's figure; `None` where that is 0.
    #[must_use]
    pub fn percent(&self) -> Option<f64> {
        (self.before > 0.0).then(|| (self.after / self.before - 1.0) * 100.0)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    pub(super) fn report(claims_per_s: f64, p50: f64, p99: f64, p999: f64) -> Value {
        json!({
            "passed": true, "started": "2026-11-22T18:44:39Z", "loop": "closed",
            "build": { "version": "0.1.0", "commit": "abc" },
            "machine": { "cpu": "x", "cores": 2, "kernel": "Linux 6" },
            "server": { "address": "h:1", "version": "0.1.0", "durability": "fsync", "cores": 1 },
            "parameters": { "server": "h:1", "admin": null, "connections": 16, "seed": 1 },
            "claims_per_s": claims_per_s, "granted_per_s": claims_per_s,
            "latency_us": { "p50": p50, "p90": 1.0, "p99": p99, "p999": p999, "max": 9.0, "mean": 1.0 },
        })
    }

    fn saved(report: &Value) -> Saved {
        Saved::from_json("x.json", &report.to_string()).unwrap()
    }

    fn worse(after: &Value, percent: f64) -> bool {
        Comparison::new(saved(&report(1_000.0, 100.0, 200.0, 300.0)), saved(after), percent).is_worse()
    }

    #[test]
    fn each_deciding_figure_decides_at_the_threshold_and_only_for_the_worse() {
        assert!(!worse(&report(1_000.0, 100.0, 200.0, 300.0), 0.0), "the same is not worse");
        assert!(!worse(&report(900.0, 110.0, 220.0, 330.0), 10.1));
        for bad in [
            report(880.0, 100.0, 200.0, 300.0),
            report(1_000.0, 112.0, 200.0, 300.0),
            report(1_000.0, 100.0, 224.0, 300.0),
            report(1_000.0, 100.0, 200.0, 336.0),
        ] {
            assert!(worse(&bad, 10.0), "{bad}");
            assert!(!worse(&bad, 15.0), "{bad}");
        }
        assert!(!worse(&report(5_000.0, 1.0, 2.0, 3.0), 0.0), "better by any amount");
        let mut slow = report(1_000.0, 100.0, 200.0, 300.0);
        slow["latency_us"]["max"] = json!(1e9);
        assert!(!worse(&slow, 10.0), "the maximum is shown and does not decide");
    }

    #[test]
    fn a_run_that_failed_its_verification_is_worse_than_any() {
        let mut lying = report(9_000.0, 1.0, 2.0, 3.0);
        lying["passed"] = json!(false);
        assert!(worse(&lying, 1_000.0));
        let fine = saved(&report(1_000.0, 100.0, 200.0, 300.0));
        let objections = Comparison::new(saved(&lying), fine, 10.0).objections();
        assert!(objections[0].contains("did not pass"), "{objections:?}");
    }

    #[test]
    fn a_change_from_nothing_has_no_percentage() {
        let from_nothing = report(0.0, 0.0, 0.0, 0.0);
        let comparison = Comparison::new(saved(&from_nothing), saved(&report(5.0, 1.0, 2.0, 3.0)), 10.0);
        assert_eq!(comparison.changes[0].percent(), None);
        assert!(comparison.is_worse(), "a latency where there was none");
    }
}
