//! The audit of the crash tests must object when answers leave too early, or the journal holds what it must not: an
//! audit that never objects proves nothing.

use crate::support::client::Rule;
use crate::support::history::{Tally, run};
use crate::support::holders::Holders;
use crate::support::trade::{Answer, Known, Request, Trade};
use stockade_protocol::Status;
use stockade_protocol::claim::{Claim, ClaimReply};

/// Histories until the audit must have objected.
const HISTORIES: u64 = 2_000;

/// The first objection of the audit when clients send by this rule.
fn first_objection(rule: Rule) -> Option<String> {
    let mut tally = Tally::default();
    (0..HISTORIES).find_map(|seed| run(seed, rule, &mut tally).into_iter().next())
}

fn status(trade: &Trade) -> Option<Status> {
    match &trade.answer {
        Answer::Claim(reply, _) => reply.status(),
        Answer::Batch(info) => info.status(),
    }
}

#[test]
fn answers_that_do_not_wait_are_caught() {
    assert!(first_objection(|_, _| true).is_some());
}

#[test]
fn grants_that_do_not_wait_are_caught() {
    let grants = |trade: &Trade, may_leave: bool| may_leave || status(trade) == Some(Status::Granted);
    let objection = first_objection(grants).expect("a grant that was lost");
    assert!(objection.contains("grant"), "{objection}");
}

#[test]
fn a_sold_out_that_does_not_wait_for_the_grants_it_saw_is_caught() {
    let objection = first_objection(|trade, may_leave| may_leave || status(trade) == Some(Status::SoldOut));
    let objection = objection.expect("a false sold-out");
    assert!(objection.contains("sold out, though the durable grants leave enough"), "{objection}");
}

#[test]
fn a_reached_limit_that_does_not_wait_for_the_grants_it_saw_is_caught() {
    let objection = first_objection(|trade, may_leave| may_leave || status(trade) == Some(Status::LimitReached));
    let objection = objection.expect("a false limit");
    assert!(objection.contains("the units that the user holds are not durable"), "{objection}");
}

#[test]
fn operations_that_do_not_wait_are_caught() {
    let operations = |trade: &Trade, may_leave: bool| may_leave || matches!(trade.answer, Answer::Batch(_));
    assert!(first_objection(operations).is_some());
}

#[test]
fn a_serial_that_is_told_to_two_users_is_caught() {
    let told = |user: u64, serial: u32| {
        let run = stockade::stock::Run::new(serial, 2);
        let answer = Answer::Claim(ClaimReply::granted(2, serial, 2), vec![run]);
        let request = Request::Claim(Claim::new(1, user, 5, 2));
        Trade { request, answer, known: Known::default(), now_ms: 0, epoch: 1 }
    };
    let mut holders = Holders::default();
    assert_eq!(holders.told(&told(1, 10)), None);
    assert_eq!(holders.told(&told(1, 10)), None, "a copy of the same request");
    assert_eq!(holders.told(&told(2, 12)), None);
    assert!(holders.told(&told(3, 11)).is_some_and(|what| what.contains("serial 11 of batch 1")));
}
