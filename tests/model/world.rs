//! The engine beside the model: the same questions to both, crashes between any two of them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use stockade::engine::{Burst, Clock, Engine, EngineOptions, Rights, Running, Source, start};
use stockade::journal::{CheckpointStore, Depth, Faults, MemoryStore, take};
use stockade::types::Epoch;
use stockade_protocol::Status;
use stockade_protocol::batch::{AddStock, Withdraw};
use stockade_protocol::claim::{Claim, ClaimReply, RequestKey};
use stockade_protocol::hello::Durability;
use stockade_protocol::reservation::{Extend, Reserve};

use super::books::{Books, Moment};
use super::clock::Clocks;
use super::decide::{Answer, Deed, Key, TTL_S_MAX, Wish};
use super::feed::Listener;
use super::gate::{Gate, GatedStore};
use super::ops::Op;
use super::records::Record;
use super::rng::Rng;

/// Cores that send bursts.
pub(crate) const CORES: usize = 3;
/// Identity of the data.
pub(crate) const STORE_ID: u64 = 0x6d6f_6465;
const GRACE: Duration = Duration::from_secs(2);
/// Offers of the processor to others before the committer must have died.
const PATIENCE: u64 = 1 << 26;

pub(crate) struct World {
    pub(crate) rng: Rng,
    /// Decides when a checkpoint is taken: histories are the same with and without.
    pub(crate) whims: Rng,
    pub(crate) clocks: Clocks,
    pub(crate) running: Running,
    pub(crate) store: MemoryStore,
    pub(crate) gate: Gate,
    /// As bursts see it.
    pub(crate) live: Books,
    /// As a restart would find it.
    pub(crate) kept: Books,
    /// What took effect and is not durable.
    pub(crate) log: VecDeque<(Moment, Record)>,
    pub(crate) durable: Epoch,
    pub(crate) no_lapse_before_ms: u64,
    /// Until then a reservation that is due may wait for what was not durable.
    pub(crate) blocked_until_ms: u64,
    pub(crate) feed: Listener,
    /// How often which status was answered.
    pub(crate) met: BTreeMap<&'static str, u64>,
    pub(crate) told: VecDeque<String>,
    /// Operations that a failure tells.
    told_max: usize,
}

fn engine_on(store: &MemoryStore, clocks: &Clocks) -> Result<(Running, Gate), String> {
    let gate = Gate::default();
    let gated = GatedStore { store: store.clone(), gate: gate.clone() };
    let on_failure = Arc::new(|reason: &str| panic!("the engine stopped: {reason}"));
    let options = EngineOptions {
        users_shards_max: 4,
        ttl_s_max: TTL_S_MAX,
        restart_grace: GRACE,
        expires: false,
        clock: Box::new(clocks.clone()),
        ..EngineOptions::new(CORES, on_failure)
    };
    let (store_id, durability) = (STORE_ID, Durability::Fsync);
    let source = Source { store: Box::new(gated), store_id, witnessed: None, ledger: None, durability };
    let running = start(source, options).map_err(|error| format!("the engine does not start: {error}"))?;
    Ok((running, gate))
}

impl World {
    pub(crate) fn new(seed: u64, now_ms: u64) -> Self {
        let (clocks, store) = (Clocks::at(now_ms), MemoryStore::new(Faults::default()));
        let (running, gate) = engine_on(&store, &clocks).expect("nothing can be wrong with nothing");
        let mut world = Self {
            rng: Rng::new(seed),
            whims: Rng::new(!seed),
            no_lapse_before_ms: clocks.running_ms() + 2_000,
            clocks,
            running,
            store,
            gate,
            live: Books::default(),
            kept: Books::default(),
            log: VecDeque::new(),
            durable: 0,
            blocked_until_ms: 0,
            feed: Listener::default(),
            met: BTreeMap::new(),
            told: VecDeque::new(),
            told_max: std::env::var("STOCKADE_MODEL_TOLD").map_or(14, |told| told.parse().expect("a number")),
        };
        world.look_at_the_clock();
        world
    }

    pub(crate) fn engine(&self) -> Arc<Engine> {
        Arc::clone(&self.running.engine)
    }

    pub(crate) fn say(&mut self, what: String) {
        if self.told.len() == self.told_max {
            self.told.pop_front();
        }
        self.told.push_back(what);
    }

    /// The engine's time, and the model's, after the clock was set.
    pub(crate) fn look_at_the_clock(&mut self) {
        self.live.last_ms = self.live.last_ms.max(self.clocks.now_ms());
        assert_eq!(self.running.engine.now_ms(), self.live.last_ms, "the time never goes back");
    }

