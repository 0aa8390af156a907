//! A small journal in which every kind of record occurs, one answered step after the other, and the answers.

use stockade::engine::start;
use stockade::journal::{Faults, MemoryStore};
use stockade_protocol::Status;
use stockade_protocol::batch::{Action, AddStock, Terms};
use stockade_protocol::claim::Claim;

use super::clock::ManualClock;
use super::shop::{answered, options, source};
use super::trade::{Answer, Known, Request, Trade, answer};

const BATCH: u64 = 7;

/// A step, and the bytes of the log when it was answered.
pub(crate) struct Step {
    pub(crate) trade: Trade,
    pub(crate) log_bytes: usize,
}

/// Runs all steps on an empty store.
pub(crate) fn write() -> (MemoryStore, Vec<Step>) {
    let store = MemoryStore::new(Faults::default());
    let running = start(source(store.clone(), None), options(2, ManualClock::at(5_000))).expect("an empty store");
    let mut steps = Vec::new();
    for (core, request, status) in requests() {
        let mut burst = running.engine.burst(core);
        let answer = answer(&mut burst, &request);
        let (now_ms, epoch) = (burst.now_ms(), burst.leave());
        answered(&running.engine, core, |_| ());
        let told = match &answer {
            Answer::Claim(reply, _) => reply.status(),
            Answer::Batch(info) => info.status(),
        };
        assert_eq!(told, Some(status), "{request:?}");
        let trade = Trade { request, answer, known: Known::default(), now_ms, epoch };
        steps.push(Step { trade, log_bytes: store.len() });
    }
    drop(running);
    let is_split = |step: &Step| matches!(&step.trade.answer, Answer::Claim(reply, _) if reply.is_split());
    assert!(steps.iter().any(is_split), "a grant of several runs is part of the diary");
    (store, steps)
}

/// Core, request and the answer that is expected.
fn requests() -> Vec<(usize, Request, Status)> {
    let terms = Terms {
        stock: 9,
        per_user: Some(5),
        starts_ms: Some(1),
        ends_ms: Some(9_000),
        name: "diary".into(),
        ..Terms::default()
    };
    let claim = |core: usize, user: u64, quantity: u8, status: Status| {
        (core, Request::Claim(Claim::new(BATCH, user, 1, quantity)), status)
    };
    let change = |action| (0, Request::Change(BATCH, action), Status::Done);
    vec![
        (0, Request::Create(BATCH, terms), Status::Done),
        claim(0, 1, 2, Status::Granted),
        claim(1, 2, 3, Status::Granted),
        claim(1, 1, 2, Status::Granted),
        // Of both buckets: a grant in several records.
        claim(0, 3, 4, Status::Granted),
        claim(0, 4, 1, Status::SoldOut),
        (1, Request::Add(AddStock::new(BATCH, 1, 3)), Status::Done),
        change(Action::Pause),
        claim(0, 4, 1, Status::Paused),
        change(Action::Resume),
        claim(1, 4, 1, Status::Granted),
        claim(1, 4, 5, Status::RequestConflict),
        change(Action::End),
        claim(1, 5, 1, Status::Ended),
    ]
}
