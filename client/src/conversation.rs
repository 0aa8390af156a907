//! One connection at work: takes requests from the pool's queue, writes frames, hands answers out.
//!
//! A single task reads and writes. It takes from the queue only when all earlier bytes are written, so what queued
//! during a write leaves in the next frame together; and only as much as the server's window has room for.

use std::io;
use std::time::Duration;

use bytes::{Buf, BufMut, BytesMut};
use stockade_protocol::frame::{self, Side};
use stockade_protocol::limits::{CLAIMS_PER_FRAME_MAX, HEADER_BYTES, REPLY_BODY_BYTES_MAX};
use stockade_protocol::{Header, Opcode};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split};
use tokio::time::{Instant, sleep_until};
use zerocopy::IntoBytes;

use crate::dial::Link;
use crate::job::{Attempt, Job};
use crate::limits::{IN_FLIGHT_MAX, READ_BYTES};
use crate::pending::Pending;
use crate::pool::Pool;
use crate::request::SHARED;
use crate::trouble::Trouble;

/// Runs the connection until it is lost, tells everyone in flight, and returns why.
///
/// `silence_limit`: how long a connection that owes answers may bring no byte before it counts as lost.
pub(crate) async fn converse<S>(pool: &Pool, link: Link<S>, silence_limit: Duration) -> Trouble
where
    S: AsyncRead + AsyncWrite,
{
    let (mut reader, mut writer) = split(link.stream);
    let mut talk = Conversation::new(&link.server, link.incoming);
    let mut silence = std::pin::pin!(sleep_until(Instant::now() + silence_limit));
    let mut end = talk.digest();
    while end.is_ok() {
        talk.incoming.reserve(READ_BYTES);
        end = tokio::select! {
            // In this order: a connection that the server has closed must be seen as lost before it takes more
            // requests.
            biased;
            read = reader.read_buf(&mut talk.incoming) => talk.heard(read),
            wrote = writer.write_buf(&mut talk.outgoing), if talk.outgoing.has_remaining() => talk.wrote(wrote),
            () = pool.work(), if talk.room() > 0 => {
                talk.fill(pool);
                Ok(())
            }
            () = silence.as_mut(), if talk.pending.requests() > 0 => {
                let until = talk.waiting_since + silence_limit;
                silence.as_mut().reset(until);
                if until > Instant::now() { Ok(()) } else { Err(silent(silence_limit)) }
            }
        };
    }
    let trouble = end.expect_err("the loop ends with the trouble that ended it");
    talk.pending.cut(&trouble, talk.written, talk.store);
    trouble
}

pub(crate) fn silent(limit: Duration) -> Trouble {
    Trouble::network(format!("the connection owed answers and brought nothing for {limit:?}"))
}

struct Conversation {
    incoming: BytesMut,
    outgoing: BytesMut,
    pending: Pending,
    /// Requests just taken from the queue; kept for its memory.
    taken: Vec<Job>,
    /// Bytes of frames made, and of these the bytes that the socket took.
    framed: u64,
    written: u64,
    /// Since when the server owes something and was not heard.
    waiting_since: Instant,
    in_flight_max: usize,
    per_frame_max: usize,
    store: u64,
}

impl Conversation {
    fn new(server: &crate::Server, incoming: BytesMut) -> Self {
        let at_most = |told: u32, own: usize| usize::try_from(told).unwrap_or(usize::MAX).min(own);
        Self {
            incoming,
            outgoing: BytesMut::new(),
            pending: Pending::default(),
            taken: Vec::new(),
            framed: 0,
            written: 0,
            waiting_since: Instant::now(),
            in_flight_max: at_most(server.in_flight_claims_max, IN_FLIGHT_MAX),
            per_frame_max: at_most(server.claims_per_frame_max, CLAIMS_PER_FRAME_MAX as usize),
            store: server.store_id,
        }
    }

    /// How many requests may be taken now. None while a write is under way: what queues meanwhile leaves together.
    fn room(&self) -> usize {
        if self.outgoing.has_remaining() {
            return 0;
        }
        self.per_frame_max.min(self.in_flight_max - self.pending.requests())
    }

    fn heard(&mut self, read: io::Result<usize>) -> Result<(), Trouble> {
        match read {
            Ok(0) => Err(Trouble::network("closed by the server")),
            Ok(_) => {
                self.waiting_since = Instant::now();
                self.digest()
            }
            Err(error) => Err(Trouble::network(format!("lost: {error}"))),
        }
    }

    fn wrote(&mut self, wrote: io::Result<usize>) -> Result<(), Trouble> {
        match wrote {
            Ok(0) => Err(Trouble::network("the socket takes no more bytes")),
            Ok(bytes) => {
                self.written += bytes as u64;
                Ok(())
            }
            Err(error) => Err(Trouble::network(format!("lost: {error}"))),
        }
    }

