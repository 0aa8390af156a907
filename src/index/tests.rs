//! Readers while a segment becomes a file.

use std::sync::Arc;

use stockade_protocol::feed::{Event, Kind};
use zerocopy::little_endian::{U32, U64};

use super::segment::Segment;
use super::{Index, Kept};
use crate::types::{BatchId, Epoch, UserId};

const BATCH: BatchId = 4;
const USERS: u64 = 40;
const DAY: i32 = 3;

fn open(folder: &std::path::Path) -> Index {
    Index::open(folder, &Kept { store_id: 1, last: Epoch::MAX, head: None }).expect("a folder")
}

/// Each user is granted a coupon in an epoch; serials are those of the epoch's hundred.
fn add(index: &Index, epoch: Epoch) {
    let mut tail = index.tail.write();
    for user in 0..USERS {
        let mut event = Event::new(Kind::Granted, BATCH, epoch);
        (event.epoch, event.user, event.request) = (U64::new(epoch), U64::new(user), U64::new(epoch));
        event.serial = U32::new(serial(epoch, user));
        event.units = 1;
        tail.open.add(&event, index.store.bucket(user), DAY);
    }
    tail.open.reaches(epoch);
}

fn serial(epoch: Epoch, user: UserId) -> u32 {
    u32::try_from(epoch * 100 + user).expect("a small one")
}

/// Readers see the events of these epochs, each once, and nothing else.
fn assert_told(index: &Index, epochs: &[Epoch], when: &str) {
    for user in 0..USERS {
        let events = index.of_user(user).expect("it can be read");
        let told = events.iter().map(|event| event.epoch.get()).collect::<Vec<_>>();
        assert_eq!(told, epochs, "{when}: the events of user {user}");
        for &epoch in epochs {
            assert_eq!(index.owner(BATCH, serial(epoch, user)), Ok(vec![user]), "{when}: one owner");
        }
    }
    let owners = index.owners(BATCH, 0, usize::MAX).expect("they can be read");
    let serials = owners.iter().map(|taken| taken.serial).collect::<Vec<_>>();
    let all = epochs.iter().flat_map(|epoch| (0..USERS).map(|user| serial(*epoch, user))).collect::<Vec<_>>();
    assert_eq!(serials, all, "{when}: all owners");
    let days = index.days(BATCH).expect("they can be read");
    assert_eq!(days.whole().granted.get(), epochs.len() as u64 * USERS, "{when}: the numbers");
}

#[test]
fn readers_see_each_event_once_while_its_segment_becomes_a_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let index = open(folder.path());
    let mut epochs = Vec::new();
    for round in 0..3 {
        let (first, second) = (10 * round + 1, 10 * round + 2);
        add(&index, first);
        add(&index, second);
        epochs.extend([first, second]);
        assert_told(&index, &epochs, "all in memory");

        let full = Arc::new(std::mem::replace(&mut index.tail.write().open, Segment::new()));
        index.tail.write().sealing = Some(Arc::clone(&full));
        add(&index, 10 * round + 3);
        epochs.push(10 * round + 3);
        assert_told(&index, &epochs, "no file yet");
        index.store.seal(&full).expect("a file");
        assert_told(&index, &epochs, "in a file and in memory");
        index.tail.write().sealing = None;
        assert_told(&index, &epochs, "in a file");
    }
}
