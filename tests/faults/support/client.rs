//! A client thread: bursts of requests on a core of its own, several in flight, answers sent when they may leave.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use stockade::engine::Engine;
use stockade_protocol::batch::Action;

use super::board::Board;
use super::clock::ManualClock;
use super::crowd::{BATCHES, DAWN_MS, operation, shopping, terms};
use super::power::Power;
use super::rng::Rng;
use super::trade::{Known, Request, Trade, answer};

/// Whether an answer may be sent, given the journal's word that all it depends on is durable.
pub(crate) type Rule = fn(&Trade, bool) -> bool;

/// Who operates on the batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operators {
    /// One client for each batch.
    One,
    /// All clients, in each other's way.
    All,
}

/// What all clients of one life share.
pub(crate) struct Life<'a> {
    pub(crate) seed: u64,
    pub(crate) engine: &'a Engine,
    pub(crate) power: &'a Power,
    pub(crate) board: &'a Board,
    pub(crate) clock: &'a ManualClock,
    pub(crate) rule: Rule,
    pub(crate) operators: Operators,
    /// Bursts of each client.
    pub(crate) bursts: usize,
    /// Clients that still work.
    pub(crate) at_work: AtomicUsize,
}

/// What a client remembers.
#[derive(Default)]
pub(crate) struct Memory {
    /// Answered.
    pub(crate) sent: Vec<Trade>,
    /// Decided and never answered.
    pub(crate) unsent: Vec<Trade>,
}

/// Works on `core` until the power goes or all bursts are answered. The last client to finish turns the power off.
pub(crate) fn work(life: &Life<'_>, core: usize, rng: &mut Rng) -> Memory {
    let mut memory = Memory::default();
    let mut flight: VecDeque<Vec<Trade>> = VecDeque::new();
    let window = 1 + rng.below(5);
    let mut bursts = 0;
    while !life.power.is_off() && (bursts < life.bursts || !flight.is_empty()) {
        if bursts < life.bursts && flight.len() < usize::try_from(window).expect("few") {
            flight.push_back(burst(life, core, rng, bursts == 0));
            bursts += 1;
        }
        while flight.front_mut().is_some_and(|trades| send(life, core, trades, &mut memory.sent)) {
            flight.pop_front();
        }
        if rng.chance(50) {
            thread::yield_now();
        }
    }
    memory.unsent = flight.into_iter().flatten().collect();
    if life.at_work.fetch_sub(1, Ordering::SeqCst) == 1 {
        life.power.turn_off();
    }
    memory
}

/// Sends what may leave. True when nothing is left.
fn send(life: &Life<'_>, core: usize, trades: &mut Vec<Trade>, sent: &mut Vec<Trade>) -> bool {
    life.power.send(|| {
        let before = sent.len();
        // Asked once: the answers of a burst leave together.
        let may_leave = trades.first().is_some_and(|trade| life.engine.journal().may_leave(trade.epoch));
        trades.retain(|trade| {
            let leaves = (life.rule)(trade, may_leave);
            if leaves {
                let only_operator = life.operators == Operators::One && operates(life, core, trade.request.batch());
                life.board.tell(trade, only_operator);
                sent.push(trade.clone());
            }
            !leaves
        });
        sent.len() > before
    });
    trades.is_empty()
}

fn operates(life: &Life<'_>, core: usize, batch: u64) -> bool {
    let cores = life.engine.cores() as u64;
    life.operators == Operators::All || batch % cores == core as u64
}

/// Decides a few requests. Operators begin with the creation of their batches.
fn burst(life: &Life<'_>, core: usize, rng: &mut Rng, first: bool) -> Vec<Trade> {
    life.clock.set(DAWN_MS + rng.below(20) + life.engine.now_ms().saturating_sub(DAWN_MS + 12));
    let create = |batch: &u64| Request::Create(*batch, terms(life.seed, *batch));
    let creations = BATCHES.iter().filter(|batch| first && operates(life, core, **batch)).map(create);
    let mut last = None;
    let requests = (0..=rng.below(6)).map(|_| {
        let batch = BATCHES[usize::try_from(rng.below(4)).expect("one of four")];
        let operate = rng.chance(20) && operates(life, core, batch);
        let request = if operate { operation(rng, life.seed, batch) } else { shopping(rng, last) };
        last = request.key();
        request
    });
    let requests = creations.chain(requests);
    let asked = requests.map(|request| (life.board.before(&request), request)).collect::<Vec<_>>();
    let mut burst = life.engine.burst(core);
    let now_ms = burst.now_ms();
    let mut decide = |(known, request): (Known, Request)| {
        if let Request::Change(batch, Action::Activate | Action::Resume) = &request {
            life.board.may_permit(*batch);
        }
        let answer = answer(&mut burst, &request);
        Trade { request, answer, known, now_ms, epoch: 0 }
    };
    let mut trades = asked.into_iter().map(&mut decide).collect::<Vec<_>>();
    // A core that is interrupted in the middle of a burst.
    (0..rng.below(3)).for_each(|_| thread::yield_now());
    trades.iter_mut().for_each(|trade| life.board.settle(trade));
    let epoch = burst.leave();
    trades.iter_mut().for_each(|trade| trade.epoch = epoch);
    trades
}
