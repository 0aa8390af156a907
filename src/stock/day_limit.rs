//! The limit of a batch's day: how many units all users together may take on one day, exactly.
//!
//! A batch with such a limit keeps in its pool only what may still be taken today; the rest is *withheld* here. So the
//! limit costs a claim nothing: to draw from the pool is to be within the limit, and cores share nothing that they do
//! not share anyway. At all times, under the lock:
//!
//! ```text
//! taken today + in the pool + left = limit    (left: what may still be released today; less than 0 after the limit was
//!                                              lowered below what was taken)
//! left ≤ 0, or nothing is withheld
//! ```
//!
//! A new day is opened by the first claim of that day. The claims of the day before may still be under way then, and
//! must not take of the new day's units; so the day is [rolled](DayLimit::roll) only when all of them have ended (the
//! caller knows: the epoch of the opening has closed). Until then claims of the new day are *early*: they take under
//! the lock, withheld units first, and are counted against the new day's limit.

use std::cmp::Ordering::{Equal, Greater, Less};

use super::pool::{Mode, Pool};
use super::run::{Run, Runs};
use super::sync::{AtomicI32, AtomicU64, Mutex, Ordering};

/// A day, counted from some other one.
pub type Day = i32;

/// Why a claim gets nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Short {
    /// Fewer units than asked for are left.
    Stock,
    /// Fewer of today's.
    Day,
}

/// See the module.
pub struct DayLimit {
    /// The day whose units are in the pool. Written under the lock; read by every claim. Relaxed: a claim of a later
    /// day than it reads looks again under the lock, and there is none of an earlier day than the true one.
    open_day: AtomicI32,
    /// Changes of what is withheld: odd while one is under way. Written under the lock (release), read by refusers.
    changes: AtomicU64,
    /// Units withheld. The same.
    withheld_units: AtomicU64,
    state: Mutex<State>,
}

struct State {
    withheld: Vec<Run>,
    day: Day,
    /// `None` = unlimited: a limit that was set on this day begins with the next.
    limit: Option<u32>,
    /// The limit of the days to come, from the day `begins` on.
    next_limit: Option<u32>,
    begins: Day,
    /// Units that may still be released today.
    left: i64,
    /// Units taken for days to come: more than one, where the first claim of a day is not durable when the next begins.
    early: Vec<(Day, u64)>,
}

impl DayLimit {
    /// A limit whose first day is `day`, on which `taken` units were taken already. What the pool holds beyond the
    /// limit is withheld. With `limit` of `None`, there is no limit on that day; `next_limit` is that of the days to
    /// come.
    #[must_use]
    pub fn new(pool: &Pool, day: Day, taken: u64, limit: Option<u32>, next_limit: Option<u32>) -> Self {
        let begins = day.saturating_add(1);
        let state = State { withheld: Vec::new(), day, limit, next_limit, begins, left: 0, early: Vec::new() };
        let (changes, withheld_units) = (AtomicU64::new(0), AtomicU64::new(0));
        let limit_of_day = Self { open_day: AtomicI32::new(day), changes, withheld_units, state: Mutex::new(state) };
        let mut state = limit_of_day.state.lock();
        limit_of_day.set_taken(&mut state, pool, taken);
        drop(state);
        limit_of_day
    }

    /// Draws for a claim of `day`, as [`Pool::draw`] does. `open` is called when the day must be opened: the caller
    /// then calls [`DayLimit::roll`] once every claim of an earlier day has ended.
    ///
    /// # Errors
    /// Why there are too few, at one instant during this call.
    pub fn draw(
        &self,
        pool: &Pool,
        (core, day): (usize, Day),
        (quantity, mode): (u8, Mode),
        before_take: impl FnOnce(),
        open: impl FnOnce(),
    ) -> Result<Runs, Short> {
        if day > self.open_day.load(Ordering::Relaxed) {
            return self.draw_early(pool, (core, day), (quantity, mode), before_take, open);
        }
        let changes = self.changes.load(Ordering::Acquire);
        let mut before_take = Some(before_take);
        if let Some(runs) = pool.draw(core, quantity, mode, || call(&mut before_take)) {
            return Ok(runs);
        }
        // A unit may have gone from what is withheld into the pool between the two looks: then they are repeated where
        // none can.
        let (withheld, left) = (self.withheld_units.load(Ordering::Acquire), u64::from(pool.units_hint()));
        if changes.is_multiple_of(2) && self.changes.load(Ordering::Acquire) == changes {
            return Err(why(withheld + left, quantity, mode));
        }
        let state = self.state.lock();
        let drawn = pool.draw(core, quantity, mode, || call(&mut before_take));
        drawn.ok_or_else(|| why(state.withheld_units() + u64::from(pool.units_hint()), quantity, mode))
    }

