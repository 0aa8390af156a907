//! The two requests of a pair, each with its rate, its latency and its answers.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::load::tally::Tally;
use crate::report::Latency;
use crate::time::per_second;

/// One of the two requests that make a pair.
#[derive(Clone, Debug, Serialize)]
pub struct StepFigures {
    /// What is asked.
    pub name: &'static str,
    /// Requests answered, of the whole run.
    pub answered: u64,
    /// Requests answered a second in the measured time.
    pub per_s: f64,
    /// Latencies of those that were due in the measured time: of first requests as those of claims, of second ones from
    /// the arrival of the first one's answer.
    pub latency_us: Latency,
    /// Requests of the whole run, by outcome.
    pub outcomes: BTreeMap<String, u64>,
}

impl StepFigures {
    /// Those of a run, in order; none where there are no pairs.
    #[must_use]
    pub fn of(names: &'static [&'static str], tally: &Tally, measured_ns: u64) -> Vec<Self> {
        let figures = names.iter().zip(tally.steps()).map(|(name, step)| Self {
            name,
            answered: step.answered,
            per_s: per_second(step.measured_answered, measured_ns),
            latency_us: Latency::new(step.latencies()),
            outcomes: step.outcomes(),
        });
        figures.collect()
    }
}
