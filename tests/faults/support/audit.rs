//! The audit of what was sent: each answer must be backed by what the books held up to and with the answer's epoch.

use stockade::journal::{Control, StateCode};
use stockade::stock::{Mode, Run};
use stockade_protocol::Status;
use stockade_protocol::batch::{BatchInfo, State, Terms};
use stockade_protocol::claim::{Claim, ClaimReply};

use super::books::{Account, Books};
use super::trade::{Answer, Known, Request, Trade};

/// What is wrong with an answer that was sent; none if nothing is.
pub(crate) fn objection(books: &Books, trade: &Trade) -> Option<String> {
    let what = match (&trade.request, &trade.answer) {
        (Request::Claim(claim), Answer::Claim(reply, runs)) => of_claim(books, trade, claim, reply, runs),
        (Request::Lookup(_), Answer::Claim(reply, runs)) => of_lookup(books, trade, reply, runs),
        (_, Answer::Batch(info)) => of_operation(books, trade, info),
        (_, Answer::Claim(..)) => Err("a claim's answer to an operation"),
    };
    what.err().map(|what| format!("{what}: {trade:?}"))
}

type Verdict = Result<(), &'static str>;

fn must(holds: bool, what: &'static str) -> Verdict {
    if holds { Ok(()) } else { Err(what) }
}

fn of_claim(books: &Books, trade: &Trade, claim: &Claim, reply: &ClaimReply, runs: &[Run]) -> Verdict {
    let (known, epoch) = (&trade.known, trade.epoch);
    let status = reply.status().ok_or("no known status")?;
    if status == Status::BatchUnknown {
        return must(known.units.is_none(), "unknown, though its creation was answered");
    }
    if status == Status::QuantityInvalid {
        return must(claim.quantity == 0, "the quantity is valid");
    }
    let account = durable(books, trade)?;
    let user = claim.user.get();
    let recorded = account.grants.get(&(user, claim.request.get())).filter(|entry| entry.epoch <= epoch);
    let mode = if claim.is_up_to() { Mode::UpTo } else { Mode::AllOrNothing };
    let least = if mode == Mode::UpTo { 1 } else { u64::from(claim.quantity) };
    let same_question =
        recorded.is_some_and(|entry| (entry.asked.quantity, entry.asked.mode) == (claim.quantity, mode));
    if known.granted.is_some() {
        let replayed = (status == Status::Granted && reply.is_replayed()) || status == Status::RequestConflict;
        must(replayed || status == Status::Closed, "a copy of a granted claim is decided anew")?;
    }
    match status {
        Status::Granted => {
            must(same_question, "the journal holds no such grant")?;
            granted(account, trade, reply, runs)
        }
        Status::RequestConflict => must(recorded.is_some() && !same_question, "the journal knows no conflict"),
        Status::SoldOut => {
            let units = known.units.unwrap_or(0);
            must(account.granted_at(epoch) + least > units, "sold out, though the durable grants leave enough")
        }
        Status::LimitReached => {
            let (held, limit) = (u64::from(reply.user_units.get()), u64::from(account.limit.unwrap_or(u32::MAX)));
            must(held <= account.held_at(user, epoch), "the units that the user holds are not durable")?;
            must(held + least > limit, "the limit leaves room")
        }
        Status::BatchDraft => must(created_as(account, StateCode::Draft), "it never was a draft"),
        Status::NotStarted => must(starts_ms(account).is_some_and(|start| trade.now_ms < start), "it has started"),
        Status::Paused => must(account.was(StateCode::Paused, epoch), "no pause is durable"),
        Status::Ended => must(has_ended(account, trade), "no end is durable"),
        Status::Closed => must(account.was(StateCode::Closed, epoch), "no close is durable"),
        _ => Err("not an answer to a claim"),
    }
}

/// A grant names what the journal holds. One that is no copy must have been allowed.
fn granted(account: &Account, trade: &Trade, reply: &ClaimReply, runs: &[Run]) -> Verdict {
    let (_, user, request) = trade.request.key().ok_or("no key")?;
    let recorded = account.grants.get(&(user, request)).filter(|entry| entry.epoch <= trade.epoch);
    let recorded = recorded.ok_or("the grant is not in the journal")?;
    let units = recorded.runs.iter().map(|run| run.count).sum::<u32>();
    let told = reply.is_split() || recorded.runs.len() == 1;
    let same = runs == recorded.runs || (reply.is_split() && runs == &recorded.runs[..1]);
    must(told && same && u32::from(reply.granted) == units, "the journal holds other serials")?;
    let first = recorded.runs[0];
    must((reply.serial.get(), u32::from(reply.run)) == (first.first, first.count), "the first run is another")?;
    must(u64::from(reply.user_units.get()) <= account.held_at(user, trade.epoch), "the user's units are not durable")?;
    if let Some(before) = &trade.known.granted {
        must(runs[0] == before[0], "a copy gets other serials")?;
    }
    if reply.is_replayed() {
        return Ok(());
    }
    must(!trade.known.forbidden, "granted, though a pause or an end had been answered")?;
    let open = starts_ms(account).is_none_or(|start| start <= trade.now_ms);
    must(open && ends_ms(account).is_none_or(|end| trade.now_ms < end), "granted outside the window")
}

