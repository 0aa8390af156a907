//! What is no claim is counted by operation and result: reservations, and what becomes of them and of coupons.

use std::collections::BTreeMap;

use stockade_protocol::Opcode;
use stockade_protocol::claim::RequestKey;
use stockade_protocol::coupon::{Action, Change};
use stockade_protocol::reservation::{Extend, Reserve};

use crate::page::Page;
use crate::served_claims::{Gateway, serve};
use crate::support::{admin_of, creation, memory_engine, scrape};

/// Counts by operation and result, those above zero.
fn counted(page: &Page) -> BTreeMap<(String, String), u64> {
    let samples = &page.family("stockade_operations_total").samples;
    let of = |name: &str, labels: &BTreeMap<String, String>| labels[name].clone();
    let count = |operation: &str, result: &str| {
        page.count("stockade_operations_total", &[("operation", operation), ("result", result)])
    };
    let all = samples.iter().map(|sample| (of("operation", &sample.labels), of("result", &sample.labels)));
    all.map(|(operation, result)| ((operation.clone(), result.clone()), count(&operation, &result)))
        .filter(|(_, count)| *count > 0)
        .collect()
}

#[test]
fn each_is_there_from_the_start() {
    let page = scrape(&admin_of(&memory_engine(2)));
    let samples = &page.family("stockade_operations_total").samples;
    let operations = samples.iter().map(|sample| sample.labels["operation"].as_str()).collect::<Vec<_>>();
    assert_eq!(operations, ["reserve", "confirm", "cancel", "extend", "coupon"]);
    assert_eq!(counted(&page), BTreeMap::new());
}

#[test]
fn each_answer_counts_once_under_its_result() {
    let running = memory_engine(1);
    let (server, admin) = (serve(&running.engine), admin_of(&running));
    let mut gateway = Gateway::connect(&server);
    let mut ask = |bytes: &dyn Fn(&mut Gateway)| {
        bytes(&mut gateway);
        gateway.receive();
    };
    // One unit for each user.
    ask(&|to| to.send(Opcode::BatchCreate, &[creation(7, 3)]));
    let reserve = |user| Reserve::new(7, user, 1, 1, 60);
    ask(&|to| to.send(Opcode::Reserve, &[reserve(1), reserve(1), reserve(2), reserve(3), reserve(4)]));
    ask(&|to| to.send(Opcode::Extend, &[Extend::new(7, 1, 1, 90), Extend::new(7, 1, 1, 90)]));
    ask(&|to| to.send(Opcode::Confirm, &[1, 1, 9].map(|user| RequestKey::new(7, user, 1))));
    ask(&|to| to.send(Opcode::Cancel, &[1, 2].map(|user| RequestKey::new(7, user, 1))));
    ask(&|to| to.send(Opcode::CouponChange, &[Change::new(7, 1, 0, Action::Redeem, 5)]));

    let page = scrape(&admin);
    let expected = [
        (("cancel", "done"), 1),
        (("cancel", "reservation_confirmed"), 1),
        (("confirm", "granted"), 1),
        (("confirm", "replayed"), 1),
        (("confirm", "request_unknown"), 1),
        (("coupon", "coupon_state_conflict"), 1),
        (("extend", "replayed"), 1),
        (("extend", "reserved"), 1),
        (("reserve", "replayed"), 1),
        (("reserve", "reserved"), 3),
        (("reserve", "sold_out"), 1),
    ];
    let expected = expected.map(|((operation, result), count)| ((operation.to_owned(), result.to_owned()), count));
    assert_eq!(counted(&page).into_iter().collect::<Vec<_>>(), expected);
    let claims = page.family("stockade_claims_total").by("result");
    assert!(claims.values().all(|count| *count == 0), "none of these is a claim: {claims:?}");
    drop(gateway);
    server.shutdown();
}