    /// Settles every whole frame that has arrived.
    fn digest(&mut self) -> Result<(), Trouble> {
        loop {
            match frame::decode(Side::Client, &self.incoming, REPLY_BODY_BYTES_MAX) {
                Ok(None) => return Ok(()),
                Ok(Some((frame, length))) => {
                    self.pending.settle(&frame)?;
                    self.incoming.advance(length);
                }
                Err(error) => return Err(Trouble::protocol(format!("a reply is no valid frame ({})", error.status))),
            }
        }
    }

    /// Takes what queued and makes frames of it: those of each kind of [`SHARED`] together, each other request alone.
    fn fill(&mut self, pool: &Pool) {
        let mut taken = std::mem::take(&mut self.taken);
        pool.take(self.room(), &mut taken);
        let mut shared: [Vec<Job>; SHARED.len()] = Default::default();
        for job in taken.drain(..) {
            if job.only_store.is_some_and(|store| store != self.store) {
                job.into_answer().tell(Attempt::OtherStore);
            } else if job.depart() {
                let opcode = job.request.opcode();
                match SHARED.iter().position(|kind| *kind == opcode) {
                    Some(kind) => shared[kind].push(job),
                    None => self.send(opcode, vec![job]),
                }
            }
        }
        self.taken = taken;
        for (opcode, jobs) in SHARED.into_iter().zip(shared) {
            self.send(opcode, jobs);
        }
    }

    /// Appends one frame with all of `jobs`.
    ///
    /// Its deadline is the latest of theirs: no request is dropped by the server while its caller still waits.
    fn send(&mut self, opcode: Opcode, jobs: Vec<Job>) {
        let Some(latest) = jobs.iter().map(|job| job.deadline).max() else { return };
        let now = Instant::now();
        if self.pending.requests() == 0 {
            self.waiting_since = now;
        }
        let count = u32::try_from(jobs.len()).expect("a frame takes at most CLAIMS_PER_FRAME_MAX requests");
        let bytes = HEADER_BYTES + jobs.len() * opcode.request_shape().item_bytes as usize;
        self.framed += bytes as u64;
        self.outgoing.reserve(bytes);

        // The header needs the correlation id, the id the answers: so the items are encoded on the way to the answers.
        let header_at = self.outgoing.len();
        self.outgoing.put_bytes(0, HEADER_BYTES);
        let mut answers = Vec::with_capacity(jobs.len());
        for job in jobs {
            job.request.encode(&mut self.outgoing);
            answers.push(job.into_answer());
        }
        let correlation = self.pending.enrol(opcode, answers, self.framed);
        let header = Header::request(opcode, count, correlation, milliseconds_until(latest, now));
        self.outgoing[header_at..header_at + HEADER_BYTES].copy_from_slice(header.as_bytes());
    }
}

