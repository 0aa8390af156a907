//! Closing a batch gives the memory of its users back.

use crate::support::alone::must_pass_alone;
use crate::support::clock::ManualClock;
use crate::support::offer::{create, terms};
use crate::support::resident::resident_bytes;
use crate::support::shop::{answered, options};
use stockade::engine::{Source, start};
use stockade_protocol::batch::Action;
use stockade_protocol::claim::Claim;

const BATCH: u64 = 1;
const USERS: u64 = 2_000_000;
const BURST: u64 = 500;

/// Bytes of one claim in memory, at the least.
const CLAIM_BYTES: u64 = 24;

#[test]
fn the_memory_of_a_closed_batch_is_free_again() {
    must_pass_alone(concat!(module_path!(), "::the_process_shrinks"));
}

#[test]
#[ignore = "measures the process: run alone by the test before"]
fn the_process_shrinks() {
    let running = start(Source::memory(), options(1, ManualClock::at(0))).expect("nothing to read");
    let engine = &running.engine;
    create(engine, BATCH, &terms(4_000_000));
    let empty = resident_bytes();
    for first in (0..USERS).step_by(usize::try_from(BURST).expect("small")) {
        answered(engine, 0, |burst| {
            for user in first..first + BURST {
                assert_eq!(burst.claim(&Claim::new(BATCH, user, 1, 1)).granted, 1);
            }
        });
    }
    let full = resident_bytes();
    assert!(full - empty >= USERS * CLAIM_BYTES, "the claims take memory: {empty} → {full} bytes");
    answered(engine, 0, |burst| burst.change(BATCH, Action::End));
    answered(engine, 0, |burst| burst.change(BATCH, Action::Close));
    let closed = resident_bytes();
    assert!(full.saturating_sub(closed) >= USERS * CLAIM_BYTES, "{empty} → {full} → {closed} bytes");
}
