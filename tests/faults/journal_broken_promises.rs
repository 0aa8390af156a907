//! A journal whose hashes are right and whose content breaks a promise: no engine starts on it, and the group and the
//! batch are named. The books of the crash tests object as well.

use crate::support::books::Books;
use crate::support::clock::ManualClock;
use crate::support::groups::Groups;
use crate::support::shop::{options, source};
use stockade::engine::{OpenError, start};
use stockade::journal::{Chain, ClaimRecord, Control, Encoder, Portion, StateCode, Step};
use stockade::stock::{Mode, Run};
use stockade::users::Asked;
use stockade_protocol::batch::Terms;

const BATCH: u64 = 1;
const STOCK: u32 = 10;
const LIMIT: u32 = 3;

fn created(batch: u64) -> Control {
    Control::Created {
        batch,
        time_ms: 1,
        terms: Box::new(Terms { stock: STOCK, per_user: Some(LIMIT), name: "promises".into(), ..Terms::default() }),
    }
}

fn added(units: u32) -> Control {
    Control::Added { batch: BATCH, version: 2, request: 1, run: Run { first: STOCK, count: units }, time_ms: 2 }
}

fn changed(version: u32, state: StateCode) -> Control {
    Control::Changed { batch: BATCH, version, state, time_ms: 2 }
}

fn grant(user: u64, request: u64, serial: u32, units: u8) -> ClaimRecord {
    let asked = Asked { quantity: units, mode: Mode::AllOrNothing, reserves: false };
    ClaimRecord { batch: BATCH, user, request, step: Step::Grant, serial, units, asked, continues: false }
}

/// A journal with one group for each pair, in epochs from 1 on; the first group also creates the batch.
fn journal(groups: &[(Vec<Control>, Vec<ClaimRecord>)]) -> Groups {
    let mut encoder = Encoder::default();
    let mut previous = Chain::new(source(Groups::default(), None).store_id, None).last().hash;
    let mut journal = Groups::default();
    for (epoch, (controls, grants)) in (1..).zip(groups) {
        let mut portion = Portion::default();
        if epoch == 1 {
            portion.control(created(BATCH));
        }
        controls.iter().for_each(|control| portion.control(control.clone()));
        grants.iter().for_each(|grant| portion.claim(1, grant));
        let (bytes, hash) = encoder.encode(epoch, previous, &[&portion]);
        journal.groups.push((epoch, bytes.to_vec()));
        previous = hash;
    }
    journal
}

/// The epoch and the batch that the start names, and what it says of them.
fn violation(journal: &Groups) -> Option<(u64, Option<u64>, String)> {
    match start(source(journal.clone(), None), options(1, ManualClock::at(0))) {
        Ok(_) => None,
        Err(OpenError::Violation(violation)) => Some((violation.epoch, violation.batch, violation.what)),
        Err(error) => panic!("not a broken promise: {error}"),
    }
}

/// Epoch 2 of this journal must be named for `what`, on `batch`.
fn must_name(second: (Vec<Control>, Vec<ClaimRecord>), batch: u64, what: &str) {
    let journal = journal(&[(vec![], vec![grant(1, 1, 0, 2)]), second]);
    let (epoch, named, found) = violation(&journal).unwrap_or_else(|| panic!("it started, in spite of: {what}"));
    assert_eq!((epoch, named), (2, Some(batch)), "{found}");
    assert!(found.contains(what), "{found:?} does not say {what:?}");
}

fn books_object(second: (Vec<Control>, Vec<ClaimRecord>)) {
    let journal = journal(&[(vec![], vec![grant(1, 1, 0, 2)]), second]);
    assert!(!Books::read(&journal).violations.is_empty());
}

