//! What happened when: a run cut into intervals of equal length.
//!
//! Each generator thread keeps one. Latencies and offered claims belong to the interval of their intended start,
//! answers to the interval in which they came. Memory is bounded: when the intervals run out, each two become one.

pub mod coarse;
pub mod seconds;
pub mod series;

use coarse::Coarse;

/// Intervals of a run at most: more than a chart has room for.
pub const INTERVALS_MAX: usize = 400;

/// Intervals that a planned run is cut into, at most. The rest is for replies that come after its end.
const INTERVALS_PLANNED_MAX: u128 = 250;

/// Lengths of an interval, in milliseconds, that can be read on an axis.
const WIDTHS_MS: [u64; 16] =
    [10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 30_000, 60_000, 120_000, 300_000, 600_000];

/// Outcomes by their number.
pub type Outcomes = [u64; 256];

/// One interval.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interval {
    /// Latencies of the claims that were meant to start in it.
    pub latency: Coarse,
    /// Claims that were meant to start in it.
    pub offered: u64,
    /// Claims answered in it.
    pub answered: u64,
    /// New grants among them.
    pub granted: u64,
    /// Claims answered in it, by the number of their outcome, for those that occurred.
    pub outcomes: Vec<(u8, u64)>,
}

/// The intervals of a run, from the start of its clock.
#[derive(Clone, Debug)]
pub struct Timeline {
    width_ns: u64,
    intervals: Vec<Interval>,
    /// The interval that was looked up last, and its beginning: nearly always the next one wanted, without a division.
    last_place: usize,
    last_from_ns: u64,
    /// The interval whose outcomes are being counted by someone else.
    open: usize,
    /// All outcomes at its beginning.
    outcomes_before: Box<Outcomes>,
}

impl Timeline {
    /// For a run that should take `planned_ns`. 0 = nobody knows: the intervals are short at first.
    #[must_use]
    pub fn new(planned_ns: u64) -> Self {
        let fits = |width_ms: &u64| u128::from(*width_ms) * 1_000_000 * INTERVALS_PLANNED_MAX >= planned_ns.into();
        let width_ms = WIDTHS_MS.into_iter().find(fits).unwrap_or(WIDTHS_MS[WIDTHS_MS.len() - 1]);
        Self {
            width_ns: width_ms * 1_000_000,
            intervals: vec![Interval::default()],
            last_place: 0,
            last_from_ns: 0,
            open: 0,
            outcomes_before: Box::new([0; 256]),
        }
    }

    /// Length of an interval.
    #[must_use]
    pub fn width_ns(&self) -> u64 {
        self.width_ns
    }

    /// All intervals, the first one from 0 on.
    #[must_use]
    pub fn intervals(&self) -> &[Interval] {
        &self.intervals
    }

    /// `claims` are meant to start at `at_ns`.
    pub fn offered(&mut self, at_ns: u64, claims: u64) {
        self.at(at_ns).offered += claims;
    }

    /// `claims` were meant to start evenly from `from_ns` to `until_ns`.
    pub fn offered_evenly(&mut self, from_ns: u64, until_ns: u64, claims: u64) {
        let span_ns = until_ns.saturating_sub(from_ns);
        if span_ns == 0 || claims == 0 {
            return;
        }
        // Makes room for all of them first: the width stays what it is from here on.
        self.at(until_ns - 1);
        let due_by = |at_ns: u64| {
            let share = u128::from(claims) * u128::from(at_ns.clamp(from_ns, until_ns) - from_ns);
            u64::try_from(share / u128::from(span_ns)).unwrap_or(claims)
        };
        let width_ns = self.width_ns;
        for (number, interval) in (0..).zip(&mut self.intervals) {
            interval.offered += due_by((number + 1) * width_ns) - due_by(number * width_ns);
        }
    }

    /// `claims` that were meant to start at `at_ns` took `latency_ns`.
    pub fn latency(&mut self, at_ns: u64, latency_ns: u64, claims: u64) {
        self.at(at_ns).latency.record(latency_ns, claims);
    }

