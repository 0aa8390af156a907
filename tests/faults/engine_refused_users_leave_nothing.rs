//! Memory is bounded by stock, however many users ask: a million refused users leave nothing.

use crate::support::alone::must_pass_alone;
use crate::support::clock::ManualClock;
use crate::support::offer::{create, terms};
use crate::support::resident::resident_bytes;
use crate::support::shop::{answered, options, source};
use stockade::engine::{Engine, start};
use stockade::journal::{Faults, MemoryStore};
use stockade_protocol::Status;
use stockade_protocol::batch::{Action, Terms};
use stockade_protocol::claim::Claim;

const SOLD_OUT: u64 = 1;
const PAUSED: u64 = 2;
const LIMITED: u64 = 3;
const UNKNOWN: u64 = 4;

/// The users of one refusal cause, each refused once, with a request id of their own.
const USERS: u64 = 250_000;

const BURST: u64 = 256;

/// A quarter of a million users for each reason of a refusal.
fn refuse(engine: &Engine, first_user: u64) {
    let reasons = [
        (SOLD_OUT, 1, Status::SoldOut),
        (PAUSED, 1, Status::Paused),
        (LIMITED, 3, Status::LimitReached),
        (UNKNOWN, 1, Status::BatchUnknown),
    ];
    for first in (first_user..first_user + USERS).step_by(usize::try_from(BURST).expect("small")) {
        let mut burst = engine.burst(0);
        for user in first..first + BURST {
            for (batch, quantity, status) in reasons {
                let reply = burst.claim(&Claim::new(batch, user, user.rotate_left(17), quantity));
                assert_eq!(reply.status(), Some(status));
            }
        }
        let _epoch = burst.leave();
    }
}

#[test]
fn a_million_refused_users_take_no_memory() {
    must_pass_alone(concat!(module_path!(), "::the_process_does_not_grow"));
}

#[test]
#[ignore = "measures the process: run alone by the test before"]
fn the_process_does_not_grow() {
    let running = start(source(MemoryStore::new(Faults::default()), None), options(2, ManualClock::at(0)));
    let running = running.expect("an empty store");
    let engine = &running.engine;
    create(engine, SOLD_OUT, &terms(1));
    create(engine, PAUSED, &terms(1_000_000));
    create(engine, LIMITED, &Terms { per_user: Some(2), ..terms(1_000_000) });
    assert_eq!(answered(engine, 0, |burst| burst.claim(&Claim::new(SOLD_OUT, 0, 0, 1))).granted, 1);
    answered(engine, 0, |burst| burst.change(PAUSED, Action::Pause));
    // What is set up once is there before the measurement.
    refuse(engine, 1_000_000_000);
    let before = resident_bytes();
    refuse(engine, 2_000_000_000);
    let grown = resident_bytes().saturating_sub(before);
    assert!(grown < 1 << 20, "{} refused users took {grown} bytes", 4 * USERS);
}
