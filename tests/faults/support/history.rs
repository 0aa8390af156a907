//! A history: several lives of one machine, each ended by a loss of power, the last one in peace, with an audit at
//! every restart.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use stockade::engine::{Engine, start};
use stockade::journal::{CheckpointStore, Depth, Faults, Head, Mark, MemoryStore, Reader, take};
use stockade_protocol::Status;
use stockade_protocol::batch::BatchInfo;

use super::audit::objection;
use super::board::Board;
use super::books::{Account, Books};
use super::client::{Life, Memory, Operators, Rule, work};
use super::clock::ManualClock;
use super::crowd::{BATCHES, DAWN_MS, WINDOWED};
use super::holders::Holders;
use super::inspection::{code, differences, retry};
use super::power::{Cut, Disk, Left, Power};
use super::rng::Rng;
use super::shop::{STORE_ID, answered, options, source};
use super::trade::{Answer, Trade};

/// Losses of power in one history.
pub(crate) const CRASHES: u64 = 3;

/// What happened in some histories.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Claims and look-ups answered, by status.
    pub(crate) sent: HashMap<Status, u64>,
    /// Requests that were decided and never answered.
    pub(crate) unanswered: u64,
    /// Losses of power that took written bytes with them.
    pub(crate) losses: u64,
    /// Losses of power after which bytes that were not synced were there.
    pub(crate) lucky: u64,
    /// Grants of several runs.
    pub(crate) split: u64,
    /// Checkpoints that were installed.
    pub(crate) checkpoints: u64,
    /// Restarts from a checkpoint that left claims out.
    pub(crate) condensed: u64,
    /// Losses of power between a draft's end and its installation.
    pub(crate) cut_drafts: u64,
}

/// One machine and what is known about it from outside.
struct Machine<'a> {
    seed: u64,
    rng: Rng,
    rule: Rule,
    operators: Operators,
    board: Board,
    holders: Holders,
    tally: &'a mut Tally,
    violations: Vec<String>,
}

/// How a life ended.
struct End {
    left: Left,
    memories: Vec<Memory>,
    /// The batches as the engine last showed them, where it ended in peace.
    last_shown: Vec<BatchInfo>,
}

/// Runs the history of a seed. Returns every violation that the audits found.
pub(crate) fn run(seed: u64, rule: Rule, tally: &mut Tally) -> Vec<String> {
    let mut rng = Rng::new(seed);
    let operators = if rng.chance(70) { Operators::One } else { Operators::All };
    let (board, holders, violations) = (Board::default(), Holders::default(), Vec::new());
    let mut machine = Machine { seed, rng, rule, operators, board, holders, tally, violations };
    let (mut disk, mut witnessed) = (MemoryStore::new(Faults::default()), None);
    for life in 0..=CRASHES {
        let end = machine.live(&disk, witnessed, life == CRASHES);
        machine.audit(&end);
        if !machine.violations.is_empty() {
            break;
        }
        (disk, witnessed) = (end.left.disk, end.left.witnessed);
    }
    let operators = machine.operators;
    machine.violations.iter().map(|what| format!("seed {seed}, operators {operators:?}: {what}")).collect()
}

