//! The charts of a report: which values of it are drawn, and how.

use std::collections::BTreeMap;

use super::axis::{Axis, NINES, nines};
use super::plot::{Hover, Line, Plot};
use crate::probe::ServerSeries;
use crate::report::Report;
use crate::report::units::{count_text, percentile_text, time_text};
use crate::time::{real, seconds};
use crate::timeline::series::{Series, Slice};

/// Colours of stacked areas, in order; beyond them they repeat.
const AREAS: [&str; 8] = ["c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7"];

/// Latencies by the instant for which their claims were meant; `None` when there are none.
pub(super) fn latency_over_time(series: &Series) -> Option<Plot> {
    let of = |value: fn(&Slice) -> Option<f64>| over_time(series, value);
    let lines = vec![
        line("max", "c2 dotted", of(|slice| slice.max_us)),
        line("p99", "c1 dashed", of(|slice| slice.p99_us)),
        line("p50", "c0", of(|slice| slice.p50_us)),
    ];
    let (low, high) = extremes(&lines)?;
    let hover = |slice: &Slice| {
        let show = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), time_text);
        format!("p50 {}\np99 {}\nmax {}", show(slice.p50_us), show(slice.p99_us), show(slice.max_us))
    };
    Some(plot_over_time("Latency over time", series, Axis::times(low, high), lines, hover))
}

/// The curve of all measured latencies; `None` when there are none.
pub(super) fn percentiles(report: &Report) -> Option<Plot> {
    let points = report.distribution.points.iter();
    let shown = points.filter(|point| point.quantile < 1.0 && nines(point.quantile) <= NINES);
    let mut places = shown.map(|point| (nines(point.quantile), Some(point.latency_us))).collect::<Vec<_>>();
    if report.distribution.points.iter().any(|point| point.quantile < 1.0 && nines(point.quantile) > NINES) {
        places.push((NINES, report.distribution.latency_us_at(1.0 - 10_f64.powf(-NINES))));
    }
    let hovers = places.windows(2).filter_map(|pair| {
        let ((from, _), (until, value)) = (pair[0], pair[1]);
        let quantile = 1.0 - 10_f64.powf(-until);
        Some(Hover { from, until, text: format!("{}: {}", percentile_text(quantile), time_text(value?)) })
    });
    let hovers = hovers.collect();
    let lines = vec![line("latency", "c0", places)];
    let (low, high) = extremes(&lines)?;
    Some(Plot {
        about: "Latency by percentile".to_owned(),
        x: Axis::quantiles(),
        y: Axis::times(low, high),
        lines,
        is_stacked: false,
        shaded_until: 0.0,
        hovers,
    })
}

/// Claims a second that were meant to start, were answered, and had the `wanted` answer.
pub(super) fn throughput(series: &Series, wanted: &'static str) -> Option<Plot> {
    let of = |value: fn(&Slice) -> Option<f64>| over_time(series, value);
    let lines = vec![
        line("offered", "c1 dashed", of(|slice| slice.offered_per_s)),
        line("answered", "c0", of(|slice| slice.answered_per_s)),
        line(wanted, "c3 dotted", of(|slice| slice.granted_per_s)),
    ];
    let (_, high) = extremes(&lines)?;
    let hover = |slice: &Slice| {
        let shown =
            [("offered", slice.offered_per_s), ("answered", slice.answered_per_s), (wanted, slice.granted_per_s)];
        let told = shown.iter().filter_map(|(name, rate)| Some(format!("{name} {}/s", count_text((*rate)?))));
        told.collect::<Vec<_>>().join("\n")
    };
    Some(plot_over_time("Throughput over time", series, Axis::counts(high), lines, hover))
}

/// Answers a second by what they said.
pub(super) fn outcomes(series: &Series) -> Option<Plot> {
    let mut names = BTreeMap::<&str, u64>::new();
    for (name, count) in series.intervals.iter().flat_map(|slice| &slice.outcomes) {
        *names.entry(name).or_default() += count;
    }
    let mut names = names.into_iter().collect::<Vec<_>>();
    names.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let lines = names.iter().zip(AREAS.iter().cycle()).map(|((name, _), class)| {
        let points = series.intervals.iter().map(|slice| (slice.from_s, outcome_rate(slice, name)));
        line(name, class, points.collect())
    });
    let lines = lines.collect::<Vec<_>>();
    let highest = series.intervals.iter().filter_map(|slice| slice.answered_per_s).fold(0.0, f64::max);
    let hover = |slice: &Slice| {
        let told = slice.outcomes.iter().map(|(name, count)| format!("{name} {count}"));
        told.collect::<Vec<_>>().join("\n")
    };
    let mut plot = plot_over_time("Outcomes over time", series, Axis::counts(highest), lines, hover);
    plot.is_stacked = true;
    Some(plot).filter(|plot| !plot.lines.is_empty())
}

/// The share of an interval's rate that had this outcome.
fn outcome_rate(slice: &Slice, name: &str) -> Option<f64> {
    let all = slice.outcomes.values().sum::<u64>();
    let count = slice.outcomes.get(name).copied().unwrap_or(0);
    slice.answered_per_s.filter(|_| all > 0).map(|rate| rate * real(count) / real(all))
}

