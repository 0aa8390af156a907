//! Where a value lies on a chart's edge, and which values are written there.

use crate::report::units::{count_text, percentile_text, time_text};

/// Marks of an axis, at most about.
const TICKS: f64 = 6.0;

/// Decades of nines that a percentile axis shows: up to 99.999 %.
pub(super) const NINES: f64 = 5.0;

/// One edge of a chart: values from `low` to `high`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Axis {
    low: f64,
    high: f64,
    is_log: bool,
    /// Values that are written, with their text.
    pub(super) ticks: Vec<(f64, String)>,
}

impl Axis {
    /// Evenly from 0 to `high`, written with `text`.
    pub(super) fn linear(high: f64, text: fn(f64) -> String) -> Self {
        let high = if high > 0.0 { high } else { 1.0 };
        let step = readable(high / TICKS);
        let numbers = (0_u32..).map(|number| f64::from(number) * step).take_while(|value| *value <= high * 1.000_1);
        Self { low: 0.0, high, is_log: false, ticks: numbers.map(|value| (value, text(value))).collect() }
    }

    /// Seconds from 0 to `high`.
    pub(super) fn seconds(high: f64) -> Self {
        Self::linear(high, |seconds| format!("{} s", trimmed(seconds)))
    }

    /// Counts from 0 to a little above `high`.
    pub(super) fn counts(high: f64) -> Self {
        Self::linear(high * 1.05, count_text)
    }

    /// Times in microseconds by orders of magnitude, with room around `low` and `high`.
    pub(super) fn times(low: f64, high: f64) -> Self {
        let low = low.max(0.001);
        let (low, high) = (low / 1.3, high.max(low) * 1.3);
        let decades = (high / low).log10();
        let steps: &[f64] = if decades > 4.0 { &[1.0] } else { &[1.0, 2.0, 5.0] };
        let first = low.log10().floor();
        let powers = (0_u32..).map(|number| 10_f64.powf(first + f64::from(number))).take_while(|power| *power <= high);
        let values = powers.flat_map(|power| steps.iter().map(move |step| power * step));
        let inside = values.filter(|value| (low..=high).contains(value));
        Self { low, high, is_log: true, ticks: inside.map(|value| (value, time_text(value))).collect() }
    }

    /// Quantiles by how rare what exceeds them is: 0, 90 %, 99 % … at even distances. Its values are [`nines`].
    pub(super) fn quantiles() -> Self {
        let mut ticks = vec![(0.0, percentile_text(0.0)), (nines(0.5), percentile_text(0.5))];
        ticks.extend((1..=5).map(|digits| {
            let quantile = 1.0 - 10_f64.powi(-digits);
            (nines(quantile), percentile_text(quantile))
        }));
        Self { low: 0.0, high: NINES, is_log: false, ticks }
    }

    /// Where `value` lies: 0 at the low end, 1 at the high one, never beyond.
    pub(super) fn share(&self, value: f64) -> f64 {
        let share = if self.is_log {
            (value.max(self.low) / self.low).ln() / (self.high / self.low).ln()
        } else {
            (value - self.low) / (self.high - self.low)
        };
        share.clamp(0.0, 1.0)
    }

    /// Its highest value.
    pub(super) fn high(&self) -> f64 {
        self.high
    }
}

/// How many nines `quantile` has: 1 for 0.9, 2 for 0.99.
pub(super) fn nines(quantile: f64) -> f64 {
    -(1.0 - quantile).log10()
}

/// The next number at or above `step` that is 1, 2 or 5 times a power of ten.
fn readable(step: f64) -> f64 {
    let power = 10_f64.powf(step.log10().floor());
    let factor = [1.0, 2.0, 5.0].into_iter().find(|factor| factor * power >= step * 0.999_9);
    factor.unwrap_or(10.0) * power
}

/// A number without zeros at its end.
fn trimmed(number: f64) -> String {
    let text = format!("{number:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().map(|(_, text)| text.as_str()).collect()
    }

    #[test]
    fn marks_are_numbers_that_people_write() {
        assert_eq!(texts(&Axis::seconds(6.0)), ["0 s", "1 s", "2 s", "3 s", "4 s", "5 s", "6 s"]);
        assert_eq!(texts(&Axis::seconds(0.25)), ["0 s", "0.05 s", "0.1 s", "0.15 s", "0.2 s", "0.25 s"]);
        assert_eq!(texts(&Axis::counts(1_900_000.0)), ["0", "500 k", "1 M", "1.5 M"]);
        assert_eq!(texts(&Axis::times(80.0, 1_500.0)), ["100 µs", "200 µs", "500 µs", "1 ms"]);
        assert_eq!(texts(&Axis::times(8.0, 2_000_000.0)), ["10 µs", "100 µs", "1 ms", "10 ms", "100 ms", "1 s"]);
        let percentiles = ["0 %", "50 %", "90 %", "99 %", "99.9 %", "99.99 %", "99.999 %"];
        assert_eq!(texts(&Axis::quantiles()), percentiles);
    }

    #[test]
    fn nothing_lies_beyond_an_axis() {
        let close = |one: f64, other: f64| (one - other).abs() < 1e-9;
        let axis = Axis::times(10.0, 1_000.0);
        assert!(close(axis.share(0.0), 0.0) && close(axis.share(100.0), 0.5) && close(axis.share(1e9), 1.0));
        let axis = Axis::quantiles();
        assert!(close(axis.share(nines(0.999)), 0.6) && close(axis.share(nines(1.0)), 1.0));
        assert!(close(Axis::counts(0.0).share(0.0), 0.0), "nothing at all has an axis too");
    }
}
