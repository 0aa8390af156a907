//! Checkpoints of two parts: one that stands on the base of the one before and repeats nothing of it.

use crate::journal_checkpoint::{Groups, LIVE, SHORT, checkpoint, close, is_all_there, refusal, sell, settled, shop};
use crate::support::offer::{create, terms};
use crate::support::shop::answered;
use stockade::engine::{OpenError, Running};
use stockade::journal::{ChainError, Depth, Faults, MemoryStore, ReplayError, TakeError};
use stockade_protocol::Status;
use stockade_protocol::batch::{Action, BatchInfo};

/// Closes in the base, and was created there.
const SECOND: u64 = 8;
/// Closes after the base.
const THIRD: u64 = 9;

/// A checkpoint and, behind it, claims of a batch that it has and one that it has not; both close.
fn two_parts(faults: Faults) -> (MemoryStore, Running) {
    let (store, running) = shop(faults);
    create(&running.engine, SECOND, &terms(80));
    sell(&running, SECOND, 0, 10);
    settled(&store, &running, Depth::Whole);
    create(&running.engine, THIRD, &terms(70));
    sell(&running, THIRD, 0, 8);
    sell(&running, SECOND, 10, 10);
    sell(&running, LIVE, 30, 4);
    close(&running, SECOND);
    close(&running, THIRD);
    sell(&running, LIVE, 34, 2);
    (store, running)
}

#[test]
fn the_second_part_repeats_nothing_of_the_first_and_the_whole_gives_all_back() {
    let (store, mut running) = two_parts(Faults::default());
    let base = store.damage_checkpoint(|_, kept| kept.clone());
    let all = running.engine.usage().stored_bytes();
    for round in 0..3 {
        let taken = settled(&store, &running, Depth::Recent);
        assert!(taken.before_bytes < all, "round {round}: the base is not read");
        let first = taken.head.parts().next().expect("two parts").generation;
        let kept = store.damage_checkpoint(|_, kept| kept.get(&first).cloned());
        assert_eq!((kept.as_ref(), taken.head.parts().count()), (base.get(&first), 2), "round {round}");
        let stored = running.engine.usage().stored_bytes();
        drop(running);
        running = is_all_there(&store, &format!("round {round}"));
        // Of the second batch the base still has ten claims; of the others what lives.
        assert_eq!(running.report.records, 10 + 5 + 6 + 10 + round, "round {round}");
        assert_eq!(running.engine.usage().stored_bytes(), stored, "round {round}");
        sell(&running, LIVE, 40 + round, 1);
    }
    let whole = settled(&store, &running, Depth::Whole);
    assert_eq!(whole.head.parts().count(), 1);
    drop(running);
    assert_eq!(is_all_there(&store, "the whole").report.records, 10 + 5 + 6 + 3);
}

#[test]
fn whichever_call_of_a_second_part_fails_a_restart_finds_the_one_or_the_other() {
    // The calls of the first part come first.
    for (keeps_failed, call) in (6..=10).flat_map(|call| [(false, call), (true, call)]) {
        let (store, running) = two_parts(Faults { fail_checkpoint_call: call, keeps_failed, ..Faults::default() });
        let before = store.after_power_loss(0);
        let result = checkpoint(&store, &running, Depth::Recent);
        let in_doubt = matches!(&result, Err(TakeError::InDoubt(ReplayError::Store(_))));
        assert_eq!((result.is_ok(), in_doubt), (call == 10, call == 9), "call {call}: {result:?}");
        drop(running);
        is_all_there(&before, "before");
        let running = is_all_there(&store, &format!("call {call}, kept {keeps_failed}, {result:?}"));
        let rest = store.after_power_loss(0);
        settled(&rest, &running, Depth::Recent);
        drop(running);
        is_all_there(&rest, &format!("call {call}, kept {keeps_failed}, and the next one"));
    }
}

#[test]
fn a_base_that_is_damaged_missing_or_another_one_stops_the_start() {
    let (store, running) = two_parts(Faults::default());
    let head = settled(&store, &running, Depth::Recent).head;
    drop(running);
    let (base, newest) = (head.base.expect("two parts").generation, head.generation);
    let damage = |change: &dyn Fn(&mut Groups)| {
        let damaged = store.after_power_loss(0);
        damaged.damage_checkpoint(|_, kept| change(kept.get_mut(&base).expect("kept")));
        refusal(&damaged)
    };
    let length = store.damage_checkpoint(|_, kept| kept[&base][0].1.len());
    for byte in 0..length {
        let found = damage(&|groups| groups[0].1[byte] ^= 1 << (byte % 8));
        assert!(matches!(found, OpenError::Chain(ChainError::Group { .. })), "byte {byte}: {found}");
    }
    let gone = damage(&|groups| groups.clear());
    assert!(matches!(gone, OpenError::Chain(ChainError::Checkpoint { last: 0, .. })), "{gone}");
    let other = store.damage_checkpoint(|_, kept| kept[&newest].clone());
    let exchanged = damage(&|groups| groups.clone_from(&other));
    assert!(matches!(exchanged, OpenError::Chain(ChainError::Broken { after: 0, .. })), "{exchanged}");
}

#[test]
fn an_id_that_was_purged_and_is_used_again_keeps_what_is_new() {
    // Checkpoints after none or any of: purged, created again, sold again, closed again. Of all there is, or upon a
    // base that has the batch's beginning.
    for (after, depth) in (0_u32..16).flat_map(|after| [Depth::Whole, Depth::Recent].map(|depth| (after, depth))) {
        let context = format!("checkpoints {after:04b}, {depth:?}");
        let (store, mut running) = shop(Faults::default());
        if depth == Depth::Recent {
            settled(&store, &running, Depth::Whole);
        }
        for round in 0..4 {
            match round {
                0 => purge(&running, SHORT),
                1 => drop(create(&running.engine, SHORT, &terms(60))),
                2 => sell(&running, SHORT, 40, 9),
                _ => close(&running, SHORT),
            }
            if after >> round & 1 == 1 {
                settled(&store, &running, depth);
            }
            // After a restart as before it.
            let shown = answered(&running.engine, 0, |burst| burst.show(SHORT));
            drop(running);
            running = is_all_there(&store, &format!("{context}, round {round}"));
            let again = answered(&running.engine, 0, |burst| burst.show(SHORT));
            let told = |info: &BatchInfo| (info.status(), info.granted.get(), info.total.get(), info.state());
            assert_eq!(told(&again), told(&shown), "{context}, round {round}");
        }
    }
}

fn purge(running: &Running, batch: u64) {
    let info = answered(&running.engine, 0, |burst| burst.change(batch, Action::Purge));
    assert_eq!(info.status(), Some(Status::Done));
}
