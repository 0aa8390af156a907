//! The pool hands out exactly what there is: against a sequential model, and to four threads at once.
//!
//! `tests/loom` explores small scenes completely; here are large ones, with the real atomics.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use proptest::prelude::*;
use stockade::stock::{Mode, Pool, Run, Runs};

const CORES_MAX: usize = 8;
const THREADS: usize = 4;
const DRAWS: usize = 200_000;
const QUANTITY_MAX: u8 = 5;
const UNITS_AT_START: u32 = 300_000;
/// Each thread adds so many units, `ADDITION` at a time. In all, less is there than the draws ask for.
const UNITS_ADDED: u32 = 40_000;
const ADDITION: u32 = 50;

#[derive(Clone, Debug)]
enum Action {
    Draw {
        core: usize,
        quantity: u8,
        mode: Mode,
    },
    /// New serials, so many behind the last that exists.
    Add {
        gap: u32,
        units: u32,
    },
    /// The oldest grant comes back, as after a claim that was never answered.
    GiveBack,
}

fn mode() -> impl Strategy<Value = Mode> {
    prop_oneof![Just(Mode::AllOrNothing), Just(Mode::UpTo)]
}

fn action() -> impl Strategy<Value = Action> {
    let quantity = prop_oneof![6 => 1..=QUANTITY_MAX, 1 => 6..=u8::MAX];
    prop_oneof![
        12 => (any::<prop::sample::Index>(), quantity, mode())
            .prop_map(|(core, quantity, mode)| Action::Draw { core: core.index(CORES_MAX), quantity, mode }),
        1 => (0..3_u32, 1..60_u32).prop_map(|(gap, units)| Action::Add { gap, units }),
        1 => Just(Action::GiveBack),
    ]
}

/// Runs with gaps in between: what a restart finds free.
fn runs() -> impl Strategy<Value = Vec<Run>> {
    prop::collection::vec((0..3_u32, 1..40_u32), 0..6).prop_map(|pieces| {
        let mut end = 0;
        let place = |(gap, count)| {
            let run = Run::new(end + gap, count);
            end = run.end();
            run
        };
        pieces.into_iter().map(place).collect()
    })
}

/// What is free, and what was granted.
struct Model {
    free: BTreeSet<u32>,
    granted: VecDeque<Run>,
    end: u32,
}

impl Model {
    fn units(&self) -> u32 {
        u32::try_from(self.free.len()).expect("fewer units than serials")
    }

    fn put(&mut self, run: Run) {
        for serial in run.first..run.end() {
            assert!(self.free.insert(serial), "serial {serial} was free already");
        }
        self.end = self.end.max(run.end());
    }

    fn take(&mut self, runs: &Runs) {
        for run in runs.iter() {
            assert!((run.first..run.end()).all(|serial| self.free.remove(&serial)), "not free: {run:?}");
            self.granted.push_back(run);
        }
    }

    fn draw(&mut self, pool: &Pool, core: usize, quantity: u8, mode: Mode) {
        let expected = match mode {
            Mode::AllOrNothing if self.units() < u32::from(quantity) => 0,
            Mode::AllOrNothing => u32::from(quantity),
            Mode::UpTo => self.units().min(quantity.into()),
        };
        let mut announced = 0;
        let runs = pool.draw(core, quantity, mode, || announced += 1).unwrap_or_default();
        assert_eq!(runs.units(), expected);
        assert_eq!(announced, u32::from(expected > 0), "a take is announced, a plain refusal is not");
        self.take(&runs);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn one_thread_gets_what_the_model_says(
        cores in 1..=CORES_MAX,
        runs in runs(),
        actions in prop::collection::vec(action(), 0..200),
    ) {
        let pool = Pool::new(cores, runs.iter().copied());
        let mut model = Model { free: BTreeSet::new(), granted: VecDeque::new(), end: 0 };
        for run in runs {
            model.put(run);
        }
        for action in actions {
            match action {
                Action::Draw { core, quantity, mode } => model.draw(&pool, core % cores, quantity, mode),
                Action::Add { gap, units } => {
                    let run = Run::new(model.end + gap, units);
                    model.put(run);
                    pool.add(run);
                }
                Action::GiveBack => {
                    if let Some(run) = model.granted.pop_front() {
                        model.put(run);
                        pool.add(run);
                    }
                }
            }
            prop_assert_eq!(pool.units(), model.units());
            prop_assert_eq!(pool.units_hint(), model.units());
        }
        while model.units() > 0 {
            model.draw(&pool, 0, 1, Mode::AllOrNothing);
        }
        model.draw(&pool, cores - 1, 1, Mode::AllOrNothing);
    }
}

/// Numbers that look random (xorshift64*).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % bound
    }
}

