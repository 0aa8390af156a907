//! The life of a batch is the table in `docs/protocol.md`: every action in every state, live and after a restart.

use std::path::Path;

use crate::support::clock::ManualClock;
use crate::support::offer::{create, terms};
use crate::support::shop::{answered, options, source};
use stockade::engine::{Engine, Running, start};
use stockade::journal::{Faults, MemoryStore};
use stockade_protocol::Status;
use stockade_protocol::batch::{Action, BatchInfo, State, Terms};
use stockade_protocol::claim::{Claim, RequestKey};

const BATCH: u64 = 1;
const BEFORE_MS: u64 = 500;
const START_MS: u64 = 1_000;
const END_MS: u64 = 2_000;

/// One way into a state: whether the batch begins as a draft, what happens to it, and when it is.
struct Way {
    state: State,
    draft: bool,
    actions: &'static [Action],
    now_ms: u64,
    /// What a new claim is answered there.
    claim: Status,
}

const fn way(state: State, draft: bool, actions: &'static [Action], now_ms: u64, claim: Status) -> Way {
    Way { state, draft, actions, now_ms, claim }
}

const WAYS: [Way; 14] = [
    way(State::Draft, true, &[], BEFORE_MS, Status::BatchDraft),
    way(State::Draft, true, &[], START_MS, Status::BatchDraft),
    way(State::Scheduled, false, &[], BEFORE_MS, Status::NotStarted),
    way(State::Scheduled, true, &[Action::Activate], BEFORE_MS, Status::NotStarted),
    way(State::Active, false, &[], START_MS, Status::Granted),
    way(State::Active, false, &[Action::Pause, Action::Resume], START_MS, Status::Granted),
    way(State::Paused, false, &[Action::Pause], BEFORE_MS, Status::Paused),
    way(State::Paused, false, &[Action::Pause], START_MS, Status::Paused),
    way(State::Ended, false, &[], END_MS, Status::Ended),
    way(State::Ended, true, &[], END_MS, Status::Ended),
    way(State::Ended, false, &[Action::Pause], END_MS, Status::Ended),
    way(State::Ended, true, &[Action::End], BEFORE_MS, Status::Ended),
    way(State::Ended, false, &[Action::Pause, Action::End], START_MS, Status::Ended),
    way(State::Closed, false, &[Action::End, Action::Close], START_MS, Status::Closed),
];

/// The rows of the table: state, and what each action of [`Action::ALL`] does there.
fn table() -> Vec<(String, Vec<String>)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/protocol.md");
    let text = std::fs::read_to_string(path).expect("the specification is there");
    let mut lines = text.lines().skip_while(|line| !line.starts_with("| state | activate |"));
    assert_eq!(lines.next(), Some("| state | activate | pause | resume | end | close | purge |"));
    let rows = lines.skip(1).take_while(|line| line.starts_with('|')).map(|line| {
        let mut cells = line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned());
        (cells.next().expect("a state"), cells.collect())
    });
    rows.collect()
}

fn open(store: &MemoryStore, clock: &ManualClock) -> Running {
    start(source(store.clone(), None), options(2, clock.clone())).expect("a journal in order")
}

/// A batch that came this way, with one grant where it was possible.
fn batch(way: &Way) -> (MemoryStore, ManualClock, Running) {
    let (store, clock) = (MemoryStore::new(Faults::default()), ManualClock::at(0));
    let running = open(&store, &clock);
    let windowed = Terms { starts_ms: Some(START_MS), ends_ms: Some(END_MS), draft: way.draft, ..terms(9) };
    create(&running.engine, BATCH, &windowed);
    for action in way.actions {
        assert_eq!(change(&running.engine, *action).status(), Some(Status::Done));
    }
    clock.set(way.now_ms);
    assert_eq!(show(&running.engine), Some(way.state));
    (store, clock, running)
}

fn change(engine: &Engine, action: Action) -> BatchInfo {
    answered(engine, 0, |burst| burst.change(BATCH, action))
}

fn show(engine: &Engine) -> Option<State> {
    answered(engine, 1, |burst| burst.show(BATCH)).state()
}

