//! All latencies of a run as a curve: how many claims were answered within which time.

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::time::microseconds;

/// Points between two halvings of the claims that are left, as `HdrHistogram`'s own output has them.
const TICKS_PER_HALF_DISTANCE: u32 = 5;

/// A histogram, told by its quantiles: some 200 points at most.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Distribution {
    /// Rising, up to quantile 1. Empty when no latency was measured.
    pub points: Vec<Point>,
    /// Mean, in microseconds.
    pub mean_us: f64,
    /// Standard deviation, in microseconds.
    pub stdev_us: f64,
    /// The slowest, in microseconds.
    pub max_us: f64,
    /// Claims.
    pub claims: u64,
    /// Octaves of the histogram that it comes from.
    pub buckets: u8,
    /// Steps of its first octave.
    pub sub_buckets: u64,
}

/// One point of the curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Point {
    /// Share of the claims.
    pub quantile: f64,
    /// Time within which they were answered, in microseconds.
    pub latency_us: f64,
    /// How many they are.
    pub claims: u64,
}

impl Distribution {
    /// The curve of latencies in nanoseconds.
    #[must_use]
    pub fn new(latencies: &Histogram<u64>) -> Self {
        let mut claims = 0;
        let points = latencies.iter_quantiles(TICKS_PER_HALF_DISTANCE).map(|step| {
            claims += step.count_since_last_iteration();
            let latency_us = microseconds(step.value_iterated_to());
            Point { quantile: step.quantile_iterated_to(), latency_us, claims }
        });
        let points = if latencies.is_empty() { Vec::new() } else { points.collect() };
        Self {
            points,
            mean_us: latencies.mean() / 1e3,
            stdev_us: latencies.stdev() / 1e3,
            max_us: microseconds(latencies.max()),
            claims: latencies.len(),
            buckets: latencies.buckets(),
            sub_buckets: (2 * 10_u64.pow(latencies.sigfig().into())).next_power_of_two(),
        }
    }

    /// The curve at this share of the claims, straight between its points; `None` when there is none.
    #[must_use]
    pub fn latency_us_at(&self, quantile: f64) -> Option<f64> {
        let place = self.points.iter().position(|point| point.quantile >= quantile)?;
        let after = self.points[place];
        let before = self.points[place.saturating_sub(1)];
        let span = after.quantile - before.quantile;
        let share = if span > 0.0 { (quantile - before.quantile) / span } else { 1.0 };
        Some(before.latency_us + (after.latency_us - before.latency_us) * share)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_curve_rises_to_all_claims() {
        let mut latencies = Histogram::new_with_bounds(1, 3_600_000_000_000, 3).unwrap();
        assert!(Distribution::new(&latencies).points.is_empty());
        for value in 1..=100_000_u64 {
            latencies.record(value * 1_000).unwrap();
        }
        let distribution = Distribution::new(&latencies);
        let points = &distribution.points;
        assert!(points.len() < 150, "{} points", points.len());
        assert!(points.windows(2).all(|pair| {
            pair[0].quantile < pair[1].quantile
                && pair[0].latency_us <= pair[1].latency_us
                && pair[0].claims <= pair[1].claims
        }));
        let last = points.last().unwrap();
        assert_eq!((last.quantile.to_string(), last.claims), ("1".to_owned(), 100_000));
        assert_eq!((distribution.claims, distribution.sub_buckets), (100_000, 2_048));
        for (quantile, exact) in [(0.5, 50_000.0), (0.9, 90_000.0), (0.999, 99_900.0)] {
            let found = distribution.latency_us_at(quantile).unwrap();
            assert!((found - exact).abs() < exact / 100.0, "{quantile}: {found}");
        }
    }
}
