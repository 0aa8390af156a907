//! The batches that a run claims from: created at its beginning, or taken as they are.

use std::fmt;
use std::ops::{ControlFlow, Range};

use stockade_protocol::batch::{Action, BatchId, BatchInfo, Change, Create, State, Terms};
use stockade_protocol::limits::BATCHES_PER_FRAME_MAX;
use stockade_protocol::{Opcode, Status, TextError};
use zerocopy::{Immutable, IntoBytes};

use crate::hash::Key;
use crate::limits::BATCH_IDS_MAX;
use crate::plan::Plan;
use crate::wire::control::Control;
use crate::wire::link::LinkError;
use crate::wire::pages::Pages;

/// A batch as the server showed it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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
    /// Units reserved.
    pub held: u32,
    /// Units voided.
    pub voided: u32,
    /// Units that one user may hold; 0 = unlimited.
    pub per_user: u32,
    /// Units that one user may take on one day; 0 = unlimited.
    pub per_user_day: u32,
    /// Units that all users may take on one day; 0 = unlimited.
    pub per_day: u32,
    /// Units of today's that were taken.
    pub day_units: u32,
}

impl Shown {
    /// All units that the server says where they are.
    #[must_use]
    pub fn accounted_for(&self) -> u64 {
        [self.granted, self.held, self.voided, self.remaining].into_iter().map(u64::from).sum()
    }
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
    /// A batch that should be new was there before.
    Used {
        /// The batch.
        batch: u64,
    },
    /// The batches' name does not fit.
    Name(TextError),
}

/// Creates the batches of `plan`, or finds them if it names ids that exist. Ids that nobody used follow from `run`.
///
/// # Errors
/// When the server does not answer or refuses.
pub fn prepare(control: &mut Control, plan: &Plan, run: u64) -> Result<Vec<Shown>, BatchError> {
    let first = first_id(plan, run);
    let ids = first..first + u64::from(plan.batches);
    if plan.batch_id.is_none() {
        return create(control, plan, ids);
    }
    let mut unknown = Vec::new();
    let mut batches = Vec::new();
    ask(control, Opcode::BatchShow, &ids, named, |id, info| {
        if info.status() == Some(Status::BatchUnknown) {
            unknown.push(id);
        }
        let is_there = info.status() != Some(Status::BatchUnknown);
        batches.push(if is_there { shown(id, info)? } else { Shown { id, ..Shown::default() } });
        Ok(())
    })?;
    // Stretches of ids that nobody used, mostly one or none.
    for gap in unknown.chunk_by(|one, next| one + 1 == *next) {
        let place = usize::try_from(gap[0] - first).expect("the place of a batch of the run");
        let created = create(control, plan, gap[0]..gap[0] + gap.len() as u64)?;
        batches[place..place + gap.len()].copy_from_slice(&created);
    }
    Ok(batches)
}

/// Creates a batch on the plan's terms for each of `ids`: the batches as they are then.
///
/// # Errors
/// When the server does not answer or refuses.
pub fn create(control: &mut Control, plan: &Plan, ids: Range<u64>) -> Result<Vec<Shown>, BatchError> {
    let name = plan.batch_name.clone();
    let terms = plan.rules.on(Terms { stock: plan.stock, per_user: plan.per_user, name, ..Terms::default() });
    let one = Create::new(ids.start, &terms).map_err(BatchError::Name)?;
    let make = |id: u64| {
        let mut another = one;
        another.batch = id.into();
        another
    };
    collect(control, Opcode::BatchCreate, &ids, make)
}

/// Does `action` on the batches `ids`: as they are then, in this order.
///
/// # Errors
/// When the server does not answer or refuses.
pub fn change(control: &mut Control, ids: Range<u64>, action: Action) -> Result<Vec<Shown>, BatchError> {
    collect(control, Opcode::BatchChange, &ids, |id| Change::new(id, action))
}