fn of_lookup(books: &Books, trade: &Trade, reply: &ClaimReply, runs: &[Run]) -> Verdict {
    let Known { units, granted: before, .. } = &trade.known;
    match reply.status().ok_or("no known status")? {
        Status::BatchUnknown => must(units.is_none(), "unknown, though its creation was answered"),
        Status::RequestUnknown => must(before.is_none(), "unknown, though its grant was answered"),
        Status::Closed => must(durable(books, trade)?.was(StateCode::Closed, trade.epoch), "no close is durable"),
        Status::Granted => granted(durable(books, trade)?, trade, reply, runs),
        _ => Err("not an answer to a look-up"),
    }
}

fn of_operation(books: &Books, trade: &Trade, info: &BatchInfo) -> Verdict {
    let status = info.status().ok_or("no known status")?;
    if status == Status::BatchUnknown {
        return must(trade.known.units.is_none(), "unknown, though its creation was answered");
    }
    let account = durable(books, trade)?;
    let (total, granted) = (u64::from(info.total.get()), u64::from(info.granted.get()));
    must(total <= account.total_at(trade.epoch), "its total is not durable")?;
    must(total >= trade.known.units.unwrap_or(0), "its total lacks answered units")?;
    must(granted <= account.granted_at(trade.epoch), "its grants are not durable")?;
    must(granted + u64::from(info.remaining.get()) == total, "its numbers do not add up")?;
    let (closed, ended) = (account.was(StateCode::Closed, trade.epoch), has_ended(account, trade));
    let state_is_durable = match info.state().ok_or("no state")? {
        State::Draft => created_as(account, StateCode::Draft),
        State::Scheduled | State::Active => {
            created_as(account, StateCode::Active) || account.was(StateCode::Active, trade.epoch)
        }
        State::Paused => account.was(StateCode::Paused, trade.epoch),
        State::Ended => ended,
        State::Closed => closed,
    };
    must(state_is_durable, "its state is not durable")?;
    match (&trade.request, status) {
        (Request::Create(_, terms), Status::Done) => must(created_with(account, terms), "created with other terms"),
        (Request::Create(_, terms), Status::BatchConflict) => {
            must(!created_with(account, terms), "the terms are equal")
        }
        (Request::Add(add), Status::Done | Status::BatchConflict) => {
            let (units, epoch) = account.additions.get(&add.request.get()).ok_or("the addition is not durable")?;
            must(*epoch <= trade.epoch, "the addition is not durable yet")?;
            must((*units == add.units.get()) == (status == Status::Done), "other units were added")
        }
        (Request::Add(_), Status::Ended) => must(ended, "no end is durable"),
        (Request::Add(_), Status::Closed) => must(closed, "no close is durable"),
        (Request::Show(_) | Request::Change(..), Status::Done) | (Request::Change(..), Status::StateConflict) => Ok(()),
        _ => Err("not an answer to this operation"),
    }
}

/// The account of the trade's batch, if its creation is durable.
fn durable<'a>(books: &'a Books, trade: &Trade) -> Result<&'a Account, &'static str> {
    let account = books.batches.get(&trade.request.batch());
    account.filter(|account| account.created_epoch <= trade.epoch).ok_or("the batch is not durable")
}

fn has_ended(account: &Account, trade: &Trade) -> bool {
    account.was(StateCode::Ended, trade.epoch) || ends_ms(account).is_some_and(|end| trade.now_ms >= end)
}

fn created_as(account: &Account, wanted: StateCode) -> bool {
    terms(account).draft == (wanted == StateCode::Draft) && matches!(wanted, StateCode::Draft | StateCode::Active)
}

fn starts_ms(account: &Account) -> Option<u64> {
    terms(account).starts_ms
}

fn ends_ms(account: &Account) -> Option<u64> {
    terms(account).ends_ms
}

fn created_with(account: &Account, wanted: &Terms) -> bool {
    terms(account) == wanted
}

fn terms(account: &Account) -> &Terms {
    let Control::Created { terms, .. } = &account.created else { unreachable!("an account begins with its creation") };
    terms
}