/// Time of the server's syncs; `None` when it made none.
pub(super) fn sync_time(series: &Series, server: &ServerSeries) -> Option<Plot> {
    let stretches = &server.stretches;
    let middle = |from: f64, until: f64| f64::midpoint(from, until);
    let mean = stretches.iter().map(|stretch| (middle(stretch.from_s, stretch.until_s), stretch.sync_mean_us));
    let bound = stretches.iter().map(|stretch| (middle(stretch.from_s, stretch.until_s), stretch.sync_p99_us));
    let lines =
        vec![line("99 in 100 below (power of two)", "c1 dashed", bound.collect()), line("mean", "c0", mean.collect())];
    let (low, high) = extremes(&lines)?;
    let hovers = stretches.iter().map(|stretch| {
        let mean =
            stretch.sync_mean_us.map_or_else(|| "no sync".to_owned(), |mean| format!("mean {}", time_text(mean)));
        let groups =
            stretch.claims_per_group.map_or_else(String::new, |claims| format!(" of {} claims", count_text(claims)));
        let text = format!("{mean}\n{} groups/s{groups}", count_text(stretch.syncs_per_s));
        Hover { from: stretch.from_s, until: stretch.until_s, text }
    });
    let hovers = hovers.collect();
    Some(Plot { hovers, ..plot_over_time("fsync time", series, Axis::times(low, high), lines, |_| String::new()) })
}

/// Processors that the server kept busy; `None` when there was one reading at most.
pub(super) fn server_cpu(series: &Series, server: &ServerSeries) -> Option<Plot> {
    let stretches = &server.stretches;
    let cpus = stretches.iter().map(|stretch| (f64::midpoint(stretch.from_s, stretch.until_s), Some(stretch.cpus)));
    let lines = vec![line("processors busy", "c0", cpus.collect())];
    let (_, high) = extremes(&lines)?;
    let hovers = stretches.iter().map(|stretch| {
        let text = format!("{:.2} processors\n{:.0} MiB resident", stretch.cpus, stretch.resident_mib);
        Hover { from: stretch.from_s, until: stretch.until_s, text }
    });
    let hovers = hovers.collect();
    let y = Axis::linear((high * 1.05).max(1.0), |cpus| format!("{cpus:.1}"));
    Some(Plot { hovers, ..plot_over_time("Server CPU", series, y, lines, |_| String::new()) })
}

/// A chart over the time of `series`, with a tooltip for each of its intervals.
fn plot_over_time(about: &str, series: &Series, y: Axis, lines: Vec<Line>, text: impl Fn(&Slice) -> String) -> Plot {
    let last_s = series.intervals.last().map_or(0.0, |slice| slice.from_s + series.interval_s);
    let hovers = series.intervals.iter().map(|slice| {
        let text = format!("{} s\n{}", round(slice.from_s), text(slice));
        Hover { from: slice.from_s, until: slice.from_s + series.interval_s, text }
    });
    Plot {
        about: about.to_owned(),
        x: Axis::seconds(last_s),
        y,
        lines,
        is_stacked: false,
        shaded_until: series.warm_up_s.min(last_s),
        hovers: hovers.collect(),
    }
}

/// The values of all intervals, each at the middle of its interval.
fn over_time(series: &Series, value: impl Fn(&Slice) -> Option<f64>) -> Vec<(f64, Option<f64>)> {
    series.intervals.iter().map(|slice| (slice.from_s + series.interval_s / 2.0, value(slice))).collect()
}

fn line(name: &str, class: &'static str, points: Vec<(f64, Option<f64>)>) -> Line {
    Line { name: name.to_owned(), class, points }
}

/// The least and the greatest value of all lines; `None` when they have none.
fn extremes(lines: &[Line]) -> Option<(f64, f64)> {
    let values = lines.iter().flat_map(|line| line.points.iter().filter_map(|(_, value)| *value));
    values.fold(None, |so_far, value| {
        let (low, high) = so_far.unwrap_or((value, value));
        Some((low.min(value), high.max(value)))
    })
}

/// Seconds to the millisecond.
fn round(time_s: f64) -> f64 {
    seconds(crate::time::whole(time_s * 1e3 + 0.5) * 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slice(from_s: f64, answered: f64, outcomes: &[(&str, u64)]) -> Slice {
        Slice {
            from_s,
            offered_per_s: None,
            answered_per_s: Some(answered),
            granted_per_s: Some(0.0),
            p50_us: None,
            p99_us: None,
            max_us: None,
            outcomes: outcomes.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect(),
        }
    }

    fn series(intervals: Vec<Slice>) -> Series {
        Series { interval_s: 0.5, warm_up_s: 0.5, end_s: 1.0, intervals }
    }

    #[test]
    fn what_was_not_measured_has_no_chart() {
        let series = series(vec![slice(0.0, 0.0, &[])]);
        assert!(latency_over_time(&series).is_none());
        assert!(outcomes(&series).is_none());
        assert!(throughput(&super::tests::series(Vec::new()), "granted").is_none());
    }

    #[test]
    fn outcomes_add_up_to_the_rate_and_the_most_frequent_lies_lowest() {
        let intervals =
            vec![slice(0.0, 100.0, &[("GRANTED", 10), ("SOLD_OUT", 30)]), slice(0.5, 300.0, &[("SOLD_OUT", 150)])];
        let plot = outcomes(&series(intervals)).unwrap();
        let drawn = plot.lines.iter().map(|line| (line.name.as_str(), line.points[0].1, line.points[1].1));
        let wanted = [("SOLD_OUT", Some(75.0), Some(300.0)), ("GRANTED", Some(25.0), Some(0.0))];
        assert_eq!(drawn.collect::<Vec<_>>(), wanted);
        assert!(plot.is_stacked && plot.hovers[0].text.contains("SOLD_OUT 30"));
    }
}
