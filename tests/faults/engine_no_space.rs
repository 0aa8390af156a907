//! Below the floor of free space nothing new is taken, what was decided is still answered, and with room it goes on.

use std::path::Path;

use crate::support::clock::ManualClock;
use crate::support::folder::storage;
use crate::support::offer::{create, terms};
use crate::support::shop::{answered, options};
use stockade::engine::{Engine, Running, StorageOptions, open};
use stockade_protocol::Status;
use stockade_protocol::claim::{Claim, ClaimReply};
use stockade_protocol::hello::Durability;

const BATCH: u64 = 1;

/// No disk has so much room.
const ABOVE_ANY_DISK: u64 = u64::MAX;

fn start(folder: &Path, free_space_floor_bytes: u64) -> Running {
    let storage = StorageOptions { free_space_floor_bytes, ..storage(folder, Durability::Fsync) };
    open(&storage, options(1, ManualClock::at(1_000))).expect("the folder is in order")
}

fn claim(engine: &Engine, batch: u64, user: u64) -> ClaimReply {
    answered(engine, 0, |burst| burst.claim(&Claim::new(batch, user, 1, 1)))
}

#[test]
fn nothing_new_is_taken_and_what_was_decided_is_answered() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let with_room = start(folder.path(), 0);
    assert!(!with_room.engine.is_out_of_space());
    assert_eq!(create(&with_room.engine, BATCH, &terms(10)).status(), Some(Status::Done));
    let granted = claim(&with_room.engine, BATCH, 1);
    assert_eq!(granted.status(), Some(Status::Granted));
    drop(with_room);

    let full = start(folder.path(), ABOVE_ANY_DISK);
    assert!(full.engine.is_out_of_space());
    let durable = full.engine.journal().durable();
    assert_eq!(claim(&full.engine, BATCH, 2).status(), Some(Status::NoSpace));
    assert_eq!(claim(&full.engine, BATCH + 1, 2).status(), Some(Status::NoSpace), "it cannot be told from a new batch");
    let replayed = claim(&full.engine, BATCH, 1);
    assert!(replayed.is_replayed());
    assert_eq!((replayed.status(), replayed.serial), (Some(Status::Granted), granted.serial));
    assert_eq!(full.engine.journal().durable(), durable, "nothing was written");
    drop(full);

    let room_again = start(folder.path(), 0);
    let second = claim(&room_again.engine, BATCH, 2);
    assert_eq!((second.status(), second.remaining.get()), (Some(Status::Granted), 8), "the refusal took nothing");
}
