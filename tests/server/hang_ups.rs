//! A client that is gone in the middle of a frame leaves nothing behind: no claim, no connection, no harm to others.

use std::net::Shutdown;
use std::time::Duration;

use stockade::server::Server;
use stockade_protocol::claim::Claim;
use stockade_protocol::{Opcode, Status};

use crate::support::frame::{BODY_AT, frame, hello};
use crate::support::link::{Link, statuses};
use crate::support::patience::wait_until;
use crate::support::shop::{Shop, options, terms};

/// How a client goes.
#[derive(Clone, Copy, Debug)]
enum Way {
    Closes,
    /// The process died with bytes unread, or a firewall cut in.
    Resets,
    /// Says that nothing more will come, and still listens.
    ClosesHalf,
}

/// Goes, and returns what must live on until the server has noticed.
fn go(link: Link, way: Way) -> Option<Link> {
    match way {
        Way::Closes => None,
        Way::Resets => {
            socket2::SockRef::from(&link.stream).set_linger(Some(Duration::ZERO)).expect("a socket");
            None
        }
        Way::ClosesHalf => {
            link.stream.shutdown(Shutdown::Write).expect("a socket");
            Some(link)
        }
    }
}

#[test]
fn in_the_middle_of_a_frame() {
    let shop = Shop::open(2, options());
    let mut stayer = shop.client_with_batch(1, &terms(100));
    let only_stayer = || shop.server.as_ref().map(Server::connections) == Some(1);
    let claims = [Claim::new(1, 1, 1, 1), Claim::new(1, 2, 1, 1), Claim::new(1, 3, 1, 1)];
    let bytes = frame(Opcode::Claim, 1, &claims);
    for way in [Way::Closes, Way::Resets, Way::ClosesHalf] {
        // Within the header; after it; after whole items; one byte before the end.
        for early in [1, BODY_AT, BODY_AT + 32, BODY_AT + 65, bytes.len() - 1] {
            let mut leaver = shop.client();
            shop.send_and_see(&mut leaver, &bytes[..early]);
            let still_there = go(leaver, way);
            wait_until("the server has noticed", only_stayer);
            assert_eq!(stayer.granted(1), 0, "{way:?} after {early} bytes");
            drop(still_there);
        }
        let mut stranger = Link::open(shop.address());
        shop.send_and_see(&mut stranger, &hello("")[..77]);
        let still_there = go(stranger, way);
        wait_until("the server has noticed", only_stayer);
        drop(still_there);
    }
    for claim in claims {
        assert_eq!(stayer.lookup(1, claim.user.get(), 1).status(), Some(Status::RequestUnknown));
    }
    assert_eq!(statuses(&stayer.claim(&claims)), [Status::Granted; 3]);
}

#[test]
fn whole_frames_before_the_broken_one_took_effect() {
    let shop = Shop::open(1, options());
    let mut stayer = shop.client_with_batch(1, &terms(100));
    let mut leaver = shop.client();
    let whole = frame(Opcode::Claim, 1, &[Claim::new(1, 1, 1, 1)]);
    let broken = frame(Opcode::Claim, 2, &[Claim::new(1, 2, 1, 1)]);
    shop.send_and_see(&mut leaver, &[&whole[..], &broken[..40]].concat());
    drop(leaver);
    wait_until("the server has noticed", || shop.server.as_ref().map(Server::connections) == Some(1));
    assert_eq!(stayer.granted(1), 1);
    assert_eq!(stayer.lookup(1, 1, 1).status(), Some(Status::Granted));
    assert_eq!(stayer.lookup(1, 2, 1).status(), Some(Status::RequestUnknown));
}

#[test]
fn who_closes_only_the_sending_side_gets_what_it_is_owed() {
    let shop = Shop::open(1, options());
    let mut stayer = shop.client_with_batch(1, &terms(100));
    let mut leaver = shop.client();
    shop.gate.close();
    leaver.send(&frame(Opcode::Claim, 1, &[Claim::new(1, 1, 1, 1), Claim::new(1, 2, 1, 1)]));
    shop.wait_until_waiting(2);
    leaver.stream.shutdown(Shutdown::Write).expect("a socket");
    // The one core reads this after it has seen that end.
    shop.send_and_see(&mut stayer, &frame(Opcode::Claim, 2, &[Claim::new(1, 3, 1, 1)])[..40]);
    shop.gate.open();
    assert_eq!(statuses(&leaver.reply().items(Opcode::Claim)), [Status::Granted; 2]);
    leaver.must_end();
    wait_until("the server has noticed", || shop.server.as_ref().map(Server::connections) == Some(1));
}

#[test]
fn resets_that_meet_answers_on_their_way() {
    let shop = Shop::open(1, options());
    let mut stayer = shop.client_with_batch(1, &terms(100_000));
    for round in 0..40_u64 {
        let mut leavers = (0..20).map(|_| shop.client()).collect::<Vec<_>>();
        shop.gate.close();
        for (leaver, number) in leavers.iter_mut().zip(0..) {
            leaver.send(&frame(Opcode::Claim, 1, &[Claim::new(1, round * 20 + number, 1, 1)]));
        }
        shop.wait_until_waiting(20);
        // Whichever the core learns first: that the answers may leave, or that nobody takes them.
        std::thread::scope(|scope| {
            scope.spawn(|| shop.gate.open());
            leavers.drain(..).for_each(|leaver| drop(go(leaver, Way::Resets)));
        });
        shop.wait_until_waiting(0);
        stayer.ping();
    }
    wait_until("the server has noticed", || shop.server.as_ref().map(Server::connections) == Some(1));
    assert_eq!(stayer.granted(1), 800);
}
