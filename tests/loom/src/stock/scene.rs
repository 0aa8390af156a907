//! A scene: a stock of some units, and threads that call it.

use std::collections::BTreeSet;

use std::sync::Arc;

use loom::thread;

use super::history::explains;
use super::{Mode, Pool, Run, Runs};

/// What can be counted: the pool, or something simpler that is wrong.
pub(super) trait Stock {
    /// See [`Pool::draw`]; every take must be announced before it.
    fn draw(&self, core: usize, quantity: u8, mode: Mode) -> Option<Runs>;
    /// See [`Pool::add`]; `core` is where the caller is.
    fn add(&self, core: usize, run: Run);
}

impl Stock for Pool {
    fn draw(&self, core: usize, quantity: u8, mode: Mode) -> Option<Runs> {
        let mut announced = 0;
        let drawn = Pool::draw(self, core, quantity, mode, || announced += 1);
        assert!(announced <= 1 && (announced == 1 || drawn.is_none()), "a take was announced {announced} times");
        drawn
    }

    fn add(&self, _core: usize, run: Run) {
        Pool::add(self, run);
    }
}

/// One call of a thread.
#[derive(Clone, Copy)]
pub(super) enum Call {
    Draw { core: usize, quantity: u8, mode: Mode },
    Add { core: usize, run: Run },
}

impl Call {
    pub(super) const fn one(core: usize) -> Self {
        Self::all(core, 1)
    }

    pub(super) const fn all(core: usize, quantity: u8) -> Self {
        Self::Draw { core, quantity, mode: Mode::AllOrNothing }
    }

    pub(super) const fn up_to(core: usize, quantity: u8) -> Self {
        Self::Draw { core, quantity, mode: Mode::UpTo }
    }

    pub(super) const fn add(core: usize, first: u32, count: u32) -> Self {
        Self::Add { core, run: Run { first, count } }
    }
}

/// Units granted (or added) by each call of each thread.
pub(super) type Answers = Vec<Vec<u32>>;

/// Lets one thread for each program call `stock`, which holds `held` in the beginning. Checks that no serial is
/// drawn twice or from nowhere, that what was not drawn is still there and can be drawn, and that every answer is
/// explained by a sequential history.
pub(super) fn race<S: Stock + 'static>(stock: S, held: &[Run], programs: &[&[Call]]) -> Answers {
    let stock = Arc::new(stock);
    let others = programs[1..].iter().map(|calls| {
        let (stock, calls) = (Arc::clone(&stock), calls.to_vec());
        thread::spawn(move || run(&*stock, &calls))
    });
    let others = others.collect::<Vec<_>>();
    let mut drawn = vec![run(&*stock, programs[0])];
    drawn.extend(others.into_iter().map(|other| other.join().expect("a panic ends the whole model")));

    let units = |run: &Run| run.count;
    let calls = || programs.iter().copied().flatten();
    let answers = drawn.iter().map(|thread| thread.iter().map(Runs::units).collect()).collect::<Answers>();
    let added = calls().filter_map(|call| match call {
        Call::Add { run, .. } => Some(*run),
        Call::Draw { .. } => None,
    });
    let mut free = held.iter().copied().chain(added).flat_map(|run| run.first..run.end()).collect::<BTreeSet<_>>();
    let draws = drawn.iter().zip(programs).flat_map(|(runs, calls)| runs.iter().zip(*calls));
    let granted = draws.filter(|(_, call)| matches!(call, Call::Draw { .. })).flat_map(|(runs, _)| runs.iter());
    granted.for_each(|run| take(&mut free, run));
    while let Some(rest) = stock.draw(0, 1, Mode::AllOrNothing) {
        rest.iter().for_each(|run| take(&mut free, run));
    }
    assert!(free.is_empty(), "units were lost: {free:?}");
    let held_units = held.iter().map(units).sum();
    assert!(explains(held_units, programs, &answers), "false sold-out: no order of the calls explains {answers:?}");
    answers
}

/// [`race`] on a pool over `cores` buckets that holds the serials `0 .. units`.
pub(super) fn race_pool(cores: usize, units: u32, programs: &[&[Call]]) -> Answers {
    let held = [Run::new(0, units)];
    race(Pool::new(cores, held), &held, programs)
}

/// What a thread drew, call by call; an addition stands as the run that it added.
fn run<S: Stock>(stock: &S, calls: &[Call]) -> Vec<Runs> {
    let answer = |call: &Call| match *call {
        Call::Draw { core, quantity, mode } => stock.draw(core, quantity, mode).unwrap_or_default(),
        Call::Add { core, run } => {
            stock.add(core, run);
            Runs::one(run)
        }
    };
    calls.iter().map(answer).collect()
}

fn take(free: &mut BTreeSet<u32>, run: Run) {
    assert!((run.first..run.end()).all(|serial| free.remove(&serial)), "drawn twice, or from nowhere: {run:?}");
}
