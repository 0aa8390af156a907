//! The look-ahead decides nothing: claims that went through it find their batches, however many there are, also when
//! ids were purged and are used again.

use crate::support::clock::ManualClock;
use crate::support::offer::{create, terms};
use crate::support::shop::{answered, options, source};
use stockade::engine::{Engine, LookAhead, start};
use stockade::journal::MemoryStore;
use stockade_protocol::Status;
use stockade_protocol::batch::Action;
use stockade_protocol::claim::Claim;

/// Enough for the hints to grow twice.
const BATCHES: u64 = 3_000;
const CLAIMS_PER_FRAME: usize = 64;

/// Claims one unit of each batch for a user, in frames, twice; whether each was answered so, and the same again.
fn claims(engine: &Engine, user: u64, batches: impl Iterator<Item = u64>, expected: impl Fn(u64) -> Status) {
    let all = batches.map(|batch| Claim::new(batch, user, user, 1)).collect::<Vec<_>>();
    for frame in all.chunks(CLAIMS_PER_FRAME) {
        let decide = |retries| {
            answered(engine, 0, |burst| {
                let mut ahead = LookAhead::new(frame, retries);
                let mut decided = |claim| {
                    let sight = ahead.next(burst);
                    burst.claim_sighted(claim, &sight)
                };
                frame.iter().map(&mut decided).collect::<Vec<_>>()
            })
        };
        let (first, again) = (decide(false), decide(true));
        for ((claim, reply), second) in frame.iter().zip(first).zip(again) {
            let (batch, is_granted) = (claim.batch.get(), expected(claim.batch.get()) == Status::Granted);
            assert_eq!(reply.status(), Some(expected(batch)), "batch {batch}, user {user}");
            assert_eq!(reply.user_units.get(), u16::from(is_granted), "batch {batch}, user {user}: nobody else's");
            assert_eq!((second.status(), second.is_replayed()), (reply.status(), is_granted), "{batch}, {user}");
            assert_eq!((second.serial, second.user_units), (reply.serial, reply.user_units), "{batch}, {user}");
        }
    }
}

#[test]
fn claims_find_their_batch_also_when_its_id_was_purged_and_is_used_again() {
    let store = MemoryStore::default();
    let running = start(source(store, None), options(1, ManualClock::at(1_000))).expect("a new journal");
    let engine = &running.engine;
    let is_purged = |batch: u64| batch.is_multiple_of(10);
    (0..BATCHES).for_each(|batch| assert_eq!(create(engine, batch, &terms(5)).status(), Some(Status::Done)));
    claims(engine, 1, 0..BATCHES, |_| Status::Granted);
    for batch in (0..BATCHES).filter(|batch| is_purged(*batch)) {
        for action in [Action::End, Action::Close, Action::Purge] {
            assert_eq!(answered(engine, 0, |burst| burst.change(batch, action)).status(), Some(Status::Done));
        }
    }
    let after_the_purge = |batch| if is_purged(batch) { Status::BatchUnknown } else { Status::Granted };
    claims(engine, 2, 0..BATCHES, after_the_purge);
    for batch in (0..BATCHES).filter(|batch| is_purged(*batch)) {
        assert_eq!(create(engine, batch, &terms(1)).status(), Some(Status::Done));
    }
    claims(engine, 3, 0..BATCHES, |_| Status::Granted);
    let sold_out = |batch| if is_purged(batch) { Status::SoldOut } else { Status::Granted };
    claims(engine, 4, 0..BATCHES, sold_out);
}
