//! What one generator thread counts while it runs: outcomes, latencies, and how well it kept to its own schedule.
//!
//! A "claim" here is what the run does over and over: where that is a pair of requests, it has an outcome when it is
//! over, and its requests are counted beside it ([`StepTally`]).

use std::collections::BTreeMap;

use hdrhistogram::Histogram;
use stockade_protocol::Status;

use crate::limits::{LATE_NS, LATENCY_NS_MAX};
use crate::load::step_tally::StepTally;
use crate::load::window::Step;
use crate::timeline::coarse::Coarse;
use crate::timeline::seconds::{Seconds, Steadiness};
use crate::timeline::{Outcomes, Timeline};

/// Points at which a stretch of frames without a reply is entered into the histogram.
const CENSORED_POINTS: u64 = 1_000;

/// The measured part of a run, in nanoseconds since its start: from the end of the warm-up, up to and without `end_ns`.
#[derive(Clone, Copy, Debug)]
pub struct Period {
    /// End of the warm-up.
    pub warm_ns: u64,
    /// End of the measurement.
    pub end_ns: u64,
}

impl Period {
    /// Whether `instant_ns` is measured.
    #[must_use]
    pub const fn contains(&self, instant_ns: u64) -> bool {
        self.warm_ns <= instant_ns && instant_ns < self.end_ns
    }
}

/// Counts of one thread; [`Tally::absorb`] adds those of another.
#[derive(Clone, Debug)]
pub struct Tally {
    period: Period,
    latency: Histogram<u64>,
    outcomes: Outcomes,
    timeline: Timeline,
    seconds: Seconds,
    live: Coarse,
    /// Both requests of a slot, where it has two; else none.
    steps: Vec<StepTally>,
    /// Claims answered, of the whole run.
    pub answered: u64,
    /// New grants (no replays), of the whole run.
    pub granted: u64,
    /// Claims answered in the measured period.
    pub measured_answered: u64,
    /// New grants in the measured period.
    pub measured_granted: u64,
    /// Claims whose intended start is in the measured period, sent or not.
    pub measured_offered: u64,
    /// Frames sent for the first time.
    pub frames_sent: u64,
    /// Claims in them.
    pub claims_sent: u64,
    /// Frames sent again on a new connection, since the old one broke before their reply.
    pub frames_resent: u64,
    /// Frames sent more than a millisecond after their intended start, for whatever reason.
    pub frames_late: u64,
    /// Those of them that were late although the window had room and the connection stood: the generator's own fault.
    pub frames_late_own: u64,
    /// The longest delay of a send after its intended start.
    pub lateness_max_ns: u64,
    /// The longest that is the generator's own fault.
    pub lateness_own_max_ns: u64,
    /// Claims of the schedule that were never sent: the window was full until the end.
    pub claims_unsent: u64,
    /// Frames that were due before their batches existed, where batches come and go.
    pub batch_waits: u64,
    /// Connections that broke.
    pub connections_broken: u64,
    /// What the server said when it broke the protocol; the first one.
    pub complaint: Option<String>,
    /// When the last reply came.
    pub last_reply_ns: u64,
}

impl Tally {
    /// Nothing counted yet, of a run that should take `planned_ns`; 0 = nobody knows.
    ///
    /// # Panics
    /// Never: the histogram's bounds are constants that it accepts.
    #[must_use]
    pub fn new(period: Period, planned_ns: u64) -> Self {
        let latency =
            Histogram::new_with_bounds(1, LATENCY_NS_MAX, 3).expect("1 ns to an hour with 3 digits is possible");
        Self {
            period,
            latency,
            outcomes: [0; 256],
            timeline: Timeline::new(planned_ns),
            seconds: Seconds::default(),
            live: Coarse::default(),
            steps: Vec::new(),
            answered: 0,
            granted: 0,
            measured_answered: 0,
            measured_granted: 0,
            measured_offered: 0,
            frames_sent: 0,
            claims_sent: 0,
            frames_resent: 0,
            frames_late: 0,
            frames_late_own: 0,
            lateness_max_ns: 0,
            lateness_own_max_ns: 0,
            claims_unsent: 0,
            batch_waits: 0,
            connections_broken: 0,
            complaint: None,
            last_reply_ns: 0,
        }
    }

    /// The same, of slots with two requests each.
    #[must_use]
    pub fn in_two_steps(self) -> Self {
        Self { steps: vec![StepTally::new(); 2], ..self }
    }

    /// A request of this step got the outcome with this number.
    #[inline]
    pub fn step_outcome(&mut self, step: Step, status: u8) {
        if let Some(tally) = self.steps.get_mut(step as usize) {
            tally.outcome(status);
        }
    }

