//! What is happening now: the difference between two moments of a run's progress.

use std::collections::VecDeque;
use std::time::Duration;

use crate::load::tally::outcome_name;
use crate::plan::operation::Operation;
use crate::report::text::Grouped;
use crate::report::units::time_text;
use crate::time::{nanoseconds, per_second, whole};
use crate::timeline::coarse::Coarse;
use crate::view::progress::Live;

/// How far back "now" reaches.
const NOW: Duration = Duration::from_secs(1);

/// Outcomes that are named; the rest is added up.
const OUTCOMES_SHOWN_MAX: usize = 5;

/// The progress at a moment.
#[derive(Clone, Debug)]
struct Moment {
    at: Duration,
    answered: u64,
    live: Live,
}

/// Keeps the progress of the last second, to tell rates and percentiles from.
#[derive(Clone, Debug, Default)]
pub(super) struct Meter {
    /// In order; the first is the newest that is a second old, or the beginning.
    moments: VecDeque<Moment>,
}

impl Meter {
    /// `answered` claims were answered by the time `at`, counted from the beginning of the load.
    pub(super) fn note(&mut self, at: Duration, answered: u64, live: Live) {
        if self.moments.is_empty() {
            self.moments.push_back(Moment { at: Duration::ZERO, answered: 0, live: Live::default() });
        }
        self.moments.push_back(Moment { at, answered, live });
        while self.moments.get(1).is_some_and(|second| second.at + NOW <= at) {
            self.moments.pop_front();
        }
    }

    /// Claims, or what else `operation` counts, answered: now, and on average since the beginning.
    pub(super) fn rates(&self, operation: Operation) -> String {
        let Some((first, last)) = self.ends() else { return String::new() };
        let rate = |count, span| Grouped(whole(per_second(count, nanoseconds(span))));
        let now = rate(last.answered.saturating_sub(first.answered), last.at.saturating_sub(first.at));
        format!("{now} {}/s, {} on average", operation.unit(), rate(last.answered, last.at))
    }

    /// Percentiles of what was answered now.
    pub(super) fn latencies(&self) -> String {
        let recent = self.recent();
        let shown = [("p50", 500), ("p99", 990), ("p99.9", 999), ("max", 1_000)];
        let told = shown.map(|(name, per_mille)| {
            let latency = recent.quantile_ns(per_mille).map(crate::time::microseconds);
            format!("{name} {}", latency.map_or_else(|| "–".to_owned(), time_text))
        });
        told.join("   ")
    }

    /// All answers since the beginning by what they said, the most frequent first.
    pub(super) fn outcomes(&self) -> String {
        let Some((_, last)) = self.ends() else { return String::new() };
        let mut counts = (0..=u8::MAX).zip(last.live.outcomes).filter(|(_, count)| *count > 0).collect::<Vec<_>>();
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let (named, others) = counts.split_at(counts.len().min(OUTCOMES_SHOWN_MAX));
        let named = named.iter().map(|(number, count)| format!("{} {}", outcome_name(*number), Grouped(*count)));
        let others = others.iter().map(|(_, count)| count).sum::<u64>();
        let others = (others > 0).then(|| format!("others {}", Grouped(others)));
        named.chain(others).collect::<Vec<_>>().join("   ")
    }

    fn recent(&self) -> Coarse {
        self.ends().map_or_else(Coarse::default, |(first, last)| last.live.latency.since(&first.live.latency))
    }

    fn ends(&self) -> Option<(&Moment, &Moment)> {
        self.moments.front().zip(self.moments.back())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn live(granted: u64, sold_out: u64, latency_ns: u64) -> Live {
        let mut live = Live::default();
        (live.outcomes[1], live.outcomes[61]) = (granted, sold_out);
        live.latency.record(latency_ns, granted + sold_out);
        live
    }

    #[test]
    fn now_is_the_last_second_and_the_average_is_since_the_beginning() {
        let mut meter = Meter::default();
        assert_eq!((meter.rates(Operation::Claim), meter.outcomes()), (String::new(), String::new()));
        let mut total = Live::default();
        for tenth in 1..=30_u32 {
            let step = if tenth <= 20 { live(100, 0, 50_000) } else { live(0, 1_000, 4_000_000) };
            total.latency.absorb(&step.latency);
            total.outcomes.iter_mut().zip(step.outcomes).for_each(|(sum, more)| *sum += more);
            let answered = total.latency.len();
            meter.note(Duration::from_millis(100) * tenth, answered, total.clone());
        }
        assert_eq!(meter.rates(Operation::Claim), "10,000 claims/s, 4,000 on average");
        assert_eq!(meter.outcomes(), "SOLD_OUT 10,000   GRANTED 2,000");
        let latencies = meter.latencies();
        assert!(latencies.starts_with("p50 4.") && latencies.contains("ms   p99 4."), "{latencies}");
        assert!(meter.moments.len() <= 12, "{} moments are kept", meter.moments.len());
    }

    #[test]
    fn a_server_that_says_nothing_has_no_latency() {
        let mut meter = Meter::default();
        meter.note(Duration::from_secs(1), 10, live(10, 0, 1_000));
        meter.note(Duration::from_secs(2), 10, live(10, 0, 1_000));
        meter.note(Duration::from_secs(3), 10, live(10, 0, 1_000));
        assert_eq!(meter.rates(Operation::Claim), "0 claims/s, 3 on average");
        assert_eq!(meter.rates(Operation::Wallet), "0 pages/s, 3 on average");
        assert_eq!(meter.latencies(), "p50 –   p99 –   p99.9 –   max –");
    }

    #[test]
    fn rare_outcomes_are_added_up() {
        let mut live = Live::default();
        (1..=8_u8).zip(10..).for_each(|(number, count)| live.outcomes[usize::from(number) + 100] = count);
        let mut meter = Meter::default();
        meter.note(Duration::from_secs(1), 1, live);
        let outcomes = meter.outcomes();
        assert!(outcomes.starts_with("UNKNOWN_108 17   UNKNOWN_107 16"), "{outcomes}");
        assert!(outcomes.ends_with("UNKNOWN_104 13   others 33"), "{outcomes}");
    }
}