/// Rounded up, and never 0, which would mean no deadline.
pub(crate) fn milliseconds_until(deadline: Instant, now: Instant) -> u32 {
    let nanos = deadline.saturating_duration_since(now).as_nanos();
    u32::try_from(nanos.div_ceil(1_000_000)).unwrap_or(u32::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use stockade_protocol::claim::{Claim, ClaimReply};
    use stockade_protocol::frame::Frame;
    use stockade_protocol::limits::REQUEST_BODY_BYTES_MAX;
    use tokio::io::DuplexStream;

    use super::*;
    use crate::Client;
    use crate::handle::Handle;
    use crate::job::Ticket;
    use crate::reply::Reply;
    use crate::request::Request;
    use crate::server::Server;

    const CLAIM_FRAME_BYTES: usize = HEADER_BYTES + size_of::<Claim>();
    const LIMIT: Duration = Duration::from_secs(5);

    fn handle() -> Arc<Handle> {
        Client::builder("stock.example:7400").build().expect("valid").into_handle()
    }

    fn server() -> Server {
        Server {
            version: String::new(),
            protocol_version: 1,
            durability: Some(crate::Durability::Memory),
            cores: 1,
            claims_per_frame_max: 8_192,
            in_flight_claims_max: 65_536,
            ttl_s_max: 3_600,
            store_id: 7,
            durable_epoch: 0,
            now_ms: 0,
        }
    }

    /// A conversation over a pipe that holds `pipe_bytes`, and the server's end of it.
    fn start(handle: &Arc<Handle>, pipe_bytes: usize) -> (tokio::task::JoinHandle<Trouble>, DuplexStream) {
        let (stream, peer) = tokio::io::duplex(pipe_bytes);
        let pool = Arc::clone(&handle.pool);
        let link = Link { stream, server: server(), incoming: BytesMut::new() };
        (tokio::spawn(async move { converse(&pool, link, LIMIT).await }), peer)
    }

    /// Queues claims of `users`. The connection under test is the only one: seats for others are given back.
    async fn queue(handle: &Handle, users: std::ops::Range<u64>) -> Vec<Ticket> {
        let deadline = Instant::now() + Duration::from_mins(1);
        let mut tickets = Vec::new();
        for user in users {
            let (job, ticket) = Job::new(Request::Claim(Claim::new(1, user, 1, 1)), deadline, None);
            drop(handle.pool.push(job).await.expect("nothing is refused"));
            tickets.push(ticket);
        }
        tickets
    }

    async fn settle() {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    }

    async fn with_frame<R>(peer: &mut DuplexStream, buffer: &mut BytesMut, look: impl Fn(&Frame<'_>) -> R) -> R {
        loop {
            if let Some((frame, length)) =
                frame::decode(Side::Server, buffer, REQUEST_BODY_BYTES_MAX).expect("valid frames")
            {
                let seen = look(&frame);
                buffer.advance(length);
                return seen;
            }
            assert!(peer.read_buf(buffer).await.expect("an open pipe") > 0);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_queues_during_a_write_leaves_in_one_frame() {
        let handle = handle();
        // One byte short of a frame: its write is under way until the server reads.
        let (_conversation, mut peer) = start(&handle, CLAIM_FRAME_BYTES - 1);
        let mut tickets = queue(&handle, 0..1).await;
        settle().await;
        for user in 1..51 {
            tickets.extend(queue(&handle, user..user + 1).await);
            settle().await;
        }

        let mut buffer = BytesMut::new();
        let (count, first) = with_frame(&mut peer, &mut buffer, |frame| (frame.count, frame.correlation)).await;
        assert_eq!(count, 1);
        let (count, second) = with_frame(&mut peer, &mut buffer, |frame| (frame.count, frame.correlation)).await;
        assert_eq!(count, 50);

        for (correlation, count) in [(second, 50), (first, 1)] {
            let replies: Vec<_> = (0..count).map(|index| ClaimReply::granted(1, index, 1)).collect();
            let header = Header::reply(Opcode::Claim, count, correlation);
            peer.write_all(header.as_bytes()).await.expect("an open pipe");
            peer.write_all(replies.as_bytes()).await.expect("an open pipe");
        }
        for (user, ticket) in tickets.into_iter().enumerate() {
            let Attempt::Answered(Reply::Claim(reply)) = ticket.answer().await else { panic!("unanswered") };
            assert_eq!(reply.serial.get() as usize, user.saturating_sub(1));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_frame_cut_before_its_last_byte_was_surely_not_done() {
        let handle = handle();
        let (conversation, mut peer) = start(&handle, CLAIM_FRAME_BYTES);
        let done = queue(&handle, 0..1).await;
        settle().await;
        // The pipe is full with the first frame; all but the last byte of the second gets in.
        let undone = queue(&handle, 1..2).await;
        let mut most = [0; CLAIM_FRAME_BYTES - 1];
        peer.read_exact(&mut most).await.expect("an open pipe");
        settle().await;
        drop(peer);

        conversation.await.expect("no panic");
        for ticket in done {
            assert!(matches!(ticket.answer().await, Attempt::Doubtful { store: Some(7), .. }));
        }
        for ticket in undone {
            assert!(matches!(ticket.answer().await, Attempt::Undone(_)));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_was_closed_takes_no_more_requests() {
        // Often enough that a loop which looks at the queue first, now and then, is found out.
        for _ in 0..20 {
            let handle = handle();
            let (conversation, peer) = start(&handle, CLAIM_FRAME_BYTES);
            settle().await;
            drop(peer);
            let _tickets = queue(&handle, 0..1).await;
            conversation.await.expect("no panic");
            let mut left = Vec::new();
            handle.pool.take(2, &mut left);
            assert_eq!(left.len(), 1, "the request waits for another connection");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_write_that_does_not_move_is_silence_too() {
        let handle = handle();
        let (conversation, _peer) = start(&handle, CLAIM_FRAME_BYTES / 2);
        let tickets = queue(&handle, 0..1).await;
        let start = Instant::now();
        let Trouble::Network(reason) = conversation.await.expect("no panic") else { panic!("no silence") };
        assert_eq!(&*reason, "the connection owed answers and brought nothing for 5s");
        assert_eq!(start.elapsed().as_secs(), LIMIT.as_secs());
        for ticket in tickets {
            assert!(matches!(ticket.answer().await, Attempt::Undone(_)));
        }
    }
}
