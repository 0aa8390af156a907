//! A log that is cut at any byte starts as a prefix of what happened, with all that had been answered by then; unless a
//! witness knows of more: then it does not start.

use crate::support::audit::objection;
use crate::support::books::Books;
use crate::support::clock::ManualClock;
use crate::support::groups::Groups;
use crate::support::inspection::differences;
use crate::support::offer::{create, terms};
use crate::support::shop::{options, source};
use stockade::engine::{OpenError, start};
use stockade::journal::{ChainError, MemoryStore};

/// A copy of the log's first `bytes`.
fn cut(log: &MemoryStore, bytes: usize) -> MemoryStore {
    let copy = log.after_power_loss(0);
    copy.truncate(bytes);
    copy
}

#[test]
fn a_log_cut_at_any_byte_starts_as_a_prefix_with_all_that_was_answered() {
    let (log, steps) = crate::support::diary::write();
    let whole = Groups::of(&log).groups;
    assert!(whole.len() >= 9, "every step that takes has a group");
    for bytes in 0..=log.len() {
        let rest = cut(&log, bytes);
        let kept = Groups::of(&rest).groups;
        assert_eq!(kept, whole[..kept.len()]);
        let books = Books::read(&rest);
        let answered = steps.iter().filter(|step| step.log_bytes <= bytes);
        let lost = answered.filter_map(|step| objection(&books, &step.trade)).collect::<Vec<_>>();
        assert!(lost.is_empty(), "{bytes} bytes: {lost:?}");
        let running = start(source(rest, None), options(2, ManualClock::at(0))).expect("a torn log starts");
        assert_eq!(running.report.groups, kept.len() as u64, "{bytes} bytes");
        let differences = differences(&running.engine, &books);
        assert!(differences.is_empty(), "{bytes} bytes: {differences:?}");
    }
}

#[test]
fn a_log_cut_before_what_was_witnessed_does_not_start() {
    let (log, _) = crate::support::diary::write();
    let whole = Groups::of(&log);
    for bytes in 0..=log.len() {
        let rest = cut(&log, bytes);
        let kept = Groups::of(&rest).groups.len();
        for witness in 0..whole.groups.len() {
            let witnessed = whole.mark(witness);
            let result = start(source(rest.clone(), Some(witnessed)), options(1, ManualClock::at(0)));
            let last = kept.checked_sub(1).map_or(0, |last| whole.groups[last].0);
            match result {
                Ok(_) => assert!(witness < kept, "{bytes} bytes: {kept} groups, epoch {} missing", witnessed.epoch),
                Err(OpenError::Chain(error)) => {
                    assert!(witness >= kept, "{bytes} bytes: {error}");
                    assert_eq!(error, ChainError::Missing { last, witnessed: witnessed.epoch });
                }
                Err(error) => panic!("{bytes} bytes: {error}"),
            }
        }
    }
}

#[test]
fn work_goes_on_behind_a_torn_tail() {
    let (log, _) = crate::support::diary::write();
    let whole = Groups::of(&log);
    let torn = cut(&log, log.len() - 1);
    let running = start(source(torn.clone(), None), options(2, ManualClock::at(0))).expect("a torn log starts");
    create(&running.engine, 1, &terms(1));
    drop(running);
    let groups = Groups::of(&torn);
    assert_eq!(groups.groups.len(), whole.groups.len(), "one lost, one new");
    let running =
        start(source(torn.clone(), Some(groups.mark(groups.groups.len() - 1))), options(1, ManualClock::at(0)));
    let running = running.expect("a journal in order");
    let differences = differences(&running.engine, &Books::read(&torn));
    assert!(differences.is_empty(), "{differences:?}");
}
