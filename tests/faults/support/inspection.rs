//! The inspection of a restarted engine: it must say what the books say, and a copy of a claim that was never answered
//! must have one effect.

use std::collections::HashMap;

use stockade::engine::Engine;
use stockade::journal::StateCode;
use stockade_protocol::Status;
use stockade_protocol::batch::{List, State};
use stockade_protocol::claim::RequestKey;

use super::books::{Account, Books};
use super::shop::answered;
use super::trade::{Answer, Request, Trade, answer};

/// A user who claims nothing.
const STRANGER: u64 = 10_000;

/// Where the engine and the books differ.
pub(crate) fn differences(engine: &Engine, books: &Books) -> Vec<String> {
    let mut found = Vec::new();
    let listed = answered(engine, 0, |burst| burst.list(&List::new(0, 100)));
    if !listed.iter().map(|info| info.batch.get()).eq(books.batches.keys().copied()) {
        found.push(format!("the engine lists {listed:?}"));
    }
    if engine.now_ms() < books.last_ms {
        found.push(format!("time went back from {} to {}", books.last_ms, engine.now_ms()));
    }
    for (batch, account) in &books.batches {
        let info = answered(engine, 0, |burst| burst.show(*batch));
        let (total, granted) = (account.total(), account.granted());
        let shown = (info.total.get(), info.granted.get(), info.remaining.get());
        if (u64::from(shown.0), u64::from(shown.1), u64::from(shown.2)) != (total, granted, total - granted) {
            found.push(format!("batch {batch} has {granted} of {total} granted, the engine says {shown:?}"));
        }
        let by_clock = info.state() == Some(State::Ended) && info.terms().ends_ms.is_some();
        if info.state().map(code) != Some(account.state()) && !by_clock {
            found.push(format!("batch {batch} is {:?}, the engine says {:?}", account.state(), info.state()));
        }
        found.extend(account_differences(engine, *batch, account));
    }
    found
}

fn account_differences(engine: &Engine, batch: u64, account: &Account) -> Vec<String> {
    let mut found = Vec::new();
    let closed = account.state() == StateCode::Closed;
    let mut units = HashMap::new();
    answered(engine, 0, |burst| {
        for ((user, request), entry) in &account.grants {
            let key = RequestKey::new(batch, *user, *request);
            let reply = burst.lookup(&key);
            let runs = burst.serials(&key).map(|runs| runs.iter().collect::<Vec<_>>());
            let wanted = if closed { Err(Status::Closed) } else { Ok(entry.runs.clone()) };
            let status = if closed { Status::Closed } else { Status::Granted };
            if runs != wanted || reply.status() != Some(status) {
                found.push(format!(
                    "batch {batch}: {user} / {request} is {entry:?}, the engine says {reply:?} {runs:?}"
                ));
            }
            units.insert(*user, u64::from(reply.user_units.get()));
        }
        let unknown = burst.lookup(&RequestKey::new(batch, STRANGER, 0));
        let wanted = if closed { Status::Closed } else { Status::RequestUnknown };
        if unknown.status() != Some(wanted) {
            found.push(format!("batch {batch}: a stranger is told {unknown:?}"));
        }
    });
    let sum = units.values().sum::<u64>();
    if !closed && sum != account.granted() {
        found.push(format!("batch {batch}: users hold {sum} units, {} are granted", account.granted()));
    }
    found
}

/// Sends each claim twice. Returns what its copies were answered, and what is wrong with that.
pub(crate) fn retry(engine: &Engine, books: &Books, unanswered: &[Trade]) -> (Vec<Trade>, Vec<String>) {
    let (mut copies, mut wrong) = (Vec::new(), Vec::new());
    let claims = unanswered.iter().filter(|trade| matches!(trade.request, Request::Claim(_)));
    let mut burst = engine.burst(0);
    let now_ms = burst.now_ms();
    for trade in claims {
        let (first, second) = (answer(&mut burst, &trade.request), answer(&mut burst, &trade.request));
        let (Answer::Claim(one, runs), Answer::Claim(two, runs_again)) = (&first, &second) else { continue };
        let granted = one.status() == Some(Status::Granted);
        if one.status() != two.status() || runs != runs_again || (granted && !two.is_replayed()) {
            wrong.push(format!("two copies of {:?} are answered {first:?} and {second:?}", trade.request));
        }
        let durable = trade.request.key().is_some_and(|(batch, user, request)| {
            books.batches.get(&batch).is_some_and(|account| account.grants.contains_key(&(user, request)))
        });
        if granted && one.is_replayed() != durable && !copies_key(&copies, trade) {
            wrong.push(format!("{:?} is in the books: {durable}, but answered {first:?}", trade.request));
        }
        copies.push(Trade { answer: first, now_ms, ..trade.clone() });
    }
    let epoch = burst.leave();
    super::shop::wait_until("the copies are answered", || engine.journal().may_leave(epoch));
    copies.iter_mut().for_each(|trade| trade.epoch = epoch);
    (copies, wrong)
}

fn copies_key(copies: &[Trade], trade: &Trade) -> bool {
    copies.iter().any(|copy| copy.request.key() == trade.request.key())
}

/// The stored state that a shown one comes from.
pub(crate) fn code(state: State) -> StateCode {
    match state {
        State::Draft => StateCode::Draft,
        State::Scheduled | State::Active => StateCode::Active,
        State::Paused => StateCode::Paused,
        State::Ended => StateCode::Ended,
        State::Closed => StateCode::Closed,
    }
}
