//! The engine against a plain model of the specification (docs/protocol.md §6 to §13): seeded random operations over many
//! batches and users, the power going between any two of them, and each answer held against the model's.

mod books;
mod check;
mod clock;
mod coupons;
mod days;
mod decide;
mod feed;
mod gate;
mod operate;
mod ops;
mod ranges;
mod records;
mod rng;
mod steps;
mod world;

/// The server's allocator.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Operations, unless `STOCKADE_MODEL_STEPS` says otherwise.
const STEPS: u64 = 100_000;
/// Operations of one history: then everything begins anew.
const HISTORY_STEPS: u64 = 10_000;

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).map_or(otherwise, |value| value.parse().expect("a number"))
}

#[test]
fn the_engine_does_what_a_plain_model_does() {
    let (seed, steps) = (number("STOCKADE_MODEL_SEED", 1), number("STOCKADE_MODEL_STEPS", STEPS));
    let (mut asked, mut history) = (0, 0);
    while asked < steps {
        let seed_now = seed.wrapping_add(history);
        asked += steps::history(seed_now, HISTORY_STEPS.min(steps - asked));
        history += 1;
    }
}