/// What the cell promises: the answer and the state after it.
fn promise(cell: &str, way: &Way) -> (Status, Option<State>) {
    match cell {
        "–" => (Status::StateConflict, Some(way.state)),
        "=" => (Status::Done, Some(way.state)),
        "paused" => (Status::Done, Some(State::Paused)),
        "ended" => (Status::Done, Some(State::Ended)),
        "closed" => (Status::Done, Some(State::Closed)),
        "gone" => (Status::Done, None),
        "scheduled or active, by the clock" if way.now_ms < START_MS => (Status::Done, Some(State::Scheduled)),
        "scheduled or active, by the clock" => (Status::Done, Some(State::Active)),
        other => panic!("the table has a cell that nobody knows: {other}"),
    }
}

#[test]
fn every_action_in_every_state_does_what_the_specification_says() {
    let table = table();
    let names = table.iter().map(|(name, _)| name.as_str());
    assert!(names.eq(State::ALL.iter().map(|state| state.name())), "one row for each state");
    for way in &WAYS {
        let (_, cells) = table.iter().find(|(name, _)| name == way.state.name()).expect("a row");
        assert_eq!(cells.len(), Action::ALL.len());
        for (action, cell) in Action::ALL.into_iter().zip(cells) {
            for restarts in [false, true] {
                let context = format!("{action:?} when {:?} by {:?} at {} ms", way.state, way.actions, way.now_ms);
                let (store, clock, mut running) = batch(way);
                if restarts {
                    drop(running);
                    running = open(&store, &clock);
                }
                let (status, state) = promise(cell, way);
                let info = change(&running.engine, action);
                assert_eq!((info.status(), info.state()), (Some(status), state), "{context}");
                assert_eq!(show(&running.engine), state, "{context}");
                drop(running);
                assert_eq!(show(&open(&store, &clock).engine), state, "{context}, after a restart");
            }
        }
    }
}

#[test]
fn a_claim_in_each_state_is_answered_as_the_specification_says() {
    for way in &WAYS {
        let (_store, _clock, running) = batch(way);
        let claim = answered(&running.engine, 1, |burst| burst.claim(&Claim::new(BATCH, 1, 1, 1)));
        assert_eq!(claim.status(), Some(way.claim), "{:?} by {:?}", way.state, way.actions);
    }
}

#[test]
fn an_unknown_batch_cannot_be_changed() {
    let (_store, _clock, running) = batch(&WAYS[0]);
    for action in Action::ALL {
        let info = answered(&running.engine, 0, |burst| burst.change(2, action));
        assert_eq!((info.status(), info.state()), (Some(Status::BatchUnknown), None));
    }
}

#[test]
fn after_a_pause_was_answered_no_core_grants() {
    let (_store, _clock, running) = batch(&WAYS[4]);
    for round in 0..200 {
        assert_eq!(change(&running.engine, Action::Pause).state(), Some(State::Paused));
        for core in [0, 1] {
            let claim = answered(&running.engine, core, |burst| burst.claim(&Claim::new(BATCH, round, 1, 1)));
            assert_eq!(claim.status(), Some(Status::Paused));
        }
        assert_eq!(change(&running.engine, Action::Resume).state(), Some(State::Active));
    }
    let claim = answered(&running.engine, 1, |burst| burst.claim(&Claim::new(BATCH, 1, 1, 1)));
    assert_eq!(claim.status(), Some(Status::Granted));
}

#[test]
fn a_closed_batch_is_still_counted_and_listed() {
    let (store, clock, running) = batch(&WAYS[4]);
    answered(&running.engine, 0, |burst| burst.claim(&Claim::new(BATCH, 1, 1, 4)));
    change(&running.engine, Action::End);
    change(&running.engine, Action::Close);
    let closed = |engine: &Engine| {
        let info = answered(engine, 0, |burst| burst.show(BATCH));
        assert_eq!((info.total.get(), info.granted.get(), info.remaining.get()), (9, 4, 5));
        let key = RequestKey::new(BATCH, 1, 1);
        let (found, serials, again) = answered(engine, 0, |burst| {
            (burst.lookup(&key).status(), burst.serials(&key).err(), burst.claim(&Claim::new(BATCH, 1, 1, 4)).status())
        });
        assert_eq!([found, serials, again], [Some(Status::Closed); 3]);
        assert_eq!(create(engine, BATCH, &terms(1)).status(), Some(Status::BatchConflict), "its id is not free again");
    };
    closed(&running.engine);
    drop(running);
    closed(&open(&store, &clock).engine);
}
