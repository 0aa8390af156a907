//! Damage behind the disk's back: a bit that flipped, groups that were swapped, dropped, doubled or exchanged. It is
//! found and named, and no engine starts on it.

use crate::support::clock::ManualClock;
use crate::support::groups::Groups;
use crate::support::shop::{options, source};
use stockade::engine::{OpenError, start};
use stockade::journal::{Chain, ChainError, Encoder, GroupError, Mark};

/// Why no engine starts on these groups.
fn refusal(groups: &Groups, witnessed: Option<Mark>) -> Option<ChainError> {
    match start(source(groups.clone(), witnessed), options(1, ManualClock::at(0))) {
        Ok(_) => None,
        Err(OpenError::Chain(error)) => Some(error),
        Err(error) => panic!("not found by the chain: {error}"),
    }
}

fn diary() -> Groups {
    let groups = Groups::of(&crate::support::diary::write().0);
    assert_eq!(refusal(&groups, None), None, "without damage it starts");
    groups
}

#[test]
fn a_flipped_bit_in_any_byte_of_any_group_is_found() {
    let whole = diary();
    for index in 0..whole.groups.len() {
        let (epoch, length) = (whole.groups[index].0, whole.groups[index].1.len());
        for bit in 0..length * 8 {
            let mut damaged = whole.clone();
            damaged.groups[index].1[bit / 8] ^= 1 << (bit % 8);
            let found = refusal(&damaged, None);
            assert_eq!(
                found,
                Some(ChainError::Group { epoch, error: GroupError::Damaged }),
                "epoch {epoch}, bit {bit}"
            );
        }
    }
}

#[test]
fn a_group_cut_at_any_byte_is_found() {
    let whole = diary();
    let index = whole.groups.len() / 2;
    for length in 0..whole.groups[index].1.len() {
        let mut damaged = whole.clone();
        damaged.groups[index].1.truncate(length);
        let epoch = whole.groups[index].0;
        assert_eq!(refusal(&damaged, None), Some(ChainError::Group { epoch, error: GroupError::Damaged }));
    }
}

#[test]
fn a_group_under_another_epoch_is_found() {
    let whole = diary();
    for index in 1..whole.groups.len() {
        let mut damaged = whole.clone();
        damaged.groups[index].0 += 1;
        let (after, epoch) = (whole.groups[index - 1].0, whole.groups[index].0 + 1);
        assert_eq!(refusal(&damaged, None), Some(ChainError::Broken { after, epoch }));
    }
}

#[test]
fn swapped_groups_are_found() {
    let whole = diary();
    for index in 1..whole.groups.len() - 1 {
        let mut damaged = whole.clone();
        damaged.groups.swap(index, index + 1);
        let (after, epoch) = (whole.groups[index - 1].0, whole.groups[index + 1].0);
        assert_eq!(refusal(&damaged, None), Some(ChainError::Broken { after, epoch }));
        // The same with the epochs in order, as a store with ordered keys would give them.
        let (left, right) = damaged.groups.split_at_mut(index + 1);
        std::mem::swap(&mut left[index].0, &mut right[0].0);
        let epoch = whole.groups[index].0;
        assert_eq!(refusal(&damaged, None), Some(ChainError::Broken { after, epoch }));
    }
}

#[test]
fn a_group_missing_in_the_middle_is_found() {
    let whole = diary();
    for index in 0..whole.groups.len() - 1 {
        let mut damaged = whole.clone();
        damaged.groups.remove(index);
        let after = if index == 0 { 0 } else { whole.groups[index - 1].0 };
        let epoch = whole.groups[index + 1].0;
        assert_eq!(refusal(&damaged, None), Some(ChainError::Broken { after, epoch }));
    }
}

#[test]
fn groups_missing_at_the_end_are_found_by_the_witness() {
    let whole = diary();
    let witnessed = whole.mark(whole.groups.len() - 1);
    assert_eq!(refusal(&whole, Some(witnessed)), None);
    for length in 0..whole.groups.len() {
        let mut damaged = whole.clone();
        damaged.groups.truncate(length);
        let last = if length == 0 { 0 } else { whole.groups[length - 1].0 };
        let found = refusal(&damaged, Some(witnessed));
        assert_eq!(found, Some(ChainError::Missing { last, witnessed: witnessed.epoch }));
    }
}

#[test]
fn a_doubled_group_is_found() {
    let whole = diary();
    for index in 0..whole.groups.len() {
        let mut damaged = whole.clone();
        let (epoch, bytes) = whole.groups[index].clone();
        damaged.groups.insert(index + 1, (epoch, bytes.clone()));
        assert_eq!(refusal(&damaged, None), Some(ChainError::Broken { after: epoch, epoch }));
        // The same under an epoch of its own.
        damaged.groups[index + 1] = (epoch + 1, bytes);
        assert_eq!(refusal(&damaged, None), Some(ChainError::Broken { after: epoch, epoch: epoch + 1 }));
    }
}

/// An empty group that fits behind the group at `index - 1`.
fn forged(groups: &Groups, index: usize, epoch: u64) -> Vec<u8> {
    Encoder::default().encode(epoch, groups.mark(index - 1).hash, &[]).0.to_vec()
}

#[test]
fn a_group_that_fits_but_is_not_the_witnessed_one_is_found() {
    let whole = diary();
    let index = whole.groups.len() - 1;
    let witnessed = whole.mark(index);
    let mut damaged = whole.clone();
    damaged.groups[index].1 = forged(&whole, index, witnessed.epoch);
    assert_eq!(refusal(&damaged, None), None, "nothing else tells");
    assert_eq!(refusal(&damaged, Some(witnessed)), Some(ChainError::Exchanged { epoch: witnessed.epoch }));
    // The same under a later epoch: the witnessed one is skipped.
    let later = witnessed.epoch + 1;
    damaged.groups[index] = (later, forged(&whole, index, later));
    assert_eq!(refusal(&damaged, Some(witnessed)), Some(ChainError::Exchanged { epoch: later }));
}

#[test]
fn a_journal_of_another_store_is_found() {
    let whole = diary();
    let first = whole.groups[0].0;
    let mut foreign = source(whole, None);
    foreign.store_id += 1;
    match start(foreign, options(1, ManualClock::at(0))) {
        Err(OpenError::Chain(error)) => assert_eq!(error, ChainError::Broken { after: 0, epoch: first }),
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("it started"),
    }
    assert_ne!(Chain::new(1, None).last().hash, Chain::new(2, None).last().hash);
}
