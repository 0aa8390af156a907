//! The engine against a plain model of the specification (docs/protocol.md §6 to §13): seeded random operations over
//! many batches and users, checkpoints now and then, the power going between any two of them, each answer held against
//! the model's.
//!
//! `books` and `records` are the model, `decide`, `operate` and `coupons` what it lets the engine answer, `ops` and
//! `steps` what is asked and when, `world` the engine beside it, `check`, `feed` and `index` the complete comparisons.
//!
//! A failure names its seed. `STOCKADE_MODEL_SEED` and `STOCKADE_MODEL_STEPS=10000` repeat that history,
//! `STOCKADE_MODEL_TOLD=10000` tells all that was asked; `STOCKADE_MODEL_STEPS=1000000` asks more.
//!
//! What the model leaves open: which free serial is drawn; which of several refusals of an edit comes first; whether a
//! copy of an addition is still known of a batch that has closed; `SERIAL_UNKNOWN` or `NOT_YOURS` of a serial that was
//! withdrawn or is on its way in; how much of today's was taken of a batch that has closed.
//!
//! Mistakes that were planted in the engine on 28 November 2026, and at which operation of seed 1 each was found:
//!
//! | planted in | what | found at | what it said |
//! |---|---|---|---|
//! | `users/shard.rs` | all of a user's claims are today's | 1,928 | `DAY_LIMIT_REACHED` for nothing |
//! | `engine/batch.rs` | a day begins 1 ms early | 7,049 | units of the other day |
//! | `engine/settle.rs` | a confirmation does not look at the time | 87 | `GRANTED`, not `RESERVATION_EXPIRED` |
//! | `engine/settle.rs` | units come back before that is durable | 609 | `RESERVED`, not `SOLD_OUT` |
//! | `users/settle.rs` | a restart forgets cancellations ahead | 42 | `REQUEST_UNKNOWN` after a crash |
//! | `feed/trail.rs` | a place's index does not count | 42 | an event twice |
//! | `feed/trail.rs` | a place's group is passed over | 42 | an event is missing |
//! | `checkpoint/fates.rs` | a purge reaches the next batch of its id | 1,425 | the engine does not start |
//! | `engine/rebuild.rs` | a group's claims come before its coupons | 391 | the engine does not start |
//! | `engine/rebuild.rs` | a batch of a purged id is closed like the one before | 3,479 | the engine does not start |
//! | `engine/draft.rs` | a closed batch's withdrawals need the records that brought their units | 2,642 | the same |
//!
//! (The last four were no plants: they are how the program was before its checkpoints were part of this test.)

use std::collections::BTreeMap;

use stockade_protocol::Status;

mod books;
mod check;
mod clock;
mod coupons;
mod days;
mod decide;
mod feed;
mod gate;
mod index;
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

/// What so many operations must have been answered.
const STATUSES: [Status; 39] = [
    Status::Granted,
    Status::Done,
    Status::Reserved,
    Status::Forbidden,
    Status::Overloaded,
    Status::BatchUnknown,
    Status::BatchConflict,
    Status::StateConflict,
    Status::TermsInvalid,
    Status::QuantityInvalid,
    Status::StockOverflow,
    Status::TtlInvalid,
    Status::ZoneInvalid,
    Status::RequestConflict,
    Status::RequestUnknown,
    Status::ReservationConfirmed,
    Status::ReservationCancelled,
    Status::ReservationExpired,
    Status::ReservationExtended,
    Status::HistoryFull,
    Status::BatchDraft,
    Status::NotStarted,
    Status::Paused,
    Status::Ended,
    Status::Closed,
    Status::AudienceRefused,
    Status::QuantityAboveLimit,
    Status::HoldsUserLimit,
    Status::HoldsBatchLimit,
    Status::DayLimitReached,
    Status::LimitReached,
    Status::SoldOut,
    Status::DaySoldOut,
    Status::SerialUnknown,
    Status::NotYours,
    Status::OrderEnded,
    Status::OrderConflict,
    Status::CouponStateConflict,
    Status::CouponExpired,
];

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).map_or(otherwise, |value| value.parse().expect("a number"))
}

#[test]
fn the_engine_does_what_a_plain_model_does() {
    let (seed, steps) = (number("STOCKADE_MODEL_SEED", 1), number("STOCKADE_MODEL_STEPS", STEPS));
    let (mut asked, mut histories, mut met) = (0, 0, BTreeMap::<&str, u64>::new());
    while asked < steps {
        let (more, of_history) = steps::history(seed.wrapping_add(histories), HISTORY_STEPS.min(steps - asked));
        (asked, histories) = (asked + more, histories + 1);
        of_history.into_iter().for_each(|(status, times)| *met.entry(status).or_default() += times);
    }
    println!("{asked} operations in {histories} histories; answers by status: {met:?}");
    let missing = STATUSES.iter().map(|status| status.name()).filter(|status| !met.contains_key(status));
    let missing = missing.collect::<Vec<_>>();
    assert!(steps < STEPS || missing.is_empty(), "never answered, so not tested: {missing:?}");
}
