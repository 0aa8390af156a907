//! A copy of a granted claim gets the original answer: after a sell-out, a pause, the end, a restart, on another core.
//! A copy with another question is a conflict. Refusals are not remembered.

use crate::support::clock::ManualClock;
use crate::support::offer::{create, terms};
use crate::support::shop::{answered, options, source};
use stockade::engine::{Engine, Running, start};
use stockade::journal::{Faults, MemoryStore};
use stockade::stock::Run;
use stockade_protocol::Status;
use stockade_protocol::batch::{Action, Terms};
use stockade_protocol::claim::{Claim, ClaimReply, RequestKey};

const BATCH: u64 = 1;

fn open(store: &MemoryStore, cores: usize) -> Running {
    start(source(store.clone(), None), options(cores, ManualClock::at(0))).expect("a journal in order")
}

fn shop(cores: usize, terms: &Terms) -> (MemoryStore, Running) {
    let store = MemoryStore::new(Faults::default());
    let running = open(&store, cores);
    assert_eq!(create(&running.engine, BATCH, terms).status(), Some(Status::Done));
    (store, running)
}

fn claim(engine: &Engine, core: usize, claim: Claim) -> ClaimReply {
    answered(engine, core, |burst| burst.claim(&claim))
}

fn status(engine: &Engine, core: usize, asked: Claim) -> Status {
    claim(engine, core, asked).status().expect("a known status")
}

/// What must be the same in every copy.
fn original(reply: &ClaimReply) -> (Option<Status>, u8, u8, u32, bool) {
    (reply.status(), reply.granted, reply.run, reply.serial.get(), reply.is_split())
}

#[track_caller]
fn must_replay(engine: &Engine, core: usize, asked: Claim, first: &ClaimReply) {
    let copy = claim(engine, core, asked);
    assert!(copy.is_replayed() && !first.is_replayed(), "{copy:?}");
    assert_eq!(original(&copy), original(first));
    let key = RequestKey { batch: asked.batch, user: asked.user, request: asked.request };
    let found = answered(engine, core, |burst| burst.lookup(&key));
    assert_eq!((original(&found), found.is_replayed()), (original(first), true));
}

#[test]
fn a_copy_gets_the_original_answer_whatever_came_between() {
    let limited = Terms { per_user: Some(2), ..terms(3) };
    let (store, running) = shop(2, &limited);
    let engine = &running.engine;
    let asked = Claim::new(BATCH, 7, 1, 2);
    let first = claim(engine, 0, asked);
    assert_eq!(original(&first), (Some(Status::Granted), 2, 2, 0, false));
    must_replay(engine, 0, asked, &first);
    must_replay(engine, 1, asked, &first);
    assert_eq!(status(engine, 1, Claim::new(BATCH, 8, 1, 1)), Status::Granted);
    assert_eq!(status(engine, 1, Claim::new(BATCH, 9, 1, 1)), Status::SoldOut);
    must_replay(engine, 1, asked, &first);
    for action in [Action::Pause, Action::End] {
        answered(engine, 0, |burst| burst.change(BATCH, action));
        must_replay(engine, 1, asked, &first);
    }
    drop(running);
    let running = open(&store, 4);
    must_replay(&running.engine, 3, asked, &first);
    answered(&running.engine, 0, |burst| burst.change(BATCH, Action::Close));
    assert_eq!(status(&running.engine, 1, asked), Status::Closed);
}

#[test]
fn the_same_request_with_another_question_is_a_conflict() {
    let (store, running) = shop(2, &terms(9));
    let asked = Claim::new(BATCH, 7, 1, 2);
    let first = claim(&running.engine, 0, asked);
    let others = [Claim::new(BATCH, 7, 1, 1), Claim::new(BATCH, 7, 1, 3), asked.up_to()];
    let conflicts = |engine: &Engine| {
        for other in others {
            assert_eq!(status(engine, 1, other), Status::RequestConflict);
        }
        must_replay(engine, 1, asked, &first);
        let info = answered(engine, 0, |burst| burst.show(BATCH));
        assert_eq!((info.granted.get(), info.remaining.get()), (2, 7), "a conflict takes nothing");
    };
    conflicts(&running.engine);
    drop(running);
    conflicts(&open(&store, 2).engine);
    // The same number means something else for another user.
    assert_eq!(status(&open(&store, 1).engine, 0, Claim::new(BATCH, 8, 1, 1)), Status::Granted);
}

#[test]
fn refusals_are_not_remembered() {
    let (_store, running) = shop(2, &terms(1));
    let engine = &running.engine;
    answered(engine, 0, |burst| burst.change(BATCH, Action::Pause));
    let asked = Claim::new(BATCH, 7, 1, 1);
    assert_eq!(status(engine, 0, asked), Status::Paused);
    let key = RequestKey::new(BATCH, 7, 1);
    assert_eq!(answered(engine, 0, |burst| burst.lookup(&key)).status(), Some(Status::RequestUnknown));
    assert_eq!(answered(engine, 0, |burst| burst.serials(&key)).err(), Some(Status::RequestUnknown));
    answered(engine, 0, |burst| burst.change(BATCH, Action::Resume));
    // With another quantity, too: it never stood for anything.
    assert_eq!(status(engine, 1, Claim::new(BATCH, 7, 1, 2)), Status::SoldOut);
    let granted = claim(engine, 1, asked);
    assert_eq!((granted.status(), granted.is_replayed()), (Some(Status::Granted), false));
}

#[test]
fn split_serials_are_the_same_in_every_copy() {
    let (store, running) = shop(4, &terms(8));
    // Two units lie in each of four buckets.
    let asked = Claim::new(BATCH, 7, 1, 7);
    let first = claim(&running.engine, 3, asked);
    assert_eq!((first.status(), first.granted, first.run, first.is_split()), (Some(Status::Granted), 7, 2, true));
    let key = RequestKey::new(BATCH, 7, 1);
    let serials = |engine: &Engine| {
        let runs = answered(engine, 0, |burst| burst.serials(&key)).expect("granted");
        runs.iter().collect::<Vec<Run>>()
    };
    let told = serials(&running.engine);
    assert_eq!(told.iter().map(|run| run.count).sum::<u32>(), 7);
    assert_eq!((told[0].first, told[0].count), (first.serial.get(), u32::from(first.run)));
    must_replay(&running.engine, 0, asked, &first);
    assert_eq!(serials(&running.engine), told);
    drop(running);
    for cores in [1, 3] {
        let running = open(&store, cores);
        must_replay(&running.engine, 0, asked, &first);
        assert_eq!(serials(&running.engine), told);
    }
    // The one unit that is left is the one that was not told.
    let last = claim(&open(&store, 1).engine, 0, Claim::new(BATCH, 8, 1, 1));
    assert!(!told.iter().any(|run| (run.first..run.end()).contains(&last.serial.get())));
}

#[test]
fn up_to_keeps_what_it_got_when_there_was_less() {
    let (store, running) = shop(2, &terms(3));
    let asked = Claim::new(BATCH, 7, 1, 5).up_to();
    let first = claim(&running.engine, 0, asked);
    assert_eq!((first.status(), first.granted), (Some(Status::Granted), 3));
    answered(&running.engine, 0, |burst| burst.add_stock(&stockade_protocol::batch::AddStock::new(BATCH, 1, 5)));
    must_replay(&running.engine, 1, asked, &first);
    drop(running);
    must_replay(&open(&store, 2).engine, 1, asked, &first);
}