impl Machine<'_> {
    fn live(&mut self, disk: &MemoryStore, witnessed: Option<Mark>, in_peace: bool) -> End {
        // The journal writes at odd calls and syncs at even ones.
        let cut = match self.rng.below(4) {
            _ if in_peace => Cut::Sent(u64::MAX),
            0 => Cut::Before(1 + self.rng.below(50)),
            1 => Cut::After(1 + self.rng.below(50)),
            2 => Cut::After(1 + 2 * self.rng.below(25)),
            _ => Cut::Sent(1 + self.rng.below(100)),
        };
        let cores = 1 + usize::try_from(self.rng.below(4)).expect("few");
        let power = Power::new(disk.clone(), cut, self.rng.any());
        let clock = ManualClock::at(DAWN_MS);
        let options = options(cores, clock.clone());
        let running = start(source(Power::disk(&power), witnessed), options).expect("a journal that was audited");
        let life = Life {
            seed: self.seed,
            engine: &running.engine,
            power: &power,
            board: &self.board,
            clock: &clock,
            rule: self.rule,
            operators: self.operators,
            bursts: 60 / cores,
            at_work: AtomicUsize::new(cores),
        };
        let mut whim = Rng::new(self.rng.any());
        let mut rngs = (0..cores).map(|_| Rng::new(self.rng.any())).collect::<Vec<_>>();
        let memories = thread::scope(|scope| {
            let clients = rngs.iter_mut().enumerate().map(|(core, rng)| {
                let life = &life;
                scope.spawn(move || work(life, core, rng))
            });
            let clients = clients.collect::<Vec<_>>();
            let checkpoints = scope.spawn(|| checkpoints(&life, &Power::disk(&power), &mut whim));
            let memories = clients.into_iter().map(|client| client.join().expect("a client does not panic")).collect();
            self.tally.checkpoints += checkpoints.join().expect("it does not panic");
            memories
        });
        let last_shown = if in_peace { shown(&running.engine) } else { Vec::new() };
        End { left: power.left(), memories, last_shown }
    }

    /// Holds what was sent against what is left, and starts an engine on it.
    fn audit(&mut self, end: &End) {
        let Left { disk, witnessed, .. } = &end.left;
        let books = Books::read(disk);
        self.violations.extend(books.violations.iter().cloned());
        self.count(end);
        let sent = end.memories.iter().flat_map(|memory| &memory.sent);
        for trade in sent {
            self.violations.extend(objection(&books, trade));
            self.violations.extend(self.holders.told(trade));
        }
        self.answered_before(&books);
        if self.operators == Operators::One {
            self.violations.extend(BATCHES.iter().filter_map(|batch| wrong_state(&books, &end.memories, *batch)));
        }
        self.violations.extend(end.last_shown.iter().filter_map(|info| forgotten(&books, info)));

        let cores = 1 + usize::try_from(self.rng.below(4)).expect("few");
        let running = match start(source(disk.clone(), *witnessed), options(cores, ManualClock::at(DAWN_MS))) {
            Ok(running) => running,
            Err(error) => return self.violations.push(format!("it does not start again: {error}")),
        };
        let grants = books.batches.values().map(|account| account.grants.len() as u64).sum::<u64>();
        self.tally.condensed += u64::from(running.report.records < grants);
        self.violations.extend(differences(&running.engine, &books));
        let unsent = end.memories.iter().flat_map(|memory| &memory.unsent);
        let unsent = unsent.map(|trade| Trade { known: self.board.before(&trade.request), ..trade.clone() });
        let unsent = unsent.collect::<Vec<_>>();
        let (copies, wrong) = retry(&running.engine, &books, &unsent);
        self.violations.extend(wrong);
        drop(running);
        let books = Books::read(disk);
        self.violations.extend(books.violations.iter().cloned());
        for trade in &copies {
            self.violations.extend(objection(&books, trade));
            self.violations.extend(self.holders.told(trade));
            self.board.tell(trade, false);
        }
        self.answered_before(&books);
    }

    /// Every grant that was ever told is in the books.
    fn answered_before(&mut self, books: &Books) {
        for ((batch, user, request), runs) in &self.holders.granted {
            let account = books.batches.get(batch);
            let entry = account.and_then(|account| account.grants.get(&(*user, *request)));
            if !entry.is_some_and(|entry| entry.runs.starts_with(runs)) {
                let what = format!("batch {batch}: {user} / {request} was told {runs:?}, the journal has {entry:?}");
                self.violations.push(what);
            }
        }
    }

    fn count(&mut self, end: &End) {
        for memory in &end.memories {
            self.tally.unanswered += memory.unsent.len() as u64;
            for trade in &memory.sent {
                if let Answer::Claim(reply, _) = &trade.answer {
                    *self.tally.sent.entry(reply.status().expect("a known status")).or_default() += 1;
                    self.tally.split += u64::from(reply.is_split());
                }
            }
        }
        let disk = &end.left.disk;
        let head = disk.head().expect("memory can be read").map(|head| Head::decode(&head).expect("a whole head"));
        let last = disk.last_generation().expect("memory can be read");
        self.tally.cut_drafts += u64::from(last > head.map_or(0, |head| head.generation));
        self.tally.losses += u64::from(end.left.lost_bytes > 0);
        self.tally.lucky += u64::from(end.left.lucky_bytes > 0);
    }
}

/// Takes a checkpoint every few epochs while clients are at work and the power is on. Returns how many were installed.
fn checkpoints(life: &Life<'_>, disk: &Disk, rng: &mut Rng) -> u64 {
    let (usage, journal) = (life.engine.usage(), life.engine.journal());
    let (mut installed, mut next) = (0, journal.durable() + rng.below(10));
    while life.at_work.load(Ordering::SeqCst) > 0 && !life.power.is_off() {
        if journal.durable() < next {
            thread::yield_now();
            continue;
        }
        next = journal.durable() + 1 + rng.below(20);
        let depth = if rng.chance(30) { Depth::Whole } else { Depth::Recent };
        let taken = take(disk, STORE_ID, (journal.durable(), depth), usage, &|_, _| !life.power.is_off());
        if let Some(taken) = taken.expect("the store does not fail") {
            installed += 1;
            disk.clear(&taken.head.generations(), taken.head.replaced.epoch).expect("the store does not fail");
        }
    }
    installed
}

fn shown(engine: &Engine) -> Vec<BatchInfo> {
    answered(engine, 0, |burst| BATCHES.iter().map(|batch| burst.show(*batch)).collect())
}

/// The books hold a batch otherwise than the engine showed it when everything was durable.
fn forgotten(books: &Books, info: &BatchInfo) -> Option<String> {
    let batch = info.batch.get();
    let account = books.batches.get(&batch)?;
    let same_state = batch == WINDOWED || info.state().map(code) == Some(account.state());
    let numbers = (u64::from(info.total.get()), u64::from(info.granted.get()));
    let same = same_state && numbers == (account.total(), account.granted());
    (!same).then(|| format!("batch {batch} was {info:?}, the journal has {:?} and {numbers:?}", account.state()))
}

/// With one operator, a batch is in the state that was told last, or in one decided and not told since.
fn wrong_state(books: &Books, memories: &[Memory], batch: u64) -> Option<String> {
    let operator = usize::try_from(batch).expect("few") % memories.len();
    let about = |trade: &&Trade| trade.request.batch() == batch;
    let state = |trade: &Trade| match &trade.answer {
        Answer::Batch(info) => info.state().map(code),
        Answer::Claim(..) => None,
    };
    let memory = memories.get(operator)?;
    let last_told = memory.sent.iter().filter(about).filter_map(state).next_back()?;
    let mut possible = memory.unsent.iter().filter(about).filter_map(state).chain([last_told]);
    let now = books.batches.get(&batch).map(Account::state)?;
    let wrong = batch != WINDOWED && !possible.any(|state| state == now);
    wrong.then(|| format!("batch {batch} is {now:?}, but its operator was told {last_told:?}"))
}
