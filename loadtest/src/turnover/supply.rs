//! The batches of a run, whichever way they are supplied: they stay, or they come and go.

use std::sync::Arc;
use std::thread;

use crate::load::connection::Connection;
use crate::load::population::Population;
use crate::load::rounds::Gate;
use crate::load::tally::Period;
use crate::plan::Plan;
use crate::proof::books::Books;
use crate::proof::user_limits::UserLimits;
use crate::proof::verdict::Verification;
use crate::proof::verify::{Aftermath, Evidence, verify};
use crate::turnover::{Keeper, Turnover};
use crate::view::progress::Progress;
use crate::wire::batches::{BatchError, Shown, first_id, prepare};
use crate::wire::control::Control;

/// The batches of a run.
#[derive(Debug)]
pub enum Supply {
    /// They were there before the load and are there after it.
    Staying {
        /// As they were before.
        before: Vec<Shown>,
        /// For the questions at the end.
        control: Control,
    },
    /// They come and go.
    Turning(Box<Keeper>),
}

impl Supply {
    /// Creates the batches of `plan`, or the first ones, and the crowd that claims from them. Ids that nobody used
    /// follow from `run`.
    ///
    /// # Errors
    /// When the server does not answer or refuses.
    pub fn new(plan: &Plan, run: u64, mut control: Control) -> Result<(Self, Arc<Population>), BatchError> {
        let population = Arc::new(Population::new(plan, run, first_id(plan, run)));
        let supply = if plan.turnover.is_some() {
            Supply::Turning(Box::new(Keeper::new(plan, Arc::clone(&population), control)?))
        } else {
            Supply::Staying { before: prepare(&mut control, plan, run)?, control }
        };
        Ok((supply, population))
    }

    /// Connection `number` of `plan`'s, which claims from these batches.
    #[must_use]
    pub fn connection(&self, number: u32, plan: &Plan, population: &Arc<Population>, period: Period) -> Connection {
        let connection = Connection::new(number, plan, Arc::clone(population), period);
        match (self, plan.round_slots()) {
            (Supply::Turning(keeper), Some(slots)) => connection.in_rounds(keeper.rounds(number, slots)),
            (Supply::Turning(_) | Supply::Staying { .. }, _) => connection,
        }
    }

    /// Empty books for these batches.
    #[must_use]
    pub fn books(&self, plan: &Plan) -> Books {
        match self {
            Supply::Staying { before, .. } => {
                Books::new(UserLimits::new(before), before.len()).with_day_limits(UserLimits::of_a_day(before))
            }
            Supply::Turning(_) => {
                let of_a_day = UserLimits::Same(plan.rules.per_user_day.unwrap_or(0));
                Books::new(UserLimits::Same(plan.per_user.unwrap_or(0)), 0).with_day_limits(of_a_day)
            }
        }
    }

    /// What the workers have to wait for, where batches come and go.
    #[must_use]
    pub fn gate(&self) -> Option<Arc<Gate>> {
        match self {
            Supply::Staying { .. } => None,
            Supply::Turning(keeper) => Some(keeper.gate()),
        }
    }

    /// Does `work`, and keeps batches coming and going meanwhile if they do.
    ///
    /// # Errors
    /// When the server does not answer about batches, or refuses.
    pub fn during<T>(self, progress: &Progress, work: impl FnOnce() -> T) -> (T, Result<Self, BatchError>) {
        let Supply::Turning(keeper) = self else { return (work(), Ok(self)) };
        thread::scope(|scope| {
            let over = keeper.sender();
            let keeping = scope.spawn(move || keeper.keep(progress));
            let result = work();
            // It may have ended before, with an error.
            let _ = over.send(None);
            let kept = keeping.join().expect("a panic aborts the program");
            (result, kept.map(|keeper| Supply::Turning(Box::new(keeper))))
        })
    }

    /// Checks everything when the load is over.
    ///
    /// # Errors
    /// When the server no longer answers: nothing is proved then.
    pub fn verify(
        self,
        plan: &Plan,
        population: &Population,
        mut aftermath: Aftermath,
        progress: &Progress,
    ) -> Result<(Verification, Option<Turnover>), BatchError> {
        match self {
            Supply::Turning(keeper) => {
                let (verification, turnover) =
                    keeper.conclude(aftermath.connections, &mut aftermath.record, progress)?;
                Ok((verification, Some(turnover)))
            }
            Supply::Staying { before, mut control } => {
                let evidence = Evidence { population, aftermath, before, sample: plan.sample };
                Ok((verify(&mut control, evidence, progress)?, None))
            }
        }
    }
}
