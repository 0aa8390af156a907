//! Question: what does drawing a unit cost when the bucket is one's own, when a walk finds it elsewhere, and when two
//! cores fight over one bucket? The first must be a few nanoseconds, or buckets are not worth having; the last shows
//! what they save.
//!
//! `cargo bench --bench bucket_draw`

use std::sync::atomic::{AtomicBool, Ordering};

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use stockade::stock::{Mode, Pool, Run};

/// Draws of one sample.
const DRAWS: u32 = 10_000;

fn main() {
    divan::main();
}

fn draw(pool: &Pool, core: usize) {
    for _ in 0..DRAWS {
        black_box(pool.draw(core, 1, Mode::AllOrNothing, || {}));
    }
}

/// The core's own bucket has units.
#[divan::bench]
fn own(bencher: Bencher<'_, '_>) {
    let fresh = || Pool::new(2, [Run::new(0, 4 * DRAWS)]);
    bencher.counter(ItemsCount::new(DRAWS)).with_inputs(fresh).bench_refs(|pool| draw(pool, 0));
}

/// The own bucket is empty: every unit comes from one of `cores − 1` others.
#[divan::bench(args = [2, 8, 64])]
fn walk(bencher: Bencher<'_, '_>, cores: usize) {
    let fresh = || {
        let pool = Pool::new(cores, [Run::new(0, DRAWS * u32::try_from(2 * cores).expect("small"))]);
        while pool.units_hint() > DRAWS {
            assert!(pool.draw(0, 255, Mode::UpTo, || {}).is_some());
        }
        assert!(pool.draw(0, 255, Mode::UpTo, || {}).is_some());
        pool
    };
    bencher.counter(ItemsCount::new(DRAWS)).with_inputs(fresh).bench_refs(|pool| draw(pool, 0));
}

/// A second thread draws from the same bucket all the time: what one shared counter would cost.
#[divan::bench]
fn contended(bencher: Bencher<'_, '_>) {
    let pool = Pool::new(1, [Run::new(0, u32::MAX)]);
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                black_box(pool.draw(0, 1, Mode::AllOrNothing, || {}));
            }
        });
        bencher.counter(ItemsCount::new(DRAWS)).bench_local(|| draw(&pool, 0));
        stop.store(true, Ordering::Relaxed);
    });
}

/// Refusals of a batch that is sold out: a scan of all buckets and the certificate.
#[divan::bench(args = [2, 8, 64])]
fn sold_out(bencher: Bencher<'_, '_>, cores: usize) {
    let pool = Pool::new(cores, []);
    bencher.counter(ItemsCount::new(DRAWS)).bench_local(|| draw(&pool, 0));
}
