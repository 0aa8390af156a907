//! An engine in memory that decides claims as the server would, one burst after the other.

use std::collections::VecDeque;
use std::sync::Arc;
use std::thread::{self, Thread};

use stockade::engine::{Clock, EngineOptions, LookAhead, Running, Source, start};
use stockade::journal::{MemoryStore, Wake};
use stockade_protocol::Status;
use stockade_protocol::batch::{Create, Terms};
use stockade_protocol::claim::{Claim, ClaimReply};
use stockade_protocol::hello::Durability;

/// Claims of one burst: four frames of 64.
const BURST: usize = 256;

/// Buckets of a batch. All claims come by the first, whose share suffices.
const CORES: usize = 2;

/// The time never goes on.
struct Stopped;

impl Clock for Stopped {
    fn now_ms(&self) -> u64 {
        1
    }

    fn running_ms(&self) -> u64 {
        1
    }
}

struct Sleeper(Thread);

impl Wake for Sleeper {
    fn wake(&self) {
        self.0.unpark();
    }
}

/// See the module.
pub(crate) struct Sale {
    running: Running,
}

impl Sale {
    /// Keeps nothing.
    pub(crate) fn memory() -> Self {
        Self::start(Source::memory())
    }

    /// Keeps its groups in `store`, or goes on with those that are there.
    pub(crate) fn stored(store: &MemoryStore) -> Self {
        let (store, durability) = (Box::new(store.clone()), Durability::Fsync);
        Self::start(Source { store, store_id: 1, witnessed: None, ledger: None, durability })
    }

    fn start(source: Source) -> Self {
        let options = EngineOptions::new(CORES, Arc::new(|reason| panic!("{reason}")));
        // Nothing expires here; a thread that looks would only be counted.
        let options = EngineOptions { clock: Box::new(Stopped), expires: false, ..options };
        let running = start(source, options).expect("a journal in order");
        running.engine.journal().set_wake(0, Box::new(Sleeper(thread::current())));
        Self { running }
    }

    /// Creates batches of `stock` units, one unit for each user.
    pub(crate) fn create(&self, ids: impl Iterator<Item = u64>, stock: u32) {
        let terms = Terms { stock, per_user: Some(1), ..Terms::default() };
        let mut burst = self.running.engine.burst(0);
        for id in ids {
            let info = burst.create(&Create::new(id, &terms).expect("an empty name fits"));
            assert_eq!(info.status(), Some(Status::Done));
        }
        self.wait(burst.leave());
    }

    /// Decides all claims, and asserts that every answer is `expected`. At most `bursts` bursts wait to be durable.
    pub(crate) fn decide(&self, claims: &[Claim], bursts: usize, expected: impl Fn(&ClaimReply) -> bool) {
        let (mut waiting, mut retries) = (VecDeque::new(), false);
        for claims in claims.chunks(BURST) {
            let mut burst = self.running.engine.burst(0);
            let (mut ahead, mut as_expected, mut replays) = (LookAhead::new(claims, retries), 0, 0);
            for claim in claims {
                let sight = ahead.next(&mut burst);
                let reply = burst.claim_sighted(claim, &sight);
                as_expected += usize::from(expected(&reply));
                replays += usize::from(reply.is_replayed());
            }
            // As a connection's are looked at (`server/session.rs`).
            retries = replays * 2 > claims.len();
            assert_eq!(as_expected, claims.len(), "answers as the workload expects them");
            waiting.push_back(burst.leave());
            if waiting.len() == bursts {
                self.wait(waiting.pop_front().expect("it is not empty"));
            }
        }
        waiting.into_iter().for_each(|epoch| self.wait(epoch));
    }

    /// Grants that were read from the store.
    pub(crate) fn recovered(&self) -> u64 {
        self.running.report.records
    }

    fn wait(&self, epoch: u64) {
        while !self.running.engine.journal().wait(0, epoch) {
            thread::park();
        }
    }
}
