//! What the committer and recovery measure, after claims through bursts of a real engine.

use stockade::engine::Source;
use stockade::journal::{Faults, MemoryStore};
use stockade_protocol::Status;
use stockade_protocol::hello::Durability;

use crate::support::{Core, admin_of, engine_on, scrape};

fn source(store: &MemoryStore) -> Source {
    let store = Box::new(store.clone());
    Source { store, store_id: 1, witnessed: None, ledger: None, durability: Durability::Fsync }
}

#[test]
fn groups_epochs_and_recovery_are_told() {
    let store = MemoryStore::new(Faults::default());
    let running = engine_on(source(&store), 1);
    let core = Core::new(&running.engine);
    core.create(7, 4);
    core.create(8, 1);
    let replies = core.claim(7, 0..6);
    assert_eq!(replies.iter().filter(|reply| reply.status() == Some(Status::Granted)).count(), 4);
    core.claim(7, 100..103);

    let page = scrape(&admin_of(&running));
    let count = |name: &str| page.count(name, &[]);
    assert_eq!(count("stockade_batches"), 2);
    // Two creations and one burst with grants; the burst of refusals wrote nothing.
    assert_eq!(count("stockade_commit_group_claims_count"), 3);
    assert_eq!(count("stockade_commit_group_claims_sum"), 4);
    assert_eq!(page.count("stockade_commit_group_claims_bucket", &[("le", "0.0")]), 2);
    assert_eq!(page.count("stockade_commit_group_claims_bucket", &[("le", "3.0")]), 2);
    assert_eq!(page.count("stockade_commit_group_claims_bucket", &[("le", "7.0")]), 3);
    // The store's log has a head of 24 bytes for each group.
    assert_eq!(count("stockade_commit_group_bytes_sum"), (store.len() - 3 * 24) as u64);
    assert_eq!(count("stockade_commit_write_seconds_count"), 3);
    assert_eq!(count("stockade_commit_sync_seconds_count"), 3);
    assert!(page.value("stockade_commit_write_seconds_sum", &[]) > 0.0);
    assert_eq!(count("stockade_epoch_durable"), running.engine.journal().durable());
    assert_eq!(count("stockade_recovered_claims"), 0);
    drop(running);

    let again = engine_on(source(&store), 1);
    let page = scrape(&admin_of(&again));
    let count = |name: &str| page.count(name, &[]);
    assert_eq!(count("stockade_recovered_claims"), 4);
    assert_eq!(count("stockade_recovered_groups"), 3);
    assert_eq!(count("stockade_lost_epochs"), 0);
    assert_eq!(page.value("stockade_recovery_seconds", &[]).to_bits(), again.report.elapsed.as_secs_f64().to_bits());
    assert_eq!(count("stockade_batches"), 2);
    assert_eq!(count("stockade_commit_group_claims_count"), 0, "counted since the start");
    assert_eq!(count("stockade_epoch_durable"), again.report.last_epoch);
}
