//! Question: what does the way through the journal cost a claim: entering an epoch, handing in a record, being
//! committed and told so? Into memory (our own overhead) and into RocksDB with and without a sync (what the store
//! adds), one burst at a time (latency) and many claims a burst (throughput).
//!
//! `cargo bench --bench committer`

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use divan::Bencher;
use divan::counter::ItemsCount;
use stockade::engine::{EngineOptions, Running, Source, StorageOptions, open, start};
use stockade::journal::Wake;
use stockade_protocol::batch::{Create, Terms};
use stockade_protocol::claim::Claim;
use stockade_protocol::hello::Durability;

fn main() {
    divan::main();
}

struct Ring(Sender<()>);

impl Wake for Ring {
    fn wake(&self) {
        // The bench has ended when nobody listens.
        let _ended = self.0.send(());
    }
}

struct Bench {
    running: Running,
    woken: Receiver<()>,
    next: u64,
    _folder: tempfile::TempDir,
}

impl Bench {
    fn new(durability: Durability) -> Self {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder on the disk");
        let options = EngineOptions::new(1, Arc::new(|reason| panic!("{reason}")));
        let storage = StorageOptions {
            folder: folder.path().to_owned(),
            durability,
            segment_bytes: 64 << 20,
            free_space_floor_bytes: 0,
            ballast_bytes: 0,
            checkpoint_dead_bytes: 64 << 20,
            index: false,
            feed_retained_bytes: 0,
        };
        let running = if durability == Durability::Memory {
            start(Source::memory(), options).expect("nothing to read")
        } else {
            open(&storage, options).expect("a fresh folder")
        };
        let (ring, woken) = channel();
        running.engine.journal().set_wake(0, Box::new(Ring(ring)));
        let mut bench = Self { running, woken, next: 0, _folder: folder };
        let terms = Terms { stock: u32::MAX, ..Terms::default() };
        let mut burst = bench.running.engine.burst(0);
        burst.create(&Create::new(1, &terms).expect("fits"));
        let epoch = burst.leave();
        bench.wait(epoch);
        bench
    }

    /// Decides `claims` claims in one burst and waits until they are durable.
    fn commit(&mut self, claims: u64) {
        let mut burst = self.running.engine.burst(0);
        for _ in 0..claims {
            self.next += 1;
            divan::black_box(burst.claim(&Claim::new(1, self.next, 1, 1)));
        }
        let epoch = burst.leave();
        self.wait(epoch);
    }

    fn wait(&mut self, epoch: u64) {
        if !self.running.engine.journal().wait(0, epoch) {
            self.woken.recv().expect("the committer wakes us");
        }
    }
}

fn run(bencher: Bencher<'_, '_>, durability: Durability, claims: u64) {
    let mut bench = Bench::new(durability);
    bencher.counter(ItemsCount::new(claims)).bench_local(|| bench.commit(claims));
}

#[divan::bench(args = [1, 64, 4_096])]
fn memory(bencher: Bencher<'_, '_>, claims: u64) {
    run(bencher, Durability::Memory, claims);
}

#[divan::bench(args = [1, 64, 4_096])]
fn rocksdb_os(bencher: Bencher<'_, '_>, claims: u64) {
    run(bencher, Durability::Os, claims);
}

#[divan::bench(args = [1, 64, 4_096])]
fn rocksdb_fsync(bencher: Bencher<'_, '_>, claims: u64) {
    run(bencher, Durability::Fsync, claims);
}
