//! The batches that a run claims from: created at its beginning, or taken as they are.

use std::fmt;

use stockade_protocol::batch::{BatchId, BatchInfo, Create, State, Terms};
use stockade_protocol::{Opcode, Status, TextError};

use crate::hash::Key;
use crate::plan::Plan;
use crate::wire::control::Control;
use crate::wire::link::LinkError;

/// A batch as the server showed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Its id.
    pub id: u64,
    /// Its state.
    pub state: Option<State>,
    /// Units at the beginning and added since.
    pub total: u32,
    /// Units granted.
    pub granted: u32,
    /// Units not taken.
    pub remaining: u32,
    /// Units that one user may hold; 0 = unlimited.
    pub per_user: u32,
}

/// Why the run has no batches.
#[derive(Debug)]
pub enum BatchError {
    /// The server gave no answer.
    Link(LinkError),
    /// The server did not create or show a batch.
    Refused {
        /// The batch.
        batch: u64,
        /// Why.
        status: Option<Status>,
    },
    /// The batches' name does not fit.
    Name(TextError),
}

/// Creates the batches of `plan`, or finds them if it names ids that exist. Ids that nobody used follow from `run`.
///
/// # Errors
/// When the server does not answer or refuses.
pub fn prepare(control: &mut Control, plan: &Plan, run: u64) -> Result<Vec<Shown>, BatchError> {
    let first = plan.batch_id.unwrap_or_else(|| fresh_id(run));
    let ids = (first..).take(plan.batches as usize).collect::<Vec<_>>();
    let unknown =
        ask(control, &ids)?.into_iter().zip(&ids).filter(|(info, _)| info.status() == Some(Status::BatchUnknown));
    let terms = Terms {
        stock: plan.stock,
        per_user: plan.per_user,
        starts_ms: None,
        ends_ms: None,
        draft: false,
        name: plan.batch_name.clone(),
    };
    let wanted =
        unknown.map(|(_, id)| Create::new(*id, &terms)).collect::<Result<Vec<_>, _>>().map_err(BatchError::Name)?;
    if !wanted.is_empty() {
        let created = control.ask::<Create, BatchInfo>(Opcode::BatchCreate, &wanted).map_err(BatchError::Link)?;
        for (info, create) in created.iter().zip(&wanted) {
            shown(create.batch.get(), info)?;
        }
    }
    show(control, &ids)
}

/// The batches `ids` as they are now, in this order.
///
/// # Errors
/// When the server does not answer or does not know one.
pub fn show(control: &mut Control, ids: &[u64]) -> Result<Vec<Shown>, BatchError> {
    ask(control, ids)?.iter().zip(ids).map(|(info, id)| shown(*id, info)).collect()
}

fn ask(control: &mut Control, ids: &[u64]) -> Result<Vec<BatchInfo>, BatchError> {
    let items = ids.iter().map(|id| BatchId { batch: (*id).into() }).collect::<Vec<_>>();
    control.ask::<BatchId, BatchInfo>(Opcode::BatchShow, &items).map_err(BatchError::Link)
}

fn shown(id: u64, info: &BatchInfo) -> Result<Shown, BatchError> {
    if info.status() != Some(Status::Done) || info.batch.get() != id {
        return Err(BatchError::Refused { batch: id, status: info.status() });
    }
    Ok(Shown {
        id,
        state: info.state(),
        total: info.total.get(),
        granted: info.granted.get(),
        remaining: info.remaining.get(),
        per_user: info.per_user.get(),
    })
}

/// An id that no other run has: 53 bits, which every JSON reader keeps, the lowest ten left for the batches of the run.
fn fresh_id(run: u64) -> u64 {
    (Key::new(run, 6).at(0) >> 11) & !1_023 | 1
}

impl fmt::Display for BatchError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BatchError::Link(error) => error.fmt(formatter),
            BatchError::Refused { batch, status } => {
                let status = status.map_or("an unknown status", Status::name);
                write!(formatter, "batch {batch} cannot be used: {status}; see the server's log or choose other terms")
            }
            BatchError::Name(error) => write!(formatter, "the batch name {error}"),
        }
    }
}

impl std::error::Error for BatchError {}
