//! More bytes than a socket takes at once, in both directions.

use std::io::Read;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use stockade_loadtest::Plan;
use stockade_loadtest::load::connection::Connection;
use stockade_loadtest::load::lane::Lane;
use stockade_loadtest::load::population::Population;
use stockade_loadtest::load::tally::{Period, Tally};
use stockade_loadtest::time::Clock;
use stockade_protocol::claim::Claim;
use stockade_protocol::frame::{Side, decode};
use stockade_protocol::limits::REQUEST_BODY_BYTES_MAX;

use crate::support::{FakeServer, faults, report};

#[test]
fn what_the_socket_did_not_take_follows_byte_for_byte() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    stream.set_nonblocking(true).unwrap();
    let (mut peer, _) = listener.accept().unwrap();

    // A closed loop whose window no socket buffer holds: 16 GB.
    let plan = Plan { closed: true, window: 65_536, claims_per_frame: 8_192, ..Plan::default() };
    let population = Arc::new(Population::new(&plan, 1, 1));
    let period = Period { warm_ns: 0, end_ns: u64::MAX };
    let mut tally = Tally::new(period, 0);
    let clock = Clock::starting_in(Duration::ZERO);
    let mut lane = Lane::new(Connection::new(0, &plan, Arc::clone(&population), period));
    lane.attach(stream, clock, &mut tally).unwrap();
    let mut out = Vec::new();
    // 1,000 writes of half a megabyte.
    for _ in 0..1_000 {
        lane.send_due(&mut out, clock, &mut tally).unwrap();
    }
    assert!(lane.is_blocked(), "no socket takes so much unread");
    assert_eq!(lane.next_due_ns(), None, "nothing overtakes what waits");

    let reader = thread::spawn(move || {
        let mut bytes = Vec::new();
        peer.read_to_end(&mut bytes).unwrap();
        bytes
    });
    while lane.is_blocked() {
        lane.write_on(clock).unwrap();
        thread::yield_now();
    }
    drop(lane);
    let bytes = reader.join().unwrap();
    let (mut rest, mut slot) = (bytes.as_slice(), 0);
    while let Some((frame, length)) = decode(Side::Server, rest, REQUEST_BODY_BYTES_MAX).unwrap() {
        for claim in frame.items::<Claim>().unwrap() {
            assert_eq!(claim.request.get(), population.identity(0, slot).request, "slot {slot}");
            slot += 1;
        }
        rest = &rest[length..];
    }
    assert_eq!((slot, rest.len()), (tally.claims_sent, 0), "whole frames, and all that were sent");
}

#[test]
fn replies_of_many_megabytes_are_put_together_again() {
    let server = FakeServer::honest();
    let mut plan = server.plan(400_000);
    // Frames of 8,192 claims: a reply of 196,640 bytes comes in several reads.
    (plan.connections, plan.window, plan.claims_per_frame) = (1, 64, 8_192);
    let report = report(&plan);
    assert_eq!(faults(&report), [""; 0], "{report}");
    assert_eq!((report.claims.answered, report.connections.broken), (400_000, 0), "{report}");
    assert_eq!(report.verification.looked_up, 400_000);
}