    /// `requests` of this step, due at `from_ns`, are answered at `now_ns`.
    pub fn step_answered(&mut self, step: Step, requests: u32, from_ns: u64, now_ns: u64) {
        let period = self.period;
        if let Some(tally) = self.steps.get_mut(step as usize) {
            tally.answered(period, requests, from_ns, now_ns);
        }
    }

    /// Both requests of a slot; none if it has but one.
    #[must_use]
    pub fn steps(&self) -> &[StepTally] {
        &self.steps
    }

    /// A frame of `claims` leaves at `now_ns`. It was meant to at `intended_ns`, and could not before `able_ns`.
    pub fn sent(&mut self, claims: u32, intended_ns: u64, able_ns: u64, now_ns: u64) {
        self.frames_sent += 1;
        self.claims_sent += u64::from(claims);
        if self.period.contains(intended_ns) {
            self.measured_offered += u64::from(claims);
        }
        self.timeline.offered(intended_ns, claims.into());
        let lateness_ns = now_ns.saturating_sub(intended_ns);
        let own_ns = now_ns.saturating_sub(intended_ns.max(able_ns));
        self.lateness_max_ns = self.lateness_max_ns.max(lateness_ns);
        self.lateness_own_max_ns = self.lateness_own_max_ns.max(own_ns);
        self.frames_late += u64::from(lateness_ns > LATE_NS);
        self.frames_late_own += u64::from(own_ns > LATE_NS);
    }

    /// Replies that came at `now_ns` are about to be counted.
    pub fn turn(&mut self, now_ns: u64) {
        self.timeline.turn(now_ns, &self.outcomes);
    }

    /// One claim got the outcome with this number.
    #[inline]
    pub fn outcome(&mut self, status: u8) {
        self.outcomes[usize::from(status)] += 1;
    }

    /// A frame of `claims`, meant to start at `intended_ns`, is answered at `now_ns`; `granted` of them are new grants.
    pub fn answered(&mut self, claims: u32, granted: u32, intended_ns: u64, now_ns: u64) {
        let (claims, granted) = (u64::from(claims), u64::from(granted));
        self.answered += claims;
        self.granted += granted;
        self.last_reply_ns = now_ns;
        if self.period.contains(now_ns) {
            self.measured_answered += claims;
            self.measured_granted += granted;
            self.seconds.answered(self.period, now_ns, claims);
        }
        self.timeline.answered(now_ns, claims, granted);
        self.live.record(now_ns.saturating_sub(intended_ns).max(1), claims);
        self.latency(intended_ns, now_ns, claims);
    }

    /// A frame of `claims` had no reply by `now_ns`: its latency is at least the time until then.
    pub fn unanswered(&mut self, claims: u32, intended_ns: u64, now_ns: u64) {
        self.latency(intended_ns, now_ns, claims.into());
    }

    /// `claims` that were meant to be sent evenly from `from_ns` on never were, up to the end of the period. Each
    /// counts with the time that it waited in vain: to leave them out would flatter the percentiles.
    pub fn unsent(&mut self, claims: u64, from_ns: u64) {
        self.claims_unsent += claims;
        self.timeline.offered_evenly(from_ns, self.period.end_ns, claims);
        let first_ns = from_ns.max(self.period.warm_ns);
        if first_ns >= self.period.end_ns || claims == 0 {
            return;
        }
        let measured_ns = self.period.end_ns - first_ns;
        let share = u128::from(claims) * u128::from(measured_ns) / u128::from(self.period.end_ns - from_ns);
        let measured = u64::try_from(share).unwrap_or(claims);
        self.measured_offered += measured;
        let points = measured.min(CENSORED_POINTS);
        for point in 0..points {
            let weight = measured / points + u64::from(point < measured % points);
            self.latency(first_ns + measured_ns / points * point, self.period.end_ns, weight);
        }
    }

    fn latency(&mut self, intended_ns: u64, now_ns: u64, claims: u64) {
        let latency_ns = now_ns.saturating_sub(intended_ns).max(1);
        self.timeline.latency(intended_ns, latency_ns, claims);
        if self.period.contains(intended_ns) {
            self.latency.saturating_record_n(latency_ns, claims);
        }
    }

    /// The run is over: nothing is counted any more.
    pub fn close(&mut self) {
        self.timeline.close(&self.outcomes);
    }