    /// `claims` are answered at `at_ns`, `granted` of them new grants.
    pub fn answered(&mut self, at_ns: u64, claims: u64, granted: u64) {
        let interval = self.at(at_ns);
        interval.answered += claims;
        interval.granted += granted;
    }

    /// What is counted from here on comes at `now_ns`; `outcomes` are all that were counted until now. So outcomes cost
    /// nothing but one count each: an interval has what was added while it was open.
    pub fn turn(&mut self, now_ns: u64, outcomes: &Outcomes) {
        self.at(now_ns);
        if self.last_place != self.open {
            let now_open = self.last_place;
            self.close(outcomes);
            self.open = now_open;
        }
    }

    /// Enters what the open interval has of `outcomes`, which are all that were counted until now.
    pub fn close(&mut self, outcomes: &Outcomes) {
        let before = std::mem::replace(&mut *self.outcomes_before, *outcomes);
        let added =
            (0..=u8::MAX).zip(outcomes.iter().zip(before)).map(|(number, (now, before))| (number, now - before));
        let added = added.filter(|(_, count)| *count > 0).collect::<Vec<_>>();
        let open = self.open;
        self.reach(open).add_outcomes(&added);
    }

    /// Adds the intervals of another thread of the same run. Both must be closed.
    ///
    /// # Panics
    /// When the two were not begun for the same plan.
    pub fn absorb(&mut self, other: &Timeline) {
        let mut other = other.clone();
        while other.width_ns < self.width_ns {
            other.widen();
        }
        while self.width_ns < other.width_ns {
            self.widen();
        }
        assert_eq!(self.width_ns, other.width_ns, "the threads of a run begin with the same intervals");
        for (number, theirs) in other.intervals.iter().enumerate() {
            self.reach(number).absorb(theirs);
        }
    }

    /// The interval of `at_ns`, after making room for it.
    #[inline]
    fn at(&mut self, at_ns: u64) -> &mut Interval {
        if at_ns.wrapping_sub(self.last_from_ns) >= self.width_ns {
            self.look_up(at_ns);
        }
        &mut self.intervals[self.last_place]
    }

    #[cold]
    fn look_up(&mut self, at_ns: u64) {
        while self.place(at_ns) >= INTERVALS_MAX {
            self.widen();
        }
        self.last_place = self.place(at_ns);
        self.last_from_ns = at_ns - at_ns % self.width_ns;
        self.reach(self.last_place);
    }

    fn reach(&mut self, place: usize) -> &mut Interval {
        if place >= self.intervals.len() {
            self.intervals.resize_with(place + 1, Interval::default);
        }
        &mut self.intervals[place]
    }

    fn place(&self, at_ns: u64) -> usize {
        usize::try_from(at_ns / self.width_ns).unwrap_or(usize::MAX)
    }

    /// Makes each two intervals one.
    fn widen(&mut self) {
        self.width_ns = self.width_ns.saturating_mul(2);
        self.open /= 2;
        let pairs = self.intervals.chunks(2).map(|pair| {
            let mut one = pair[0].clone();
            pair[1..].iter().for_each(|other| one.absorb(other));
            one
        });
        self.intervals = pairs.collect();
        (self.last_place, self.last_from_ns) = (0, 0);
    }
}

impl Interval {
    fn absorb(&mut self, other: &Interval) {
        self.latency.absorb(&other.latency);
        self.offered += other.offered;
        self.answered += other.answered;
        self.granted += other.granted;
        self.add_outcomes(&other.outcomes);
    }

