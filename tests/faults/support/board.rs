//! What clients were told, shared by all of them: a client knows it when it asks.

use std::collections::HashMap;

use parking_lot::Mutex;
use stockade::stock::Run;
use stockade_protocol::Status;
use stockade_protocol::batch::{Action, State};

use super::trade::{Answer, Known, Request, Trade};

/// Everything that was answered in a history.
#[derive(Default)]
pub(crate) struct Board {
    told: Mutex<Told>,
}

#[derive(Default)]
struct Told {
    units: HashMap<u64, u64>,
    added: HashMap<(u64, u64), u32>,
    granted: HashMap<(u64, u64, u64), Vec<Run>>,
    /// Changes so far that may have permitted claims.
    permits: HashMap<u64, u64>,
    /// How many of them there were when the latest answered pause or end was decided.
    forbidden: HashMap<u64, u64>,
}

impl Board {
    /// What is known before the burst of `request` begins.
    pub(crate) fn before(&self, request: &Request) -> Known {
        let told = self.told.lock();
        let batch = request.batch();
        let permits = told.permits(batch);
        let forbidden = told.forbidden.get(&batch) == Some(&permits);
        let granted = request.key().and_then(|key| told.granted.get(&key).cloned());
        Known { units: told.units.get(&batch).copied(), permits, forbidden, granted }
    }

    /// To be called when the burst of `trade` ends: was what was forbidden before forbidden all through it?
    pub(crate) fn settle(&self, trade: &mut Trade) {
        let permits = self.told.lock().permits(trade.request.batch());
        trade.known.forbidden &= permits == trade.known.permits;
    }

    /// To be called before a change that may permit claims is decided.
    pub(crate) fn may_permit(&self, batch: u64) {
        *self.told.lock().permits.entry(batch).or_default() += 1;
    }

    /// An answer arrives at its client. `only_operator` tells that the client alone operates on the batch.
    pub(crate) fn tell(&self, trade: &Trade, only_operator: bool) {
        let told = &mut *self.told.lock();
        match (&trade.request, &trade.answer) {
            (Request::Claim(_) | Request::Lookup(_), Answer::Claim(reply, runs)) => {
                if let (Some(Status::Granted), Some(key)) = (reply.status(), trade.request.key()) {
                    told.granted.insert(key, runs.clone());
                }
            }
            (Request::Create(batch, terms), Answer::Batch(info)) if info.status() == Some(Status::Done) => {
                told.units.entry(*batch).or_insert(u64::from(terms.stock));
            }
            (Request::Add(add), Answer::Batch(info)) if info.status() == Some(Status::Done) => {
                let (batch, units) = (add.batch.get(), add.units.get());
                if told.added.insert((batch, add.request.get()), units).is_none()
                    && let Some(known) = told.units.get_mut(&batch)
                {
                    *known += u64::from(units);
                }
            }
            (Request::Change(batch, Action::Pause | Action::End), Answer::Batch(info)) if only_operator => {
                let holds = matches!(info.state(), Some(State::Paused | State::Ended));
                if info.status() == Some(Status::Done) && holds {
                    told.forbidden.insert(*batch, trade.known.permits);
                }
            }
            _ => {}
        }
    }
}

impl Told {
    fn permits(&self, batch: u64) -> u64 {
        self.permits.get(&batch).copied().unwrap_or(0)
    }
}