    /// Waits until the committer has nothing to do, or stands before the gate; then what became durable counts.
    pub(crate) fn settle(&mut self) {
        let journal = self.running.engine.journal();
        let mut rounds = 0;
        while journal.durable() < journal.newest() && !self.gate.is_held() {
            rounds += 1;
            assert!(rounds < PATIENCE, "a group never became durable");
            thread::yield_now();
        }
        let durable = self.running.engine.journal().durable();
        if durable > self.durable {
            self.durable = durable;
            self.live.durable(durable);
            while self.log.front().is_some_and(|(at, _)| at.epoch <= durable) {
                let (at, record) = self.log.pop_front().expect("there is one");
                self.keep(&at, &record);
            }
        }
    }

    fn keep(&mut self, at: &Moment, record: &Record) {
        self.feed.expect(at, record, &self.kept);
        self.kept.apply(at, record);
        self.kept.durable(Epoch::MAX);
    }

    /// Lets the group become durable that is held up.
    pub(crate) fn let_one_pass(&mut self) {
        if self.gate.is_held() {
            let before = self.running.engine.journal().durable();
            self.gate.let_one_pass();
            let mut rounds = 0;
            while self.running.engine.journal().durable() == before {
                rounds += 1;
                assert!(rounds < PATIENCE, "a group never became durable");
                thread::yield_now();
            }
        }
        self.settle();
    }

    pub(crate) fn moment(&self, burst: &Burst<'_>, core: usize) -> Moment {
        let running_ms = self.clocks.running_ms();
        Moment {
            core,
            epoch: burst.epoch(),
            durable: self.durable,
            now_ms: burst.now_ms(),
            running_ms,
            may_lapse: running_ms >= self.no_lapse_before_ms,
        }
    }

    /// One burst of `core`, of these operations.
    pub(crate) fn burst(
        &mut self,
        core: usize,
        count: u64,
        next: &mut dyn FnMut(&mut Rng, &Books, u64) -> Op,
    ) -> Result<(), String> {
        let engine = self.engine();
        let mut burst = engine.burst(core);
        let at = self.moment(&burst, core);
        if at.now_ms != self.live.last_ms {
            return Err(format!("the burst is at {}, expected {}", at.now_ms, self.live.last_ms));
        }
        for _ in 0..count {
            let op = next(&mut self.rng, &self.live, at.now_ms);
            self.ask(&mut burst, &at, &op)?;
        }
        let waits_for = burst.leave();
        let newest = self.log.iter().map(|(at, _)| at.epoch).max().unwrap_or(0);
        if waits_for < newest {
            return Err(format!("an answer waits for epoch {waits_for}, and has seen what epoch {newest} did"));
        }
        self.settle();
        Ok(())
    }

    /// One question, and whether its answer is right.
    pub(crate) fn ask(&mut self, burst: &mut Burst<'_>, at: &Moment, op: &Op) -> Result<(), String> {
        self.say(format!("core {} epoch {} durable {}: {}", at.core, at.epoch, at.durable, op.tell()));
        self.put(burst, at, op)
    }

    /// The same, untold.
    pub(crate) fn put(&mut self, burst: &mut Burst<'_>, at: &Moment, op: &Op) -> Result<(), String> {
        let (books, mut records) = (&self.live, Vec::new());
        let status = match op {
            Op::Create(create) => {
                let info = burst.create(create);
                records.extend(books.judge_create(at, create, &info)?);
                info.status()
            }
            Op::Edit(edit) => {
                let info = burst.edit(edit);
                records.extend(books.judge_edit(at, edit, &info)?);
                info.status()
            }
            Op::Show(batch) => {
                let info = burst.show(*batch);
                books.judge_show(at, *batch, &info)?;
                info.status()
            }
            Op::Change(batch, action) => {
                let info = burst.change(*batch, *action);
                records.extend(books.judge_change(at, *batch, *action, &info)?);
                info.status()
            }
            Op::Supply(batch, request, units, adds) => {
                let info = if *adds {
                    burst.add_stock(&AddStock::new(*batch, *request, *units))
                } else {
                    burst.withdraw(&Withdraw::new(*batch, *request, *units))
                };
                records.extend(books.judge_supply(at, *batch, (*request, *units, *adds), &info)?);
                info.status()
            }
            Op::Take(wish) => {
                let reply = taken(burst, wish);
                let key = Key { batch: wish.batch, user: wish.user, request: wish.request };
                records = books.judge_take(at, wish, &whole(burst, &key, reply))?;
                reply.status()
            }
            Op::Deed(key, deed) => {
                let named = named(key);
                let reply = match deed {
                    Deed::Confirm => burst.confirm(&named),
                    Deed::Cancel => burst.cancel(&named),
                    Deed::Extend(ttl_s) => burst.extend(&Extend::new(key.batch, key.user, key.request, *ttl_s)),
                };
                records = books.judge_deed(at, key, *deed, &whole(burst, key, reply))?;
                reply.status()
            }
            Op::Lookup(key) => {
                let reply = burst.lookup(&named(key));
                books.judge_lookup(key, &whole(burst, key, reply))?;
                reply.status()
            }
            Op::Coupon(change, operator) => {
                let rights = if *operator { Rights::Operator } else { Rights::Gateway };
                let reply = burst.change_coupon(change, rights);
                records.extend(books.judge_coupon(at, change, *operator, &reply)?);
                reply.status()
            }
        };
        *self.met.entry(status.expect("a status that there is").name()).or_default() += 1;
        for record in records {
            self.live.apply(at, &record);
            self.log.push_back((*at, record));
        }
        Ok(())
    }

