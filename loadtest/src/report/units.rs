//! Numbers as people read them at a glance: on a chart, on a terminal.

/// A time in microseconds with a unit that suits it.
pub(crate) fn time_text(us: f64) -> String {
    let (value, unit) = match us {
        us if us >= 1e6 => (us / 1e6, "s"),
        us if us >= 1e3 => (us / 1e3, "ms"),
        us if us >= 1.0 || us <= 0.0 => (us, "µs"),
        us => (us * 1e3, "ns"),
    };
    format!("{} {unit}", short(value))
}

/// A count or a rate with at most three digits that matter: `1.25 M`.
pub(crate) fn count_text(count: f64) -> String {
    let (value, unit) = match count {
        count if count >= 1e9 => (count / 1e9, " G"),
        count if count >= 1e6 => (count / 1e6, " M"),
        count if count >= 1e3 => (count / 1e3, " k"),
        count => (count, ""),
    };
    format!("{}{unit}", short(value))
}

/// A share as a percentile, with the nines that it has.
pub(crate) fn percentile_text(quantile: f64) -> String {
    let text = format!("{:.4}", quantile * 100.0);
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

/// Three digits that matter, without zeros at the end.
fn short(value: f64) -> String {
    let digits = if value >= 99.95 { 0 } else { usize::from(value < 9.995) + 1 };
    let text = format!("{value:.digits$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_digits_and_a_unit_are_enough() {
        let times = [0.25, 0.0, 9.999, 87.04, 999.4, 1_234.0, 25_000.0, 3_600_000_000.0].map(time_text);
        assert_eq!(times, ["250 ns", "0 µs", "10 µs", "87 µs", "999 µs", "1.23 ms", "25 ms", "3600 s"]);
        let counts = [0.0, 0.5, 12.34, 999.0, 1_000.0, 1_250_000.0, 2e9].map(count_text);
        assert_eq!(counts, ["0", "0.5", "12.3", "999", "1 k", "1.25 M", "2 G"]);
        assert_eq!([0.0, 0.5, 0.999, 0.999_99].map(percentile_text), ["0 %", "50 %", "99.9 %", "99.999 %"]);
    }
}