/// Bounds on what was added and drawn, from outside the pool: is a refusal justified?
#[derive(Default)]
struct Witness {
    /// Units whose addition has returned.
    added: AtomicU64,
    /// Units drawn, and those that calls under way ask for.
    drawn_at_most: AtomicU64,
}

impl Witness {
    /// A draw that is watched. When it is refused, fewer units than asked for were there at one instant: so many of
    /// those added before the call had been drawn by its end.
    fn draw(&self, pool: &Pool, core: usize, quantity: u8, mode: Mode) -> Runs {
        let added = self.added.load(Ordering::SeqCst);
        self.drawn_at_most.fetch_add(quantity.into(), Ordering::SeqCst);
        let runs = pool.draw(core, quantity, mode, || ()).unwrap_or_default();
        if runs.is_empty() {
            let others = self.drawn_at_most.load(Ordering::SeqCst) - u64::from(quantity);
            let left_at_most = if mode == Mode::UpTo { 0 } else { u64::from(quantity) - 1 };
            assert!(others + left_at_most >= added, "false sold-out: {added} were added, at most {others} drawn");
        }
        self.drawn_at_most.fetch_sub(u64::from(quantity) - u64::from(runs.units()), Ordering::SeqCst);
        runs
    }
}

/// One thread's share of the draws and additions, then single draws until nothing is left.
fn crowd(pool: &Pool, core: usize, witness: Option<&Witness>, all_added: &Barrier) -> Vec<Run> {
    let mut numbers = Numbers(core as u64 + 1);
    let mut granted = Vec::new();
    let mut draw = |quantity, mode| {
        let runs = match witness {
            Some(witness) => witness.draw(pool, core, quantity, mode),
            None => pool.draw(core, quantity, mode, || ()).unwrap_or_default(),
        };
        granted.extend(runs.iter());
        !runs.is_empty()
    };
    let mut added = Run::new(UNITS_AT_START + u32::try_from(core).expect("a handful of threads") * UNITS_ADDED, 0);
    let draws_per_addition = DRAWS / THREADS / (UNITS_ADDED / ADDITION) as usize;
    for step in 0..DRAWS / THREADS {
        let quantity = u8::try_from(1 + numbers.below(QUANTITY_MAX.into())).expect("at most QUANTITY_MAX");
        draw(quantity, if numbers.below(4) == 0 { Mode::UpTo } else { Mode::AllOrNothing });
        if step % draws_per_addition == 0 && added.count < UNITS_ADDED {
            pool.add(Run::new(added.end(), ADDITION));
            added.count += ADDITION;
            if let Some(witness) = witness {
                witness.added.fetch_add(ADDITION.into(), Ordering::SeqCst);
            }
        }
    }
    assert_eq!(added.count, UNITS_ADDED, "the draws left no time for all additions");
    all_added.wait();
    while draw(1, Mode::AllOrNothing) {}
    granted
}

fn a_crowd_gets_everything_once(witness: Option<&Witness>) {
    let pool = Pool::new(THREADS, [Run::new(0, UNITS_AT_START)]);
    if let Some(witness) = witness {
        witness.added.store(UNITS_AT_START.into(), Ordering::SeqCst);
    }
    let all_added = Barrier::new(THREADS);
    let granted = thread::scope(|scope| {
        let start = |core| {
            scope.spawn({
                let (pool, all_added) = (&pool, &all_added);
                move || crowd(pool, core, witness, all_added)
            })
        };
        let threads = (0..THREADS).map(start).collect::<Vec<_>>();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().expect("a thread that panics fails the test"))
            .collect::<Vec<_>>()
    });
    let total = UNITS_AT_START as usize + THREADS * UNITS_ADDED as usize;
    let mut seen = vec![false; total];
    for serial in granted.iter().flat_map(|run| run.first..run.end()) {
        assert!(!std::mem::replace(&mut seen[serial as usize], true), "serial {serial} was granted twice");
    }
    let never = seen.iter().filter(|seen| !**seen).count();
    assert_eq!(never, 0, "units that nobody got although everybody was refused");
    assert_eq!(pool.units(), 0);
}

#[test]
fn four_threads_get_every_unit_once() {
    a_crowd_gets_everything_once(None);
}

#[test]
fn four_threads_are_refused_only_when_nothing_is_left() {
    a_crowd_gets_everything_once(Some(&Witness::default()));
}