#[test]
fn a_journal_that_keeps_them_starts() {
    let pieces = vec![
        ClaimRecord { units: 1, continues: true, ..grant(3, 1, 4, 2) },
        ClaimRecord { units: 1, ..grant(3, 1, 6, 2) },
    ];
    let kept = [
        (vec![], vec![grant(1, 1, 0, 2), grant(2, 1, 2, 2)]),
        (vec![added(5)], pieces),
        (vec![changed(3, StateCode::Ended), changed(4, StateCode::Closed)], vec![grant(4, 1, 14, 1)]),
    ];
    let journal = journal(&kept);
    assert_eq!(violation(&journal), None);
    assert_eq!(Books::read(&journal).violations, Vec::<String>::new());
}

#[test]
fn a_serial_issued_twice() {
    for serial in [0, 1] {
        must_name((vec![], vec![grant(2, 1, serial, 2)]), BATCH, "is issued a second time");
        books_object((vec![], vec![grant(2, 1, serial, 2)]));
    }
}

#[test]
fn a_serial_beyond_the_total() {
    must_name((vec![], vec![grant(2, 1, STOCK - 1, 2)]), BATCH, "oversold");
    must_name((vec![added(3)], vec![grant(2, 1, STOCK + 2, 2)]), BATCH, "oversold");
    books_object((vec![], vec![grant(2, 1, STOCK - 1, 2)]));
}

#[test]
fn a_user_over_the_limit() {
    must_name((vec![], vec![grant(1, 2, 2, 2)]), BATCH, "user 1 holds 4 units, 3 allowed");
    books_object((vec![], vec![grant(1, 2, 2, 2)]));
}

#[test]
fn a_request_granted_twice() {
    must_name((vec![], vec![grant(1, 1, 2, 1)]), BATCH, "request 1 of user 1 is granted a second time");
    books_object((vec![], vec![grant(1, 1, 2, 1)]));
}

#[test]
fn more_than_was_asked_for() {
    let asked = Asked { quantity: 1, mode: Mode::UpTo, reserves: false };
    let greedy = ClaimRecord { asked, ..grant(2, 1, 2, 2) };
    must_name((vec![], vec![greedy]), BATCH, "got more than it asked for");
    books_object((vec![], vec![greedy]));
}

#[test]
fn a_batch_that_is_not_there() {
    let elsewhere = ClaimRecord { batch: 2, ..grant(2, 1, 2, 1) };
    must_name((vec![], vec![elsewhere]), 2, "is used before it was created");
    books_object((vec![], vec![elsewhere]));
}

#[test]
fn a_batch_created_twice() {
    must_name((vec![created(BATCH)], vec![]), BATCH, "is created a second time");
    books_object((vec![created(BATCH)], vec![]));
}

#[test]
fn serials_that_are_none() {
    let beyond = journal(&[(vec![], vec![]), (vec![added(u32::MAX)], vec![])]);
    match start(source(beyond, None), options(1, ManualClock::at(0))) {
        Err(OpenError::Chain(_)) => {}
        Err(error) => panic!("another complaint: {error}"),
        Ok(_) => panic!("it started"),
    }
}

#[test]
fn units_that_come_in_under_used_serials() {
    let run = Run { first: STOCK - 1, count: 2 };
    let again = Control::Added { batch: BATCH, version: 2, request: 1, run, time_ms: 2 };
    must_name((vec![again], vec![]), BATCH, "come in under serials of 9..11 again");
}

#[test]
fn a_grant_long_after_the_batch_was_closed() {
    let closed = vec![changed(2, StateCode::Ended), changed(3, StateCode::Closed)];
    let groups = [(closed, vec![]), (vec![], vec![grant(1, 1, 0, 1)]), (vec![], vec![grant(2, 1, 1, 1)])];
    // A core may have granted in the group after the close, not in the one after that.
    assert_eq!(violation(&journal(&groups[..2])), None);
    let (epoch, batch, what) = violation(&journal(&groups)).expect("it starts");
    assert_eq!((epoch, batch), (3, Some(BATCH)));
    assert!(what.contains("after it was closed"), "{what}");
}
