//! Many frames in flight: no answer leaves before its group is durable, each frame is answered once, and its items
//! stand in its order, whatever epochs they wait for.

use stockade_protocol::Status::{Granted, LimitReached, QuantityInvalid, RequestUnknown};
use stockade_protocol::batch::Terms;
use stockade_protocol::claim::{Claim, ClaimReply, RequestKey};
use stockade_protocol::ping::Ping;
use stockade_protocol::{Opcode, Status};
use zerocopy::FromZeros;

use crate::support::frame::frame;
use crate::support::link::{Link, statuses};
use crate::support::shop::{Shop, options, terms};

fn limited() -> Terms {
    Terms { per_user: Some(1), ..terms(10_000) }
}

fn of(users: impl IntoIterator<Item = u64>) -> Vec<Claim> {
    users.into_iter().map(|user| Claim::new(1, user, 1, 1)).collect()
}

/// The next reply, which must be one to this frame of claims or look-ups.
fn next(link: &mut Link, opcode: Opcode, correlation: u64) -> Vec<ClaimReply> {
    let reply = link.reply();
    assert_eq!(reply.correlation, correlation);
    reply.items(opcode)
}

fn epochs(replies: &[ClaimReply]) -> (u64, u64) {
    let epochs = || replies.iter().map(|reply| reply.epoch.get());
    (epochs().min().expect("a reply"), epochs().max().expect("a reply"))
}

#[test]
fn replies_leave_with_their_epochs_and_not_before() {
    let shop = Shop::open(1, options());
    let mut client = shop.client_with_batch(1, &limited());
    let key = |user| RequestKey::new(1, user, 1);
    let pong = frame(Opcode::Ping, 99, &[Ping::new_zeroed()]);
    shop.gate.close();
    shop.send_and_see(&mut client, &frame(Opcode::Claim, 1, &of([1, 2, 3])));
    shop.gate.wait_until_held(1);
    // The second group: a replay, a refusal and a look-up that rest on the first, and grants.
    let mixed = [Claim::new(1, 3, 1, 1), Claim::new(1, 2, 8, 1), Claim::new(1, 4, 1, 1), Claim::new(1, 5, 1, 1)];
    let lookups = [key(5), key(1), key(77), key(4)];
    shop.send_and_see(&mut client, &frame(Opcode::Claim, 2, &mixed));
    shop.send_and_see(&mut client, &frame(Opcode::Lookup, 3, &lookups));
    // By now the server has turned from the first frame to others: an answer that left early would be here.
    assert!(client.is_quiet(), "an answer left before its group was durable");

    shop.gate.let_one_pass();
    let first = next(&mut client, Opcode::Claim, 1);
    assert_eq!(statuses(&first), [Granted; 3]);
    shop.gate.wait_until_held(2);
    shop.send_and_see(&mut client, &frame(Opcode::Claim, 4, &of([6])));
    shop.send_and_see(&mut client, &pong);
    assert!(client.is_quiet(), "an answer left before its group was durable");

    shop.gate.let_one_pass();
    let mut both = [client.reply(), client.reply()];
    both.sort_by_key(|reply| reply.correlation);
    let (second, third) = (both[0].items::<ClaimReply>(Opcode::Claim), both[1].items::<ClaimReply>(Opcode::Lookup));
    assert_eq!(statuses(&second), [Granted, LimitReached, Granted, Granted]);
    assert_eq!((second[0].serial, second[0].is_replayed()), (first[2].serial, true));
    assert_eq!(statuses(&third), [Granted, Granted, RequestUnknown, Granted]);
    let serials = [0, 1, 3].map(|index| third[index].serial);
    assert_eq!(serials, [second[3].serial, first[0].serial, second[2].serial], "in the order of the questions");

    shop.gate.wait_until_held(3);
    assert!(client.is_quiet(), "an answer left before its group was durable");
    shop.gate.let_one_pass();
    let mut last = [client.reply(), client.reply()];
    last.sort_by_key(|reply| reply.correlation);
    let fourth = last[0].items::<ClaimReply>(Opcode::Claim);
    assert_eq!((statuses(&fourth), last[1].opcode), (vec![Granted], Opcode::Ping));

    let all = [&first[..], &second, &third, &fourth].map(epochs);
    assert!(all.iter().all(|(oldest, newest)| oldest == newest), "{all:?}");
    let [(first, _), (second, _), (third, _), (fourth, _)] = all;
    assert!(first < second && second == third && third < fourth, "{all:?}");
    shop.gate.open();
}

#[test]
fn the_items_of_a_large_frame_stand_in_its_order() {
    let shop = Shop::open(2, options());
    let mut client = shop.client_with_batch(1, &limited());
    // Users come again after 2,000 claims, each time with another request id; every seventh claim is for nothing.
    let claims = (0..8_192_u64).map(|at| Claim::new(1, at % 2_000, at, u8::from(at % 7 != 0))).collect::<Vec<_>>();
    let mut holders = std::collections::HashSet::new();
    let expected = claims.iter().map(|claim| match claim.quantity {
        0 => QuantityInvalid,
        _ if holders.insert(claim.user.get()) => Granted,
        _ => LimitReached,
    });
    let expected = expected.collect::<Vec<Status>>();
    let replies = client.claim(&claims);
    assert_eq!(statuses(&replies), expected);
    for (claim, reply) in claims.iter().zip(&replies).filter(|(_, reply)| reply.status() == Some(Granted)).step_by(97) {
        let found = client.lookup(1, claim.user.get(), claim.request.get());
        assert_eq!((found.status(), found.serial), (Some(Granted), reply.serial), "user {}", claim.user);
    }
}

#[test]
fn every_frame_is_answered_once() {
    let shop = Shop::open(2, options());
    let mut client = shop.client_with_batch(1, &limited());
    let frames = 1_000;
    let bytes = (0..frames).flat_map(|number| frame(Opcode::Claim, number, &of([number, 1_000_000])));
    client.send(&bytes.collect::<Vec<_>>());
    let mut seen = (0..frames).map(|_| client.reply()).collect::<Vec<_>>();
    seen.sort_by_key(|reply| reply.correlation);
    let mut replays = 0;
    for (number, reply) in (0..frames).zip(&seen) {
        assert_eq!(reply.correlation, number);
        let items = reply.items::<ClaimReply>(Opcode::Claim);
        assert_eq!(statuses(&items), [Granted, Granted]);
        replays += usize::from(items[1].is_replayed());
    }
    assert_eq!(replays, seen.len() - 1, "one of the copies was the decision");
    assert!(client.is_quiet());
    assert_eq!(u64::from(client.granted(1)), frames + 1);
}
