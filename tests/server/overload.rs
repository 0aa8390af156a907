//! `OVERLOADED`: one claim more than the connection's window or the server's bound, and not one less. Stock is not
//! touched, nothing is remembered, and the same request is granted later.

use stockade::server::ServerOptions;
use stockade_protocol::Status::{Granted, Overloaded, RequestUnknown};
use stockade_protocol::claim::{Claim, ClaimReply};
use stockade_protocol::ping::Ping;
use stockade_protocol::{Opcode, Status};
use zerocopy::FromZeros;

use crate::support::frame::frame;
use crate::support::link::{Link, statuses};
use crate::support::shop::{Shop, options, terms};

const WINDOW: usize = 4;
const STOCK: u32 = 100;

fn shop(cores: usize, in_flight_max: usize) -> (Shop, Link) {
    let bounds = ServerOptions { in_flight_per_connection_max: WINDOW, in_flight_max, ..options() };
    let shop = Shop::open(cores, bounds);
    let client = shop.client_with_batch(1, &terms(STOCK));
    (shop, client)
}

/// One unit for each user.
fn of(users: impl IntoIterator<Item = u64>) -> Vec<Claim> {
    users.into_iter().map(|user| Claim::new(1, user, 1, 1)).collect()
}

fn send(link: &mut Link, claims: &[Claim]) {
    link.send(&frame(Opcode::Claim, 1, claims));
}

fn answers(link: &mut Link) -> Vec<Status> {
    let replies = link.reply().items::<ClaimReply>(Opcode::Claim);
    for reply in replies.iter().filter(|reply| reply.status() == Some(Overloaded)) {
        assert_eq!((reply.granted, reply.run, reply.serial.get(), reply.flags), (0, 0, 0, 0));
    }
    statuses(&replies)
}

#[test]
fn a_frame_larger_than_the_window_is_taken_up_to_the_window() {
    let (_shop, mut client) = shop(1, 1_000);
    assert_eq!(statuses(&client.claim(&of(1..=4))), [Granted; 4]);
    let expected = [Granted, Granted, Granted, Granted, Overloaded, Overloaded];
    assert_eq!(statuses(&client.claim(&of(11..=16))), expected);
    assert_eq!(client.granted(1), 8);
}

#[test]
fn claims_in_flight_fill_the_window() {
    let (shop, mut client) = shop(1, 1_000);
    shop.gate.close();
    send(&mut client, &of(1..=3));
    shop.wait_until_decided(Granted, 3);
    send(&mut client, &of(4..=6));
    shop.wait_until_decided(Overloaded, 2);
    // A copy of a claim that was taken is one claim more, too: nobody looks what became of it.
    send(&mut client, &of(1..=1));
    shop.wait_until_decided(Overloaded, 3);
    // What is no claim has no window.
    client.send(&frame(Opcode::Ping, 1, &[Ping::new_zeroed()]));
    assert!(client.is_quiet());
    shop.gate.open();

    assert_eq!(answers(&mut client), [Granted; 3]);
    assert_eq!(answers(&mut client), [Granted, Overloaded, Overloaded]);
    assert_eq!(answers(&mut client), [Overloaded]);
    assert_eq!(client.reply().opcode, Opcode::Ping);

    assert_eq!(client.granted(1), 4, "stock was not touched");
    assert_eq!(client.show(1).remaining.get(), STOCK - 4);
    assert_eq!([5, 6].map(|user| client.lookup(1, user, 1).status()), [Some(RequestUnknown); 2]);
    let again = client.claim(&of([5, 6, 1]));
    assert_eq!(statuses(&again), [Granted; 3]);
    assert_eq!(again.iter().map(ClaimReply::is_replayed).collect::<Vec<_>>(), [false, false, true]);
    assert_eq!(client.granted(1), 6);
}

#[test]
fn the_bound_of_the_server_holds_for_all_connections_together() {
    let (shop, mut first) = shop(2, 6);
    let mut second = shop.client();
    for round in 0..3 {
        let users = |from: u64| of(round * 100 + from..round * 100 + from + 4);
        shop.gate.close();
        send(&mut first, &users(10));
        shop.wait_until_waiting(4);
        send(&mut second, &users(20));
        shop.wait_until_decided(Overloaded, 2 * (round + 1));
        shop.gate.open();
        assert_eq!(answers(&mut first), [Granted; 4]);
        assert_eq!(answers(&mut second), [Granted, Granted, Overloaded, Overloaded]);
        // Places that were taken are given back, or the next round would be refused.
        shop.wait_until_waiting(0);
        let again = second.claim(&users(20));
        assert_eq!(statuses(&again), [Granted; 4], "retried with the same request ids");
        assert_eq!(again.iter().filter(|reply| reply.is_replayed()).count(), 2);
        shop.wait_until_waiting(0);
    }
    assert_eq!(first.granted(1), 3 * 8);
}

#[test]
fn refused_claims_take_no_place_of_others() {
    let (shop, mut greedy) = shop(1, 2 * WINDOW);
    let mut modest = shop.client();
    shop.gate.close();
    send(&mut greedy, &of(1..=4));
    send(&mut greedy, &of(11..=50));
    shop.wait_until_decided(Overloaded, 40);
    send(&mut modest, &of(61..=64));
    shop.wait_until_decided(Granted, 8);
    shop.gate.open();
    assert_eq!(answers(&mut modest), [Granted; 4], "one client's excess is its own");
    assert_eq!(answers(&mut greedy), [Granted; 4]);
    assert_eq!(answers(&mut greedy), [Overloaded; 40]);
}

#[test]
fn who_hangs_up_gives_the_places_back_when_the_claims_are_durable() {
    let (shop, mut leaver) = shop(1, WINDOW);
    let mut stayer = shop.client();
    shop.gate.close();
    send(&mut leaver, &of(1..=4));
    shop.wait_until_waiting(4);
    drop(leaver);
    send(&mut stayer, &of(11..=11));
    shop.wait_until_decided(Overloaded, 1);
    shop.gate.open();
    assert_eq!(answers(&mut stayer), [Overloaded]);
    shop.wait_until_waiting(0);
    assert_eq!(statuses(&stayer.claim(&of(11..=14))), [Granted; 4]);
    shop.wait_until_waiting(0);
    let replayed = stayer.claim(&of(1..=4));
    assert_eq!(statuses(&replayed), [Granted; 4]);
    assert!(replayed.iter().all(ClaimReply::is_replayed), "they took effect all the same");
    assert_eq!(stayer.granted(1), 8);
}