    /// Opens `day`, if it was not opened before: its limit begins, what was not taken of earlier days' is part of it.
    pub fn roll(&self, pool: &Pool, day: Day) {
        let mut state = self.state.lock();
        if day > state.day {
            (state.day, state.limit) = (day, state.limit_of(day));
            let taken = state.early_of(day);
            state.early.retain(|(early, _)| *early > day);
            self.set_taken(&mut state, pool, taken);
            self.open_day.store(day, Ordering::Relaxed);
        }
    }

    /// Makes a run claimable, now or on a later day. `taken` is the day on which its units were taken, if they come
    /// back: they may be taken again on the same day.
    pub fn add(&self, pool: &Pool, run: Run, taken: Option<Day>) {
        let mut state = self.state.lock();
        match taken.map(|taken| taken.cmp(&state.day)) {
            Some(Equal) => state.left += i64::from(run.count),
            Some(Greater) => state.note_early(taken.unwrap_or(Day::MIN), -i64::from(run.count)),
            Some(Less) | None => {}
        }
        self.change(|| {
            state.withheld.push(run);
            self.settle(&mut state, pool);
        });
    }

    /// Sets the limit. A lower one bites at once; one where there was none begins with the day after `today`.
    pub fn set_limit(&self, pool: &Pool, limit: Option<u32>, today: Day) {
        let mut state = self.state.lock();
        if state.next_limit.is_none() {
            state.begins = today.saturating_add(1);
        }
        state.next_limit = limit;
        // A batch without a limit today gets its first one tomorrow: nobody counted what was taken today.
        if let Some(before) = state.limit {
            state.limit = limit;
            // By the difference: others go on drawing meanwhile.
            state.left += amount(limit) - i64::from(before);
            self.change(|| self.settle(&mut state, pool));
        }
    }

    /// Units that were taken on `day`, which is today; 0 on a day without a limit.
    #[must_use]
    pub fn taken(&self, pool: &Pool, day: Day) -> u64 {
        let state = self.state.lock();
        // Nobody has opened it yet, or that is not durable.
        let is_early = day > state.day;
        let (limit, taken) =
            if is_early { (state.limit_of(day), state.early_of(day)) } else { (state.limit, state.taken(pool)) };
        if limit.is_some() { taken } else { 0 }
    }

    /// Whether a serial is withheld.
    #[must_use]
    pub fn holds(&self, serial: u32) -> bool {
        self.state.lock().withheld.iter().any(|run| (run.first..run.end()).contains(&serial))
    }

    /// Units withheld.
    #[must_use]
    pub fn withheld_units(&self) -> u64 {
        self.withheld_units.load(Ordering::Acquire)
    }

    /// Takes up to `most` units away for good: withheld ones first.
    pub fn withdraw(&self, pool: &Pool, most: u32) -> Runs {
        let mut state = self.state.lock();
        let mut drawn = Runs::default();
        self.change(|| {
            while drawn.units() < most
                && let Some(run) = state.take_withheld(most - drawn.units())
            {
                drawn.push(run);
            }
            self.withheld_units.store(state.withheld_units(), Ordering::Release);
        });
        let of_pool = pool.withdraw(most - drawn.units());
        // They were today's and nobody took them.
        state.left += i64::from(of_pool.units());
        of_pool.iter().for_each(|run| drawn.push(run));
        drawn
    }