    fn add_outcomes(&mut self, added: &[(u8, u64)]) {
        for (number, count) in added {
            match self.outcomes.binary_search_by_key(number, |(known, _)| *known) {
                Ok(place) => self.outcomes[place].1 += count,
                Err(place) => self.outcomes.insert(place, (*number, *count)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;
    const SECOND: u64 = 1_000 * MS;

    #[test]
    fn a_planned_run_has_intervals_of_a_length_that_can_be_read() {
        let width_ms = |planned_s: u64| Timeline::new(planned_s * SECOND).width_ns() / MS;
        assert_eq!([0, 2, 3, 6, 60, 300, 3_600, 86_400].map(width_ms), [10, 10, 20, 50, 500, 2_000, 20_000, 600_000]);
    }

    #[test]
    fn latencies_belong_to_the_intended_start_and_answers_to_their_arrival() {
        let mut timeline = Timeline::new(2 * SECOND);
        timeline.offered(15 * MS, 8);
        timeline.latency(15 * MS, 20 * MS, 8);
        timeline.answered(35 * MS, 8, 5);
        let [_, second, third, fourth] = timeline.intervals() else { panic!("{timeline:?}") };
        assert_eq!((second.offered, second.latency.len(), second.answered), (8, 8, 0));
        assert_eq!(*third, Interval::default());
        assert_eq!((fourth.offered, fourth.latency.len(), fourth.answered, fourth.granted), (0, 0, 8, 5));
    }

    #[test]
    fn outcomes_belong_to_the_interval_that_was_open() {
        let (mut timeline, mut outcomes) = (Timeline::new(2 * SECOND), [0; 256]);
        timeline.turn(3 * MS, &outcomes);
        outcomes[1] += 7;
        timeline.turn(9 * MS, &outcomes);
        outcomes[61] += 2;
        timeline.turn(31 * MS, &outcomes);
        outcomes[1] += 5;
        timeline.close(&outcomes);
        let found = timeline.intervals().iter().map(|interval| interval.outcomes.clone()).collect::<Vec<_>>();
        assert_eq!(found, [vec![(1, 7), (61, 2)], vec![], vec![], vec![(1, 5)]]);
    }

    #[test]
    fn a_run_that_outlasts_its_plan_loses_resolution_and_nothing_else() {
        let (mut timeline, mut outcomes) = (Timeline::new(0), [0; 256]);
        for tick in 0..5_000_u64 {
            let at_ns = tick * 10 * MS;
            timeline.turn(at_ns, &outcomes);
            timeline.offered(at_ns, 1);
            timeline.latency(at_ns, tick + 1, 1);
            timeline.answered(at_ns, 1, 1);
            outcomes[1] += 1;
        }
        timeline.close(&outcomes);
        assert_eq!(timeline.width_ns(), 160 * MS);
        assert_eq!(timeline.intervals().len(), 313);
        for (number, interval) in (0_u64..).zip(&timeline.intervals()[..312]) {
            assert_eq!((interval.offered, interval.answered, interval.granted), (16, 16, 16), "interval {number}");
            assert_eq!(interval.latency.len(), 16);
            assert_eq!(interval.latency.max_ns(), number * 16 + 16, "interval {number}");
            assert_eq!(interval.outcomes, [(1, 16)], "interval {number}");
        }
    }

    #[test]
    fn threads_that_widened_differently_add_up() {
        let (mut first, mut second) = (Timeline::new(0), Timeline::new(0));
        first.answered(5 * MS, 1, 0);
        second.answered(5 * MS, 2, 0);
        second.answered(6 * SECOND, 4, 0);
        first.absorb(&second);
        assert_eq!(first.width_ns(), 20 * MS);
        let answered = first.intervals().iter().map(|interval| interval.answered).filter(|count| *count > 0);
        assert_eq!(answered.collect::<Vec<_>>(), [3, 4]);
        let mut third = Timeline::new(0);
        third.answered(5 * MS, 8, 0);
        first.absorb(&third);
        assert_eq!(first.intervals()[0].answered, 11);
    }

    #[test]
    fn an_even_offer_loses_no_claim() {
        let mut timeline = Timeline::new(2 * SECOND);
        timeline.offered_evenly(15 * MS, 45 * MS, 3_001);
        let offered = timeline.intervals().iter().map(|interval| interval.offered).collect::<Vec<_>>();
        assert_eq!(offered, [0, 500, 1_000, 1_000, 501]);
        timeline.offered_evenly(0, 10 * SECOND, 1_000_000);
        assert_eq!(timeline.intervals().iter().map(|interval| interval.offered).sum::<u64>(), 1_003_001);
        timeline.offered_evenly(5, 5, 1);
    }
}
