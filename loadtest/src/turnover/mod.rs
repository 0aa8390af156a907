//! Batches that come and go while the load goes on: creates those of the next rounds ahead of need, and adds up, ends
//! and closes those of the rounds that are over. What is known of a claim is forgotten with its batch.
//!
//! Rounds that are over by the same time are finished together, a few questions for all of them: so the control
//! connection keeps up with rounds that are shorter than an answer takes.

pub mod ahead;
pub mod supply;

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};

use serde::Serialize;
use stockade_protocol::batch::{Action, State};

use crate::load::connection::{Connection, Record};
use crate::load::population::Population;
use crate::load::rounds::{Gate, Rounds, Share, ShareSender};
use crate::plan::Plan;
use crate::proof::holdings::Holdings;
use crate::proof::limit_check::users_over_limit;
use crate::proof::serial_check::Given;
use crate::proof::user_limits::UserLimits;
use crate::proof::verdict::{BatchVerdict, Mode, Verification};
use crate::proof::verify::{look_up_grants, resolve_unanswered};
use crate::time::{real, whole};
use crate::view::progress::Progress;
use crate::wire::batches::{BatchError, Shown, change, create};
use crate::wire::control::Control;

/// Looks after the batches of a run in which they come and go.
#[derive(Debug)]
pub struct Keeper {
    plan: Plan,
    population: Arc<Population>,
    control: Control,
    gate: Arc<Gate>,
    sender: ShareSender,
    shares: Receiver<Option<Share>>,
    /// Rounds whose batches exist and are not closed; the first one is round `finished`.
    rounds: VecDeque<Round>,
    finished: u64,
    verification: Verification,
    batches_turned: u64,
}

/// A round that is not over.
#[derive(Debug)]
struct Round {
    /// Its batches as they were created.
    before: Vec<Shown>,
    /// What the connections handed over.
    shares: Vec<Share>,
}

/// What the report says of batches that came and went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Turnover {
    /// Batches that were added up and closed while the load went on.
    pub batches_turned: u64,
    /// Those and the ones that were closed after it: all that the run created.
    pub batches_closed: u64,
    /// How often a connection had a frame to send before its batches existed.
    pub waits: u64,
}

impl Keeper {
    /// Creates the first batches of `plan`. `control` is a connection of its own.
    ///
    /// # Errors
    /// When the server does not answer or refuses.
    pub fn new(plan: &Plan, population: Arc<Population>, control: Control) -> Result<Self, BatchError> {
        let (sender, shares) = channel();
        let mut keeper = Self {
            plan: plan.clone(),
            population,
            control,
            gate: Arc::new(Gate::default()),
            sender,
            shares,
            rounds: VecDeque::new(),
            finished: 0,
            verification: Verification::default(),
            batches_turned: 0,
        };
        keeper.open_more()?;
        Ok(keeper)
    }

    /// The rounds of connection `number`, each of so many slots.
    #[must_use]
    pub fn rounds(&self, number: u32, slots: u64) -> Rounds {
        Rounds::new(number, slots, self.plan.batches, Arc::clone(&self.gate), self.sender.clone())
    }

    /// What says which rounds may be claimed from.
    #[must_use]
    pub fn gate(&self) -> Arc<Gate> {
        Arc::clone(&self.gate)
    }

    /// Where to say, with `None`, that the load is over.
    #[must_use]
    pub fn sender(&self) -> ShareSender {
        self.sender.clone()
    }

    /// Keeps batches coming and going until it is told that the load is over.
    ///
    /// # Errors
    /// When the server does not answer or refuses; the gate is shut then.
    pub fn keep(mut self, progress: &Progress) -> Result<Self, BatchError> {
        let gate = Arc::clone(&self.gate);
        let kept = self.turn_until_over(progress);
        if kept.is_err() {
            gate.shut();
        }
        kept.map(|()| self)
    }

    fn turn_until_over(&mut self, progress: &Progress) -> Result<(), BatchError> {
        while let Ok(Some(share)) = self.shares.recv() {
            self.enter(share);
            let mut is_over = false;
            while let Ok(next) = self.shares.try_recv() {
                match next {
                    Some(share) => self.enter(share),
                    None => is_over = true,
                }
            }
            let connections = self.plan.connections as usize;
            let over = self.rounds.iter().take_while(|round| round.shares.len() == connections).count();
            if over > 0 && !is_over {
                self.finish(over, progress)?;
                self.batches_turned += over as u64 * u64::from(self.plan.batches);
                self.open_more()?;
            }
            if is_over {
                break;
            }
        }
        Ok(())
    }

    fn enter(&mut self, share: Share) {
        let place = usize::try_from(share.round - self.finished).expect("a round that is open");
        self.rounds[place].shares.push(share);
    }