/// The batches `ids` as they are now, in this order.
///
/// # Errors
/// When the server does not answer or does not know one.
pub fn show(control: &mut Control, ids: Range<u64>) -> Result<Vec<Shown>, BatchError> {
    collect(control, Opcode::BatchShow, &ids, named)
}

fn named(id: u64) -> BatchId {
    BatchId { batch: id.into() }
}

fn collect<Request>(
    control: &mut Control,
    opcode: Opcode,
    ids: &Range<u64>,
    make: impl Fn(u64) -> Request,
) -> Result<Vec<Shown>, BatchError>
where
    Request: IntoBytes + Immutable,
{
    let mut batches = Vec::new();
    ask(control, opcode, ids, make, |id, info| {
        batches.push(shown(id, info)?);
        Ok(())
    })?;
    Ok(batches)
}

/// Asks about each of `ids` with what `make` makes of it, and hands every answer to `take`, in order.
fn ask<Request>(
    control: &mut Control,
    opcode: Opcode,
    ids: &Range<u64>,
    make: impl Fn(u64) -> Request,
    mut take: impl FnMut(u64, &BatchInfo) -> Result<(), BatchError>,
) -> Result<(), BatchError>
where
    Request: IntoBytes + Immutable,
{
    let starts = ids.clone().step_by(BATCHES_PER_FRAME_MAX as usize).collect::<Vec<_>>();
    let page = |start: u64| start..ids.end.min(start + u64::from(BATCHES_PER_FRAME_MAX));
    let pages = Pages { opcode, count: starts.len(), make: |number: usize| page(starts[number]).map(&make).collect() };
    let (mut next, mut result) = (ids.start, Ok(()));
    let taken = control.ask_pages::<Request, BatchInfo, _, _>(&pages, |infos| {
        result = (next..).zip(&infos).try_for_each(|(id, info)| take(id, info));
        next += infos.len() as u64;
        if result.is_err() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    result.and(taken.map_err(BatchError::Link))
}

fn shown(id: u64, info: &BatchInfo) -> Result<Shown, BatchError> {
    if info.status() != Some(Status::Done) || info.batch.get() != id {
        return Err(BatchError::Refused { batch: id, status: info.status() });
    }
    let terms = info.terms();
    Ok(Shown {
        id,
        state: info.state(),
        total: info.total.get(),
        granted: info.granted.get(),
        remaining: info.remaining.get(),
        held: info.held.get(),
        voided: info.voided.get(),
        per_user: terms.per_user.unwrap_or(0),
        per_user_day: terms.per_user_day.unwrap_or(0),
        per_day: terms.per_day.unwrap_or(0),
        day_units: info.day_units.get(),
    })
}

/// The id of the run's first batch.
#[must_use]
pub fn first_id(plan: &Plan, run: u64) -> u64 {
    plan.batch_id.unwrap_or_else(|| fresh_id(run))
}

/// An id that no other run has: 53 bits, which every JSON reader keeps, the lowest left for the batches of the run.
fn fresh_id(run: u64) -> u64 {
    (Key::new(run, 6).at(0) >> 11) & !(BATCH_IDS_MAX - 1) | 1
}

impl fmt::Display for BatchError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BatchError::Link(error) => error.fmt(formatter),
            BatchError::Refused { batch, status: Some(Status::Overloaded) } => write!(
                formatter,
                "batch {batch} cannot be created: OVERLOADED; the server has as many batches as it may, closed ones \
                 and those of earlier runs included: raise its batches.batches_max, start it on an empty folder, or \
                 create fewer (--batches)"
            ),
            BatchError::Refused { batch, status } => {
                let status = status.map_or("an unknown status", Status::name);
                write!(formatter, "batch {batch} cannot be used: {status}; see the server's log or choose other terms")
            }
            BatchError::Used { batch } => write!(
                formatter,
                "batch {batch} was used before, and batches that come and go have to be new: give a --batch-id that no \
                 run had, or none"
            ),
            BatchError::Name(error) => write!(formatter, "the batch name {error}"),
        }
    }
}

impl std::error::Error for BatchError {}
