//! `/livez` and `/readyz` through the life of a process.

use std::sync::Arc;
use std::sync::mpsc::channel;

use stockade::admin::Admin;
use stockade::engine::{self, EngineOptions, Source, StorageOptions};
use stockade::journal::{Faults, MemoryStore};
use stockade_protocol::hello::Durability;

use crate::support::{admin, admin_of, creation, get, memory_engine, scrape};

/// Status and word of both probes.
fn probes(admin: &Admin) -> [(u16, String); 2] {
    ["/livez", "/readyz"].map(|path| {
        let answer = get(admin.address(), path);
        assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
        (answer.status, answer.body)
    })
}

fn are(live: (u16, &str), ready: (u16, &str)) -> [(u16, String); 2] {
    [live, ready].map(|(status, word)| (status, format!("{word}\n")))
}

#[test]
fn ready_only_between_recovery_and_drain() {
    let (admin, running) = (admin(), memory_engine(1));
    assert_eq!(probes(&admin), are((200, "alive"), (503, "recovering")));
    assert_eq!(scrape(&admin).count("stockade_ready", &[]), 0);

    admin.set_ready(Arc::clone(&running.engine), running.report);
    assert_eq!(probes(&admin), are((200, "alive"), (200, "ready")));
    assert_eq!(scrape(&admin).count("stockade_ready", &[]), 1);

    admin.set_draining();
    assert_eq!(probes(&admin), are((200, "alive"), (503, "draining")));
    assert_eq!(scrape(&admin).count("stockade_ready", &[]), 0);
}

#[test]
fn who_leaves_during_recovery_never_becomes_ready() {
    let (admin, running) = (admin(), memory_engine(1));
    admin.set_draining();
    assert_eq!(probes(&admin), are((200, "alive"), (503, "draining")));
    admin.set_ready(Arc::clone(&running.engine), running.report);
    assert_eq!(probes(&admin), are((200, "alive"), (503, "draining")));
}

#[test]
fn a_failed_journal_is_neither_alive_nor_ready() {
    let (failed, failure) = channel();
    let on_failure = move |reason: &str| failed.send(reason.to_owned()).unwrap();
    let store = Box::new(MemoryStore::new(Faults { fail_call: 1, ..Faults::default() }));
    let source = Source { store, store_id: 1, witnessed: None, ledger: None, durability: Durability::Fsync };
    let running = engine::start(source, EngineOptions::new(1, Arc::new(on_failure))).unwrap();
    let admin = admin_of(&running);
    assert_eq!(probes(&admin), are((200, "alive"), (200, "ready")));

    let mut burst = running.engine.burst(0);
    burst.create(&creation(1, 1));
    let _never_durable = burst.leave();
    assert!(failure.recv().unwrap().contains("injected failure"));
    assert_eq!(probes(&admin), are((503, "failed"), (503, "failed")));
    admin.set_draining();
    assert_eq!(probes(&admin), are((503, "failed"), (503, "failed")), "a drain cannot help it");
    assert_eq!(scrape(&admin).count("stockade_ready", &[]), 0);
}

#[test]
fn a_full_disk_is_told_and_does_not_end_readiness() {
    let folder = tempfile::tempdir().unwrap();
    let storage = StorageOptions {
        folder: folder.path().join("data"),
        durability: Durability::Os,
        segment_bytes: 8 << 20,
        // No disk has so much.
        free_space_floor_bytes: u64::MAX,
        ballast_bytes: 0,
        checkpoint_dead_bytes: 64 << 20,
        index: true,
        feed_retained_bytes: 64 << 20,
    };
    let running = engine::open(&storage, EngineOptions::new(1, Arc::new(|_: &str| {}))).unwrap();
    let admin = admin_of(&running);
    let page = scrape(&admin);
    assert_eq!(page.count("stockade_out_of_space", &[]), 1);
    assert!(page.value("stockade_free_space_bytes", &[]) > 0.0);
    // Replays, look-ups and operations are still answered, and no other server could answer them.
    assert_eq!(probes(&admin), are((200, "alive"), (200, "ready")));
}
