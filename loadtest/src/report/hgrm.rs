//! The text that `HdrHistogram`'s tools write and its plotters read, in milliseconds, as they assume.

use std::fmt::{self, Display, Formatter};

use super::distribution::Distribution;

/// Shows a distribution as a `.hgrm` file. Values have six digits behind the point, since claims take microseconds.
pub struct Hgrm<'a>(pub &'a Distribution);

impl Display for Hgrm<'_> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let Distribution { points, mean_us, stdev_us, max_us, claims, buckets, sub_buckets } = self.0;
        let milliseconds = |us: f64| us / 1e3;
        writeln!(formatter, "{:>12} {:>14} {:>12} {:>14}\n", "Value", "Percentile", "TotalCount", "1/(1-Percentile)")?;
        for point in points {
            let (value, quantile) = (milliseconds(point.latency_us), point.quantile);
            write!(formatter, "{value:12.6} {quantile:14.12} {:12}", point.claims)?;
            // The last line has no fourth column: nothing is left.
            match 1.0 - quantile {
                left if left > 0.0 => writeln!(formatter, " {:14.2}", 1.0 / left)?,
                _ => writeln!(formatter)?,
            }
        }
        let [mean, stdev, max] = [*mean_us, *stdev_us, *max_us].map(milliseconds);
        writeln!(formatter, "#[Mean    = {mean:12.6}, StdDeviation   = {stdev:12.6}]")?;
        writeln!(formatter, "#[Max     = {max:12.6}, Total count    = {claims:12}]")?;
        writeln!(formatter, "#[Buckets = {buckets:12}, SubBuckets     = {sub_buckets:12}]")
    }
}

#[cfg(test)]
mod tests {
    use hdrhistogram::Histogram;

    use super::*;

    #[test]
    fn the_text_is_what_plotters_read() {
        let mut latencies = Histogram::<u64>::new_with_bounds(1, 3_600_000_000_000, 3).unwrap();
        latencies.record_n(1_000_000, 93).unwrap();
        latencies.record_n(2_000_000, 7).unwrap();
        let text = Hgrm(&Distribution::new(&latencies)).to_string();
        let lines = text.lines().collect::<Vec<_>>();
        assert_eq!(
            lines[0].split_whitespace().collect::<Vec<_>>(),
            ["Value", "Percentile", "TotalCount", "1/(1-Percentile)"]
        );
        assert_eq!(lines[1], "");
        let rows = lines.iter().filter(|line| !line.starts_with('#')).skip(2);
        let rows = rows.map(|line| line.split_whitespace().collect::<Vec<_>>()).collect::<Vec<_>>();
        assert_eq!(rows[0], ["1.000447", "0.000000000000", "93", "1.00"]);
        for row in &rows[..rows.len() - 1] {
            let [value, quantile, _, inverse] = row[..] else { panic!("four columns: {row:?}") };
            let quantile = quantile.parse::<f64>().unwrap();
            assert!((inverse.parse::<f64>().unwrap() - 1.0 / (1.0 - quantile)).abs() < 0.01, "{row:?}");
            assert_eq!(value.starts_with("1.000"), quantile <= 0.93, "{row:?}");
        }
        assert_eq!(rows.last().unwrap()[..], ["2.000895", "1.000000000000", "100"]);
        assert!(lines[lines.len() - 3].starts_with("#[Mean    =     1.07"), "{text}");
        assert!(lines[lines.len() - 2].ends_with("Total count    =          100]"), "{text}");
        assert!(lines[lines.len() - 1].starts_with("#[Buckets = ") && text.ends_with("2048]\n"), "{text}");
    }
}