    /// Adds the counts of another thread of the same run. Both must be closed.
    ///
    /// # Panics
    /// Never: both histograms have the same bounds.
    pub fn absorb(&mut self, other: &Tally) {
        self.latency.add(&other.latency).expect("histograms with the same bounds");
        for (mine, theirs) in self.outcomes.iter_mut().zip(other.outcomes) {
            *mine += theirs;
        }
        self.timeline.absorb(&other.timeline);
        self.seconds.absorb(&other.seconds);
        self.live.absorb(&other.live);
        self.steps.iter_mut().zip(&other.steps).for_each(|(mine, theirs)| mine.absorb(theirs));
        self.answered += other.answered;
        self.granted += other.granted;
        self.measured_answered += other.measured_answered;
        self.measured_granted += other.measured_granted;
        self.measured_offered += other.measured_offered;
        self.frames_sent += other.frames_sent;
        self.claims_sent += other.claims_sent;
        self.frames_resent += other.frames_resent;
        self.frames_late += other.frames_late;
        self.frames_late_own += other.frames_late_own;
        self.lateness_max_ns = self.lateness_max_ns.max(other.lateness_max_ns);
        self.lateness_own_max_ns = self.lateness_own_max_ns.max(other.lateness_own_max_ns);
        self.claims_unsent += other.claims_unsent;
        self.batch_waits += other.batch_waits;
        self.connections_broken += other.connections_broken;
        self.complaint = self.complaint.take().or_else(|| other.complaint.clone());
        self.last_reply_ns = self.last_reply_ns.max(other.last_reply_ns);
    }

    /// The measured part of the run.
    #[must_use]
    pub fn period(&self) -> Period {
        self.period
    }

    /// Latencies in nanoseconds, one count for each claim.
    #[must_use]
    pub fn latencies(&self) -> &Histogram<u64> {
        &self.latency
    }

    /// What happened when.
    #[must_use]
    pub fn timeline(&self) -> &Timeline {
        &self.timeline
    }

    /// How steady the first `measured_ns` of the period were; `None` if they are too short to say.
    #[must_use]
    pub fn steadiness(&self, measured_ns: u64) -> Option<Steadiness> {
        self.seconds.steadiness(self.period, measured_ns)
    }

    /// Latencies of the claims answered so far, the whole run's.
    #[must_use]
    pub fn live(&self) -> &Coarse {
        &self.live
    }

    /// Claims by the number of their outcome.
    #[must_use]
    pub fn outcome_counts(&self) -> &Outcomes {
        &self.outcomes
    }

    /// Claims by outcome, for those that occurred.
    #[must_use]
    pub fn outcomes(&self) -> BTreeMap<String, u64> {
        let occurred = (0..=u8::MAX).zip(self.outcomes).filter(|(_, count)| *count > 0);
        occurred.map(|(number, count)| (outcome_name(number), count)).collect()
    }
}

/// The name of the outcome with this number.
#[must_use]
pub fn outcome_name(number: u8) -> String {
    Status::from_number(number).map_or_else(|| format!("UNKNOWN_{number}"), |status| status.name().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    fn tally() -> Tally {
        Tally::new(Period { warm_ns: 100 * MS, end_ns: 200 * MS }, 0)
    }

    #[test]
    fn the_warm_up_is_in_neither_rates_nor_latencies() {
        let mut tally = tally();
        tally.answered(2, 1, 50 * MS, 99 * MS);
        tally.answered(2, 1, 99 * MS, 101 * MS);
        tally.answered(4, 1, 199 * MS, 250 * MS);
        assert_eq!((tally.answered, tally.measured_answered, tally.measured_granted), (8, 2, 1));
        assert_eq!(tally.latencies().len(), 4, "only the frame that was meant to start in the period");
        assert!(tally.latencies().max() >= 51 * MS);
        assert_eq!(tally.timeline().intervals().iter().map(|interval| interval.latency.len()).sum::<u64>(), 8);
    }

    #[test]
    fn a_send_that_the_window_held_back_is_late_but_not_our_fault() {
        let mut tally = tally();
        tally.sent(1, 110 * MS, 0, 110 * MS);
        tally.sent(1, 110 * MS, 115 * MS, 115 * MS);
        tally.sent(1, 110 * MS, 112 * MS, 115 * MS);
        assert_eq!((tally.frames_late, tally.frames_late_own), (2, 1));
        assert_eq!((tally.lateness_max_ns, tally.lateness_own_max_ns), (5 * MS, 3 * MS));
    }

    #[test]
    fn claims_that_were_never_sent_count_with_their_wait() {
        let mut tally = tally();
        tally.unsent(2_000, 0);
        assert_eq!((tally.claims_unsent, tally.measured_offered, tally.latencies().len()), (2_000, 1_000, 1_000));
        let median = tally.latencies().value_at_quantile(0.5);
        assert!(median.abs_diff(50 * MS) < MS, "half of them waited for more than 50 ms: {median}");
        let intervals = tally.timeline().intervals();
        let offered = intervals.iter().map(|interval| interval.offered).collect::<Vec<_>>();
        assert_eq!(offered, [100; 20], "over time, the warm-up is shown too");
        let waits = intervals[15].latency.quantile_ns(500).unwrap();
        assert!(waits.abs_diff(45 * MS) <= 2 * MS, "in the middle they had 45 ms to go: {waits}");
    }
}