    /// A checkpoint of all that is durable, unless something is under way: its installation would make it durable too.
    pub(crate) fn checkpoint(&mut self) -> Result<(), String> {
        self.settle();
        if self.gate.is_held() || self.store.unsynced_bytes() > 0 {
            return Ok(());
        }
        let (durable, usage) = (self.running.engine.journal().durable(), self.running.engine.usage());
        let depth = self.whims.pick(&[Depth::Recent, Depth::Recent, Depth::Whole]);
        let taken = take(&self.store, STORE_ID, (durable, depth), usage, &|_, _| true);
        let Some(taken) = taken.map_err(|error| format!("a checkpoint: {error:?}"))? else { return Ok(()) };
        if self.whims.chance(50) {
            self.store.clear(&taken.head.generations(), taken.head.replaced.epoch).expect("memory does not fail");
        }
        self.say(format!("checkpoint {} through epoch {durable}, {depth:?}", taken.head.generation));
        Ok(())
    }

    /// The power goes; a new engine goes on with what the disk has.
    pub(crate) fn crash(&mut self) -> Result<(), String> {
        let unsynced = self.store.unsynced_bytes();
        let survives = self.rng.chance(40);
        let lost = if survives || unsynced == 0 { 0 } else { 1 + self.rng.index(unsynced) };
        let store = self.store.after_power_loss(unsynced - lost);
        let through = if unsynced > 0 && lost == 0 { self.durable + 1 } else { self.durable };
        self.say(format!("crash: {lost} of {unsynced} bytes lost, through epoch {through}"));
        while self.log.front().is_some_and(|(at, _)| at.epoch <= through) {
            let (at, record) = self.log.pop_front().expect("there is one");
            self.keep(&at, &record);
        }
        self.log.clear();
        self.gate.open();
        let (running, gate) = engine_on(&store, &self.clocks)?;
        (self.running, self.store, self.gate) = (running, store, gate);
        self.kept.restart(self.clocks.now_ms(), self.clocks.running_ms());
        let before_ms = self.live.last_ms.max(self.clocks.now_ms());
        self.live = self.kept.clone();
        self.no_lapse_before_ms = self.clocks.running_ms() + 2_000;
        self.durable = self.running.engine.journal().durable();
        let (now_ms, least_ms) = (self.running.engine.now_ms(), self.live.last_ms.max(self.clocks.now_ms()));
        // What the sweep recorded, which the model does not, is later.
        if !(least_ms..=before_ms).contains(&now_ms) {
            return Err(format!("after the restart it is {now_ms}, expected {least_ms} to {before_ms}"));
        }
        self.live.last_ms = now_ms;
        Ok(())
    }
}

fn named(key: &Key) -> RequestKey {
    RequestKey::new(key.batch, key.user, key.request)
}

fn taken(burst: &mut Burst<'_>, wish: &Wish) -> ClaimReply {
    let Wish { batch, user, request, audience, asked, ttl_s } = *wish;
    if asked.reserves {
        let reserve = Reserve::new(batch, user, request, asked.quantity, ttl_s).with_audience(audience);
        burst.reserve(&if asked.up_to { reserve.up_to() } else { reserve })
    } else {
        let claim = Claim::new(batch, user, request, asked.quantity).with_audience(audience);
        burst.claim(&if asked.up_to { claim.up_to() } else { claim })
    }
}

/// A reply with all serials of the request.
pub(crate) fn whole(burst: &mut Burst<'_>, key: &Key, reply: ClaimReply) -> Answer {
    let has_units = matches!(reply.status(), Some(Status::Granted | Status::Reserved));
    let serials = has_units.then(|| burst.serials(&named(key))).and_then(Result::ok);
    let runs = serials.map(|runs| runs.iter().map(|run| (run.first, run.count)).collect());
    Answer { reply, runs: runs.unwrap_or_default() }
}
