//! A server that answers what a test wants to see answered.
//!
//! A claim, reservation, look-up or coupon change of user *n*, and whatever is done with batch *n*, is answered with
//! status number *n*; other numbers, with what is all right.

mod batches;
mod coupons;
mod feed;
mod units;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use stockade_protocol::fault::Fault;
use stockade_protocol::frame::{Frame, Side, decode};
use stockade_protocol::hello::{ClientInfo, Durability, Hello, Welcome};
use stockade_protocol::limits::REQUEST_BODY_BYTES_MAX;
use stockade_protocol::{Header, Opcode, Status};
use zerocopy::{Immutable, IntoBytes};

pub(crate) use batches::{DAYS, LONG_LIVED, STOPS};
pub(crate) use feed::{CUT, EVENTS};

/// The token that it refuses.
pub(crate) const WRONG_TOKEN: &str = "the-wrong-token-of-all";

/// Batches and coupons that it lists: more than two pages.
pub(crate) const LISTED: u32 = 2_500;

/// The user for whom it hangs up instead of answering.
pub(crate) const HANG_UP: u64 = 0;

/// The instant of everything that happens: 2026-11-27T12:00:00Z.
const NOON_MS: u64 = 1_795_780_800_000;

/// The cursor that a consumer acknowledged last, epoch and index.
type Cursor = Arc<Mutex<(u64, u32)>>;

/// Starts one. It lives as long as the test's process. Gives its address.
pub(crate) fn scripted_server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("bound").to_string();
    let cursor = Cursor::default();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let cursor = Arc::clone(&cursor);
            std::thread::spawn(move || serve(stream, &cursor));
        }
    });
    address
}

fn serve(mut stream: TcpStream, cursor: &Cursor) {
    let (mut received, mut chunk) = (Vec::new(), [0; 4096]);
    while let Ok(count @ 1..) = stream.read(&mut chunk) {
        received.extend_from_slice(&chunk[..count]);
        while let Some((frame, length)) = decode(Side::Server, &received, REQUEST_BODY_BYTES_MAX).expect("a frame") {
            let Some(reply) = answer(&frame, cursor) else { return };
            // A feed that has told all that it was asked for closes with events on their way.
            if stream.write_all(&reply).is_err() {
                return;
            }
            received.drain(..length);
        }
    }
}

/// The bytes of the reply, or of the replies; `None` hangs up.
fn answer(frame: &Frame<'_>, cursor: &Cursor) -> Option<Vec<u8>> {
    match frame.opcode {
        Opcode::Hello => Some(hello(frame)),
        Opcode::Ping => Some(reply(Opcode::Ping, frame.correlation, frame.items::<[u8; 8]>().expect("eight bytes"))),
        Opcode::ClientList => {
            let clients = [ClientInfo::new(1, "shop-7"), ClientInfo::new(2, "stockade-cli")];
            Some(reply(frame.opcode, frame.correlation, &clients))
        }
        Opcode::Claim
        | Opcode::Lookup
        | Opcode::Reserve
        | Opcode::Confirm
        | Opcode::Cancel
        | Opcode::Extend
        | Opcode::Serials => units::answer(frame),
        Opcode::BatchCreate
        | Opcode::BatchShow
        | Opcode::BatchList
        | Opcode::BatchChange
        | Opcode::BatchAddStock
        | Opcode::BatchEdit
        | Opcode::BatchWithdraw
        | Opcode::BatchStats
        | Opcode::BatchRefusals
        | Opcode::BatchReconcile => batches::answer(frame),
        Opcode::CouponChange | Opcode::CouponShow | Opcode::CouponList | Opcode::CouponLog | Opcode::Wallet => {
            Some(coupons::answer(frame))
        }
        Opcode::FeedSubscribe | Opcode::FeedAcknowledge | Opcode::FeedList | Opcode::FeedForget => {
            Some(feed::answer(frame, cursor))
        }
        Opcode::Fault => None,
    }
}

fn hello(frame: &Frame<'_>) -> Vec<u8> {
    let (_, token) = frame.item::<Hello>().expect("a hello").texts().expect("texts");
    if token == WRONG_TOKEN {
        return fault(frame.correlation, Status::TokenInvalid);
    }
    let mut welcome = Welcome::new(Durability::Fsync, "scripted");
    (welcome.cores, welcome.store_id) = (1.into(), 1.into());
    (welcome.claims_per_frame_max, welcome.in_flight_claims_max) = (8.into(), 8.into());
    welcome.ttl_s_max = 3_600.into();
    reply(Opcode::Hello, frame.correlation, &[welcome])
}

/// The status that a number stands for; `otherwise` where it stands for none.
fn status_of(number: u64, otherwise: Status) -> Status {
    u8::try_from(number).ok().and_then(Status::from_number).unwrap_or(otherwise)
}

fn reply<T: IntoBytes + Immutable>(opcode: Opcode, correlation: u64, items: &[T]) -> Vec<u8> {
    let header = Header::reply(opcode, u32::try_from(items.len()).expect("few items"), correlation);
    [header.as_bytes(), items.as_bytes()].concat()
}

fn fault(correlation: u64, status: Status) -> Vec<u8> {
    reply(Opcode::Fault, correlation, &[Fault::new(status, "said the scripted server")])
}
