//! A server that is told to leave: what it has taken in is answered once it is durable, what arrives meanwhile is
//! refused with `UNAVAILABLE` and has no effect, and every connection ends.

use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use stockade::server::{Server, ServerOptions};
use stockade_protocol::batch::{Action, Change, State};
use stockade_protocol::claim::{Claim, RequestKey};
use stockade_protocol::{Opcode, Status};

use crate::support::frame::{BODY_AT, frame, hello, patched};
use crate::support::link::{Link, statuses};
use crate::support::patience::wait_until;
use crate::support::shop::{Shop, creation, options, terms};

fn shop() -> Shop {
    Shop::open(2, ServerOptions { drain_timeout: Duration::from_mins(1), ..options() })
}

fn claim(user: u64) -> Vec<u8> {
    frame(Opcode::Claim, user, &[Claim::new(1, user, 1, 1)])
}

fn wait_until_nobody_listens(shop: &Shop) {
    wait_until("nobody listens", || TcpStream::connect(shop.address()).is_err());
}

#[test]
fn answers_what_is_due_and_refuses_the_rest() {
    let mut shop = shop();
    let mut client = shop.client_with_batch(1, &terms(10));
    let (mut idle, mut silent) = (shop.client(), Link::open(shop.address()));
    shop.gate.close();
    client.send(&claim(1));
    shop.gate.wait_until_held(1);
    let server = shop.server.take();
    let leaving = thread::spawn(move || server.map(Server::shutdown));
    wait_until_nobody_listens(&shop);
    // Nothing is due to these.
    idle.must_end();
    silent.must_end();
    drop((idle, silent));

    let frames = [
        claim(2),
        frame(Opcode::BatchCreate, 3, &[creation(3, &terms(1))]),
        frame(Opcode::BatchChange, 4, &[Change::new(1, Action::End)]),
        frame(Opcode::Lookup, 5, &[RequestKey::new(1, 1, 1)]),
    ];
    client.send(&frames.concat());
    let refused = || shop.sum(|core| core.frames_refused(Status::Unavailable));
    wait_until("they are refused", || refused() == 4);
    // A wrong frame is refused for what is wrong with it; a frame without an end gets no answer.
    client.send(&[patched(claim(6), 6, &[1]), hello(""), claim(7)[..BODY_AT].to_vec()].concat());
    wait_until("it is refused", || shop.sum(|core| core.frames_refused(Status::HandshakeRequired)) == 1);
    assert!(client.is_quiet(), "an answer left before its group was durable");
    shop.gate.open();

    let mut replies = (0..7).map(|_| client.reply()).collect::<Vec<_>>();
    client.must_end();
    drop(client);
    leaving.join().expect("the server has left");
    replies.sort_by_key(|reply| (reply.correlation, reply.opcode == Opcode::Fault));
    assert_eq!(statuses(&replies[0].items(Opcode::Claim)), [Status::Granted]);
    let refusals = replies[1..].iter().map(|reply| (reply.correlation, reply.fault())).collect::<Vec<_>>();
    let unavailable = |correlation| (correlation, Some(Status::Unavailable));
    let others = [(1, Some(Status::HandshakeRequired)), (6, Some(Status::Malformed))];
    assert_eq!(refusals, [others[0], unavailable(2), unavailable(3), unavailable(4), unavailable(5), others[1]]);

    let mut burst = shop.engine().burst(0);
    assert_eq!(burst.show(1).granted.get(), 1);
    assert_eq!(burst.show(1).state(), Some(State::Active));
    assert_eq!(burst.show(3).status(), Some(Status::BatchUnknown));
    assert_eq!(
        [2, 6, 7].map(|user| burst.lookup(&RequestKey::new(1, user, 1)).status()),
        [Some(Status::RequestUnknown); 3]
    );
    let _looked = burst.leave();
}

#[test]
fn leaves_at_once_when_nothing_is_due() {
    let mut shop = shop();
    let mut clients = (0..20).map(|_| shop.client()).collect::<Vec<_>>();
    let server = shop.server.take();
    let leaving = thread::spawn(move || server.map(Server::shutdown));
    clients.iter_mut().for_each(Link::must_end);
    drop(clients);
    leaving.join().expect("the server has left");
}

#[test]
fn leaves_when_its_time_is_up_although_answers_are_due() {
    let mut shop = Shop::open(1, ServerOptions { drain_timeout: Duration::from_millis(50), ..options() });
    let mut client = shop.client_with_batch(1, &terms(10));
    shop.gate.close();
    client.send(&claim(1));
    shop.gate.wait_until_held(1);
    // Returns although the disk hangs.
    shop.server.take().map(Server::shutdown).expect("it was there");
    client.must_end();
}
