//! The proof at the end: what the answers promised, against what the server holds now.
//!
//! Counts are compared exactly. Grants are looked up one by one up to the plan's bound, beyond it an even sample of
//! them.

use stockade_protocol::claim::{ClaimReply, RequestKey};
use stockade_protocol::{Retry, Status};

use crate::load::connection::{Connection, Record};
use crate::load::pairs::Pairs;
use crate::load::population::Population;
use crate::proof::books::Books;
use crate::proof::coupon_check::check_work;
use crate::proof::holdings::Holdings;
use crate::proof::limit_check::users_over_limit;
use crate::proof::serial_check::Given;
use crate::proof::user_limits::UserLimits;
use crate::proof::verdict::{BatchVerdict, Finding, Mode, Verification};
use crate::view::progress::Progress;
use crate::wire::batches::{BatchError, Shown, show};
use crate::wire::control::Control;

/// What a load leaves behind.
#[derive(Debug)]
pub struct Aftermath {
    /// Those that units were granted to, in order, with their ledgers.
    pub connections: Vec<Connection>,
    /// Those that worked with these units afterwards, if any did, in order.
    pub workers: Vec<Connection>,
    /// The counts of all threads.
    pub record: Record,
}

/// What a run leaves behind.
#[derive(Debug)]
pub struct Evidence<'a> {
    /// Who claimed what.
    pub population: &'a Population,
    /// The load.
    pub aftermath: Aftermath,
    /// The batches before the run.
    pub before: Vec<Shown>,
    /// Most grants to look up.
    pub sample: u64,
}

/// Checks everything.
///
/// # Errors
/// When the server no longer answers: nothing is proved then.
pub fn verify(
    control: &mut Control,
    mut evidence: Evidence<'_>,
    progress: &Progress,
) -> Result<Verification, BatchError> {
    let mut verification = Verification::default();
    let Aftermath { connections, workers, record } = &mut evidence.aftermath;
    resolve_unanswered(control, evidence.population, connections, &mut record.books, &mut verification)?;
    check_work(control, workers, evidence.sample, &mut verification, progress)?;
    let abandoned = connections.iter().chain(&*workers).filter_map(Connection::pairs).map(Pairs::abandoned);
    verification.abandoned = abandoned.sum();
    let Evidence { population, aftermath, before, sample } = &evidence;
    let holdings = Holdings::of(&aftermath.connections);
    look_up_grants(control, &holdings, population, *sample, &mut verification, progress)?;
    verification.over_limit = users_over_limit(&holdings, population, &UserLimits::new(before));
    let first = before.first().map_or(0, |batch| batch.id);
    let after = show(control, first..first + before.len() as u64)?;
    let given = Given::new(&holdings, population, &after, 0);
    let books = &aftermath.record.books;
    // Reserved units that come back have serials beyond the stock, and may be left although there were none.
    let came_back = units_came_back(&aftermath.connections);
    for (index, ((before, after), grants)) in (0..).zip(before.iter().zip(&after).zip(&given.grants)) {
        let beyond = given.beyond.get(&(index as usize)).copied().filter(|_| !came_back).unwrap_or(0);
        let is_sold_out = books.is_sold_out(index) && !came_back;
        verification.add(BatchVerdict::new(before, after, (*grants).into(), beyond, is_sold_out));
    }
    verification.granted = holdings.grants();
    verification.mode = if verification.looked_up == verification.granted { Mode::Complete } else { Mode::Sampled };
    verification.duplicate_serials = given.duplicates;
    verification.take_books(books);
    verification.conclude();
    Ok(verification)
}

/// Whether units were reserved and not confirmed.
fn units_came_back(connections: &[Connection]) -> bool {
    connections.iter().filter_map(Connection::pairs).any(|pairs| pairs.abandoned() > 0)
}

/// Asks what became of the claims that were sent and never answered; what was granted joins the other grants.
pub(crate) fn resolve_unanswered(
    control: &mut Control,
    population: &Population,
    connections: &mut [Connection],
    books: &mut Books,
    verification: &mut Verification,
) -> Result<(), BatchError> {
    for connection in connections {
        for origins in connection.unanswered().chunks(control.lookups_per_frame()) {
            let number = connection.number();
            let keys = origins.iter().map(|slot| key(population, number, *slot)).collect::<Vec<_>>();
            let replies = control.look_up(&keys).map_err(BatchError::Link)?;
            for (slot, reply) in origins.iter().zip(&replies) {
                match reply.status() {
                    Some(Status::Granted) => {
                        connection.granted(*slot, reply, books);
                        verification.resolved_granted += 1;
                    }
                    Some(status) if status.retry() != Retry::Later => {
                        connection.found_otherwise(*slot, status);
                        verification.resolved_refused += 1;
                    }
                    Some(_) | None => verification.unresolved += 1,
                }
            }
        }
    }
    Ok(())
}

/// Looks up every grant, or an even sample of `sample` of them.
pub(crate) fn look_up_grants(
    control: &mut Control,
    holdings: &Holdings<'_>,
    population: &Population,
    sample: u64,
    verification: &mut Verification,
    progress: &Progress,
) -> Result<(), BatchError> {
    let wanted = holdings.grants().min(sample);
    let goal = verification.looked_up + wanted;
    let mut picked = holdings.sample(wanted);
    loop {
        let chunk = picked.by_ref().take(control.lookups_per_frame()).collect::<Vec<_>>();
        if chunk.is_empty() {
            return Ok(());
        }
        let keys = chunk.iter().map(|grant| key(population, grant.connection, grant.slot)).collect::<Vec<_>>();
        let replies = control.look_up(&keys).map_err(BatchError::Link)?;
        for ((key, grant), reply) in keys.iter().zip(&chunk).zip(&replies) {
            hold_against(key, grant.serial, reply, verification);
        }
        verification.looked_up += chunk.len() as u64;
        progress.looked_up(verification.looked_up, goal);
    }
}

/// One acknowledged grant against what the look-up says of it.
fn hold_against(key: &RequestKey, serial: u32, reply: &ClaimReply, verification: &mut Verification) {
    let is_held = reply.status() == Some(Status::Granted) && reply.serial.get() == serial && reply.granted == 1;
    if is_held {
        return;
    }
    if reply.status().is_some_and(|status| status.retry() == Retry::Later) {
        verification.unresolved += 1;
        return;
    }
    verification.lost += 1;
    verification.note(Finding {
        batch: key.batch.get(),
        user: key.user.get(),
        request: key.request.get(),
        acknowledged_serial: serial,
        found: match reply.status() {
            Some(Status::Granted) => format!("{} units from serial {}", reply.granted, reply.serial.get()),
            Some(status) => status.name().to_owned(),
            None => "an unknown status".to_owned(),
        },
    });
}

fn key(population: &Population, connection: u32, slot: u64) -> RequestKey {
    let claim = population.identity(connection, slot);
    RequestKey::new(population.batch_id(claim.batch_index), claim.user, claim.request)
}
