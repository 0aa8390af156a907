//! A client's connection: bytes out, reply frames in.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};

use stockade_protocol::batch::{BatchId, BatchInfo};
use stockade_protocol::claim::{Claim, ClaimReply, RequestKey};
use stockade_protocol::coupon::{Change, Changed};
use stockade_protocol::hello::Welcome;
use stockade_protocol::ping::Ping;
use stockade_protocol::reservation::{Extend, Reserve};
use stockade_protocol::{Opcode, Status};
use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::frame::{Reply, frame, hello};
use super::patience::GIVE_UP;

/// The correlation of [`Link::ask`]; tests that pipeline number their frames otherwise.
const ASKED: u64 = 0xA5_4BED;

/// See the module.
pub(crate) struct Link {
    pub(crate) stream: TcpStream,
    received: Vec<u8>,
}

impl Link {
    /// A connection on which nothing was said yet.
    pub(crate) fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("the server listens");
        stream.set_nodelay(true).expect("a socket");
        stream.set_read_timeout(Some(GIVE_UP)).expect("a time limit");
        stream.set_write_timeout(Some(GIVE_UP)).expect("a time limit");
        Self { stream, received: Vec::new() }
    }

    /// A connection after its handshake.
    pub(crate) fn greeted(address: SocketAddr, token: &str) -> Self {
        let mut link = Self::open(address);
        link.send(&hello(token));
        let welcome = link.reply().items::<Welcome>(Opcode::Hello);
        assert_eq!(welcome.len(), 1);
        link
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).expect("the server reads");
    }

    /// The next reply frame.
    pub(crate) fn reply(&mut self) -> Reply {
        self.reply_or_end().expect("the server hung up")
    }

    /// The next reply frame; `None` when the connection ended instead.
    pub(crate) fn reply_or_end(&mut self) -> Option<Reply> {
        loop {
            if let Some(reply) = Reply::take_from(&mut self.received) {
                return Some(reply);
            }
            if !self.receive() {
                assert!(self.received.is_empty(), "a reply was cut off");
                return None;
            }
        }
    }

    /// Waits for the end of the connection; nothing may come before it.
    pub(crate) fn must_end(&mut self) {
        assert_eq!(self.reply_or_end(), None, "not another word");
    }

    /// Whether not a byte has arrived that was not read.
    pub(crate) fn is_quiet(&self) -> bool {
        self.stream.set_nonblocking(true).expect("a socket");
        let seen = self.stream.peek(&mut [0; 1]);
        self.stream.set_nonblocking(false).expect("a socket");
        self.received.is_empty() && seen.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
    }

    /// Reads what comes next. False at the end of the connection.
    fn receive(&mut self) -> bool {
        let mut chunk = vec![0; 64 << 10];
        match self.stream.read(&mut chunk) {
            Ok(read) => {
                self.received.extend_from_slice(&chunk[..read]);
                read > 0
            }
            // A server that closes while something unread is on its way: TCP makes a reset of it.
            Err(error) if error.kind() == ErrorKind::ConnectionReset => false,
            Err(error) => panic!("neither an answer nor the end: {error}"),
        }
    }

    /// Sends one frame and reads its reply.
    pub(crate) fn ask<Q: IntoBytes + Immutable>(&mut self, opcode: Opcode, items: &[Q]) -> Reply {
        self.send(&frame(opcode, ASKED, items));
        let reply = self.reply();
        assert_eq!(reply.correlation, ASKED);
        reply
    }

    /// Sends one frame and reads the items of its reply, one for each.
    pub(crate) fn answers<Q, R>(&mut self, opcode: Opcode, items: &[Q]) -> Vec<R>
    where
        Q: IntoBytes + Immutable,
        R: FromBytes + KnownLayout + Immutable + Unaligned + Clone,
    {
        let answers = self.ask(opcode, items).items::<R>(opcode);
        assert_eq!(answers.len(), items.len(), "one answer for each item");
        answers
    }

    pub(crate) fn ping(&mut self) {
        let mut ping = Ping::new_zeroed();
        ping.nonce.set(77);
        assert_eq!(self.answers::<Ping, Ping>(Opcode::Ping, &[ping]), [ping]);
    }

    /// A ping, and whatever comes before its answer.
    pub(crate) fn ping_after(&mut self, mut before: impl FnMut(&Reply)) {
        self.send(&frame(Opcode::Ping, ASKED, &[Ping::new_zeroed()]));
        loop {
            let reply = self.reply();
            if reply.correlation == ASKED {
                return;
            }
            before(&reply);
        }
    }

    pub(crate) fn claim(&mut self, claims: &[Claim]) -> Vec<ClaimReply> {
        self.answers(Opcode::Claim, claims)
    }

    pub(crate) fn reserve(&mut self, reservations: &[Reserve]) -> Vec<ClaimReply> {
        self.answers(Opcode::Reserve, reservations)
    }

    pub(crate) fn extend(&mut self, extensions: &[Extend]) -> Vec<ClaimReply> {
        self.answers(Opcode::Extend, extensions)
    }

    /// `CONFIRM` or `CANCEL`.
    pub(crate) fn settle(&mut self, opcode: Opcode, keys: &[RequestKey]) -> Vec<ClaimReply> {
        self.answers(opcode, keys)
    }

    pub(crate) fn change_coupon(&mut self, change: Change) -> Changed {
        self.answers(Opcode::CouponChange, &[change])[0]
    }

    pub(crate) fn lookup(&mut self, batch: u64, user: u64, request: u64) -> ClaimReply {
        self.answers(Opcode::Lookup, &[RequestKey::new(batch, user, request)])[0]
    }

    pub(crate) fn show(&mut self, batch: u64) -> BatchInfo {
        self.answers(Opcode::BatchShow, &[BatchId { batch: batch.into() }])[0]
    }

    /// Units of a batch that were granted. They, those reserved or voided, and the remaining ones are all.
    pub(crate) fn granted(&mut self, batch: u64) -> u32 {
        let info = self.show(batch);
        assert_eq!(info.status(), Some(Status::Done));
        let parts = [info.granted, info.held, info.voided, info.remaining].map(zerocopy::little_endian::U32::get);
        assert_eq!(info.total.get(), parts.iter().sum::<u32>(), "every unit is somewhere");
        info.granted.get()
    }
}

/// The statuses of answers to claims or look-ups.
pub(crate) fn statuses(replies: &[ClaimReply]) -> Vec<Status> {
    replies.iter().map(|reply| reply.status().expect("a known status")).collect()
}