    /// Creates batches until there are enough ahead, and opens their rounds.
    fn open_more(&mut self) -> Result<(), BatchError> {
        let open = self.finished + self.rounds.len() as u64;
        let until = self.plan.rounds_max().min(self.finished + ahead::rounds(&self.plan));
        if open >= until {
            return Ok(());
        }
        let ids = self.ids(open..until);
        let created = create(&mut self.control, &self.plan, ids)?;
        let is_new = |batch: &Shown| batch.granted == 0 && batch.state == Some(State::Active);
        if let Some(used) = created.iter().find(|batch| !is_new(batch)) {
            return Err(BatchError::Used { batch: used.id });
        }
        for before in created.chunks(self.plan.batches as usize) {
            self.rounds.push_back(Round { before: before.to_vec(), shares: Vec::new() });
        }
        self.gate.open_until(until);
        Ok(())
    }

    fn ids(&self, rounds: Range<u64>) -> Range<u64> {
        let first = self.population.batch_id(0);
        let id = |round: u64| first + round * u64::from(self.plan.batches);
        id(rounds.start)..id(rounds.end)
    }

    /// Ends, adds up and closes the batches of the first `count` rounds, and forgets them.
    fn finish(&mut self, count: usize, progress: &Progress) -> Result<(), BatchError> {
        let ids = self.ids(self.finished..self.finished + count as u64);
        let first_index = u32::try_from(self.finished * u64::from(self.plan.batches)).expect("the plan bounds them");
        let rounds = self.rounds.drain(..count).collect::<Vec<_>>();
        self.finished += count as u64;
        let before = rounds.iter().flat_map(|round| round.before.iter().copied()).collect::<Vec<_>>();
        let sold_out = rounds.iter().flat_map(|round| self.sold_out(round)).collect::<Vec<_>>();
        let shares = rounds.into_iter().flat_map(|round| round.shares).collect::<Vec<_>>();
        let holdings = Holdings::of_shares(&shares);
        let verification = &mut self.verification;
        let wanted = wanted(&self.plan, holdings.grants(), verification.looked_up);
        look_up_grants(&mut self.control, &holdings, &self.population, wanted, verification, progress)?;
        let limits = UserLimits::Same(self.plan.per_user.unwrap_or(0));
        verification.over_limit += users_over_limit(&holdings, &self.population, &limits);
        let ended = change(&mut self.control, ids.clone(), Action::End)?;
        let given = Given::new(&holdings, &self.population, &ended, first_index);
        verification.granted += holdings.grants();
        verification.duplicate_serials += given.duplicates;
        let closed = change(&mut self.control, ids, Action::Close)?;
        for (place, (before, (ended, closed))) in before.iter().zip(ended.iter().zip(&closed)).enumerate() {
            let beyond = given.beyond.get(&place).copied().unwrap_or(0);
            let verdict = BatchVerdict::new(before, closed, given.grants[place].into(), beyond, sold_out[place]);
            let is_as_ended = Shown { state: Some(State::Closed), ..*ended } == *closed;
            verification.changed_by_closing += u64::from(ended.state != Some(State::Ended) || !is_as_ended);
            verification.add(verdict);
        }
        Ok(())
    }

    /// By place of the batch: whether a claim of this round was refused as sold out.
    fn sold_out(&self, round: &Round) -> Vec<bool> {
        let is_sold_out =
            |place| round.shares.iter().any(|share| share.sold_out.get(place).is_some_and(|is_sold_out| *is_sold_out));
        (0..self.plan.batches as usize).map(is_sold_out).collect()
    }

    /// The load is over: finishes every round that was opened, with what is left on the connections. The result, and
    /// what the report says of the batches.
    ///
    /// # Errors
    /// When the server no longer answers: nothing is proved then.
    pub fn conclude(
        mut self,
        mut connections: Vec<Connection>,
        record: &mut Record,
        progress: &Progress,
    ) -> Result<(Verification, Turnover), BatchError> {
        let books = &mut record.books;
        let (control, population) = (&mut self.control, Arc::clone(&self.population));
        resolve_unanswered(control, &population, &mut connections, books, &mut self.verification)?;
        while let Ok(message) = self.shares.try_recv() {
            message.into_iter().for_each(|share| self.enter(share));
        }
        for connection in &mut connections {
            connection.rest().into_iter().for_each(|share| self.enter(share));
        }
        self.finish(self.rounds.len(), progress)?;
        let mut verification = self.verification;
        let is_complete = verification.looked_up == verification.granted;
        verification.mode = if is_complete { Mode::Complete } else { Mode::Sampled };
        verification.take_books(books);
        verification.conclude();
        let turnover = Turnover {
            batches_turned: self.batches_turned,
            batches_closed: verification.batch_count,
            waits: record.tally.batch_waits,
        };
        Ok((verification, turnover))
    }
}

/// How many of `grants` to look up before their batches are closed: such a share that the sample lasts for the run, or
/// one in sixteen if nobody knows how long that is.
fn wanted(plan: &Plan, grants: u64, looked_up: u64) -> u64 {
    let share = plan.claims.map_or(1.0 / 16.0, |claims| real(plan.sample) / real(claims));
    let wanted = whole((real(grants) * share).ceil());
    wanted.min(grants).min(plan.sample.saturating_sub(looked_up))
}