    /// Draws for a claim of a day that is not open yet.
    fn draw_early(
        &self,
        pool: &Pool,
        (core, day): (usize, Day),
        (quantity, mode): (u8, Mode),
        before_take: impl FnOnce(),
        open: impl FnOnce(),
    ) -> Result<Runs, Short> {
        let mut state = self.state.lock();
        if day <= state.day {
            // Opened a moment ago.
            let left = |state: &State| state.withheld_units() + u64::from(pool.units_hint());
            return pool.draw(core, quantity, mode, before_take).ok_or_else(|| why(left(&state), quantity, mode));
        }
        open();
        let allowed =
            state.limit_of(day).map_or(u64::MAX, |limit| u64::from(limit).saturating_sub(state.early_of(day)));
        let wanted = u64::from(quantity).min(allowed);
        if wanted == 0 || (mode == Mode::AllOrNothing && wanted < u64::from(quantity)) {
            return Err(why(state.withheld_units() + u64::from(pool.units_hint()), quantity, mode));
        }
        before_take();
        let wanted = u32::try_from(wanted).expect("at most a quantity");
        let mut drawn = Runs::default();
        while drawn.units() < wanted
            && let Some(run) = state.take_withheld(wanted - drawn.units())
        {
            drawn.push(run);
        }
        if let Some(missing) = u8::try_from(wanted - drawn.units()).ok().filter(|missing| *missing > 0) {
            match pool.draw(core, missing, mode, || ()) {
                Some(runs) => runs.iter().for_each(|run| drawn.push(run)),
                None if mode == Mode::UpTo => {}
                None => drawn.iter().for_each(|run| state.withheld.push(run)),
            }
        }
        let enough = if mode == Mode::UpTo { 1 } else { wanted };
        let result = if drawn.units() >= enough { Ok(drawn) } else { Err(Short::Stock) };
        state.note_early(day, result.as_ref().map_or(0, |runs| runs.units().into()));
        self.change(|| self.withheld_units.store(state.withheld_units(), Ordering::Release));
        result
    }

    /// Makes the pool hold what a day on which `taken` units were taken leaves. Nobody draws meanwhile.
    fn set_taken(&self, state: &mut State, pool: &Pool, taken: u64) {
        let taken = i64::try_from(taken).expect("fewer units than serials");
        state.left = amount(state.limit) - taken - i64::from(pool.units());
        self.change(|| self.settle(state, pool));
    }

    /// Releases what may be released, or withholds what may not be taken.
    fn settle(&self, state: &mut State, pool: &Pool) {
        if let Ok(surplus) = u32::try_from(-state.left) {
            let surplus = pool.withdraw(surplus);
            state.left += i64::from(surplus.units());
            state.withheld.extend(surplus.iter());
        }
        while state.left > 0
            && let Some(run) = state.take_withheld(u32::try_from(state.left).unwrap_or(u32::MAX))
        {
            state.left -= i64::from(run.count);
            pool.add(run);
        }
        self.withheld_units.store(state.withheld_units(), Ordering::Release);
    }

    /// Runs a change of what is withheld, under the lock, so that refusers notice it.
    fn change(&self, change: impl FnOnce()) {
        self.changes.fetch_add(1, Ordering::AcqRel);
        change();
        self.changes.fetch_add(1, Ordering::AcqRel);
    }
}

impl State {
    fn withheld_units(&self) -> u64 {
        self.withheld.iter().map(|run| u64::from(run.count)).sum()
    }

    /// Units taken for a day to come.
    fn early_of(&self, day: Day) -> u64 {
        self.early.iter().find(|(early, _)| *early == day).map_or(0, |(_, units)| *units)
    }

    /// So many more were taken for a day to come, or fewer.
    fn note_early(&mut self, day: Day, units: i64) {
        match self.early.iter_mut().find(|(early, _)| *early == day) {
            Some((_, taken)) => *taken = taken.saturating_add_signed(units),
            None => self.early.push((day, u64::try_from(units).unwrap_or(0))),
        }
    }

    /// The limit of a day to come.
    fn limit_of(&self, day: Day) -> Option<u32> {
        self.next_limit.filter(|_| day >= self.begins)
    }

    /// Units taken on the open day.
    fn taken(&self, pool: &Pool) -> u64 {
        u64::try_from(amount(self.limit) - self.left - i64::from(pool.units())).unwrap_or(0)
    }

    fn take_withheld(&mut self, most: u32) -> Option<Run> {
        let last = self.withheld.pop()?;
        let (taken, rest) = last.split_at(last.count.min(most));
        if rest.count > 0 {
            self.withheld.push(rest);
        }
        Some(taken)
    }
}

/// Units that a limit allows; without one, more than there are.
fn amount(limit: Option<u32>) -> i64 {
    limit.map_or(i64::from(u32::MAX), i64::from)
}

/// Why a claim that was refused got nothing, where so many units are left for some day.
fn why(left: u64, quantity: u8, mode: Mode) -> Short {
    let enough = if mode == Mode::UpTo { 1 } else { u64::from(quantity) };
    if left < enough { Short::Stock } else { Short::Day }
}

fn call<F: FnOnce()>(function: &mut Option<F>) {
    if let Some(function) = function.take() {
        function();
    }
}
