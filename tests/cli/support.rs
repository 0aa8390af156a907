//! The real binary, and a server that answers what a test wants to see answered.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Output, Stdio};

use stockade_protocol::batch::{AddStock, BatchId, BatchInfo, Change, Create, List, State};
use stockade_protocol::claim::{Claim, ClaimReply, RequestKey};
use stockade_protocol::fault::Fault;
use stockade_protocol::frame::{Frame, Side, decode};
use stockade_protocol::hello::{Durability, Hello, Welcome};
use stockade_protocol::limits::REQUEST_BODY_BYTES_MAX;
use stockade_protocol::{Header, Opcode, Status};
use zerocopy::IntoBytes;

/// The token that the scripted server refuses.
pub(crate) const WRONG_TOKEN: &str = "the-wrong-token-of-all";

/// Batches that the scripted server lists: more than two pages.
pub(crate) const LISTED_BATCHES: u64 = 2_500;

/// The user for whom the scripted server hangs up instead of answering.
pub(crate) const HANG_UP: u64 = 0;

/// What a command left behind.
pub(crate) struct Ran {
    pub(crate) exit: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs `stockade` with these arguments and nothing in its environment.
pub(crate) fn stockade(arguments: &[&str]) -> Ran {
    stockade_with(&[], arguments)
}

/// Runs `stockade` with these variables and arguments.
pub(crate) fn stockade_with(environment: &[(&str, &str)], arguments: &[&str]) -> Ran {
    let output = Command::new(env!("CARGO_BIN_EXE_stockade"))
        .env_clear()
        .envs(environment.iter().copied())
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .expect("the binary runs");
    let Output { status, stdout, stderr } = output;
    Ran {
        exit: status.code().unwrap_or_else(|| panic!("{arguments:?} died: {status}")),
        stdout: String::from_utf8(stdout).expect("results are UTF-8"),
        stderr: String::from_utf8(stderr).expect("complaints are UTF-8"),
    }
}

impl Ran {
    /// The one line of JSON that it printed.
    pub(crate) fn json(&self) -> serde_json::Value {
        assert_eq!(self.stdout.lines().count(), 1, "one line: {:?}", self.stdout);
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {:?}", self.stdout))
    }

    /// Asserts the exit status, and that a complaint came with every status but 0.
    pub(crate) fn exits(&self, expected: i32) -> &Self {
        assert_eq!(self.exit, expected, "stdout {:?} stderr {:?}", self.stdout, self.stderr);
        assert_eq!(self.stderr.is_empty(), expected == 0, "stderr {:?}", self.stderr);
        self
    }
}

/// Starts a server that answers a claim or look-up of user `n` with status number `n`, and whatever is done with batch
/// `n` with status number `n`. It lives as long as the test's process. Gives its address.
pub(crate) fn scripted_server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("bound").to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || serve(stream));
        }
    });
    address
}

fn serve(mut stream: TcpStream) {
    let (mut received, mut chunk) = (Vec::new(), [0; 4096]);
    while let Ok(count @ 1..) = stream.read(&mut chunk) {
        received.extend_from_slice(&chunk[..count]);
        while let Some((frame, length)) = decode(Side::Server, &received, REQUEST_BODY_BYTES_MAX).expect("a frame") {
            let Some(reply) = answer(&frame) else { return };
            stream.write_all(&reply).expect("the client reads");
            received.drain(..length);
        }
    }
}

/// The reply's bytes; `None` hangs up.
fn answer(frame: &Frame<'_>) -> Option<Vec<u8>> {
    let opcode = frame.opcode;
    match opcode {
        Opcode::Hello => {
            let (_, token) = frame.item::<Hello>().expect("a hello").texts().expect("texts");
            if token == WRONG_TOKEN {
                return Some(fault(frame.correlation, Status::TokenInvalid));
            }
            let mut welcome = Welcome::new(Durability::Fsync, "scripted");
            (welcome.cores, welcome.store_id) = (1.into(), 1.into());
            (welcome.claims_per_frame_max, welcome.in_flight_claims_max) = (8.into(), 8.into());
            Some(reply(opcode, frame.correlation, &[welcome]))
        }
        Opcode::Ping => Some(reply(opcode, frame.correlation, frame.body())),
        Opcode::Claim => {
            let claim = frame.items::<Claim>().expect("claims")[0];
            (claim.user.get() != HANG_UP)
                .then(|| reply(opcode, frame.correlation, &[claim_reply(claim.user.get(), claim.quantity)]))
        }
        Opcode::Lookup => {
            let key = frame.items::<RequestKey>().expect("keys")[0];
            (key.user.get() != HANG_UP).then(|| reply(opcode, frame.correlation, &[claim_reply(key.user.get(), 1)]))
        }
        Opcode::BatchCreate => Some(batch(frame, frame.items::<Create>().expect("terms")[0].batch.get(), 0)),
        Opcode::BatchShow => Some(batch(frame, frame.items::<BatchId>().expect("ids")[0].batch.get(), 0)),
        Opcode::BatchChange => Some(batch(frame, frame.items::<Change>().expect("changes")[0].batch.get(), 0)),
        Opcode::BatchAddStock => {
            let addition = frame.items::<AddStock>().expect("additions")[0];
            Some(batch(frame, addition.batch.get(), addition.units.get()))
        }
        Opcode::BatchList => {
            let list = frame.item::<List>().expect("a list");
            let ids = list.from.get()..LISTED_BATCHES.min(list.from.get() + u64::from(list.limit.get()));
            Some(reply(opcode, frame.correlation, &ids.map(|id| info(Status::Done, id, 0)).collect::<Vec<_>>()))
        }
        Opcode::Serials | Opcode::Fault => Some(fault(frame.correlation, Status::OpcodeUnknown)),
    }
}

fn claim_reply(number: u64, quantity: u8) -> ClaimReply {
    match status_of(number) {
        Status::Granted => {
            let mut granted = ClaimReply::granted(quantity, 40, quantity);
            (granted.remaining, granted.user_units, granted.epoch) = (90.into(), 5.into(), 77.into());
            granted
        }
        status => {
            let mut refused = ClaimReply::refused(status);
            refused.remaining = 3.into();
            refused
        }
    }
}

fn batch(frame: &Frame<'_>, id: u64, added: u32) -> Vec<u8> {
    reply(frame.opcode, frame.correlation, &[info(status_of(id), id, added)])
}

fn info(status: Status, id: u64, added: u32) -> BatchInfo {
    if status == Status::BatchUnknown {
        return BatchInfo::refused(status, id);
    }
    let mut info = BatchInfo::about(status, id, State::Active, "Double Eleven");
    (info.total, info.granted, info.remaining) = ((100 + added).into(), 10.into(), (90 + added).into());
    (info.per_user, info.created_ms) = (2.into(), 1_795_780_800_000.into());
    info.ends_ms = 1_795_780_800_500.into();
    info
}

fn status_of(number: u64) -> Status {
    u8::try_from(number).ok().and_then(Status::from_number).unwrap_or(Status::Done)
}

fn reply<T: IntoBytes + zerocopy::Immutable>(opcode: Opcode, correlation: u64, items: &[T]) -> Vec<u8> {
    // A ping's body comes as bytes: one item of eight.
    let count = if opcode == Opcode::Ping { 1 } else { items.len() };
    let header = Header::reply(opcode, u32::try_from(count).expect("few items"), correlation);
    [header.as_bytes(), items.as_bytes()].concat()
}

fn fault(correlation: u64, status: Status) -> Vec<u8> {
    reply(Opcode::Fault, correlation, &[Fault::new(status, "said the scripted server")])
}
