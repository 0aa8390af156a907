//! A subscription at work: one task that reads events, sends acknowledgements and keeps its connection alive.
//!
//! One acknowledgement is in flight at a time. Those made meanwhile are one: the newest says all.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::{Buf, BufMut, BytesMut};
use stockade_protocol::feed::{self, Acknowledge, Acknowledged, Subscribe};
use stockade_protocol::frame::{self, Frame, Side};
use stockade_protocol::limits::REPLY_BODY_BYTES_MAX;
use stockade_protocol::ping::Ping;
use stockade_protocol::{Header, Opcode, Retry, Status};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};
use zerocopy::{Immutable, IntoBytes};

use crate::backoff::Backoff;
use crate::conversation::{milliseconds_until, silent};
use crate::dial::Link;
use crate::event::{Event, Place};
use crate::limits::{FEED_PING_INTERVAL, READ_BYTES};
use crate::pending::fault_of;
use crate::reply::items;
use crate::server::PING_NONCE;
use crate::trouble::Trouble;

/// Correlation of the subscription, the first frame of its connection after the handshake.
const SUBSCRIPTION: u64 = 1;

/// Asks for the subscription and waits until it stands.
///
/// # Errors
/// The server's refusal, or what it did instead of answering.
pub(super) async fn subscribe<S>(mut link: Link<S>, item: &Subscribe, deadline: Instant) -> Result<Link<S>, Trouble>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let lost = |error: io::Error| Trouble::network(format!("lost while subscribing: {error}"));
    let mut request = BytesMut::new();
    put(&mut request, Opcode::FeedSubscribe, SUBSCRIPTION, milliseconds_until(deadline, Instant::now()), item);
    link.stream.write_all(&request).await.map_err(lost)?;
    loop {
        if let Some((frame, length)) = decode(&link.incoming)? {
            if frame.opcode == Opcode::Fault {
                return Err(fault_of(&frame)?);
            }
            if (frame.opcode, frame.correlation, frame.count) != (Opcode::FeedSubscribe, SUBSCRIPTION, 0) {
                return Err(Trouble::protocol("the subscription was answered by another kind of frame"));
            }
            link.incoming.advance(length);
            return Ok(link);
        }
        if link.stream.read_buf(&mut link.incoming).await.map_err(lost)? == 0 {
            return Err(Trouble::network("closed by the server while subscribing"));
        }
    }
}

/// How far the task is.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// The newest acknowledgement that the server answered.
    pub(super) stored: Option<Place>,
    /// Why it ended.
    pub(super) end: Option<Trouble>,
}

/// The task's ends of what it shares with the feed.
pub(super) struct Shared {
    window: usize,
    /// Events that came and were not given out.
    pub(super) backlog: Arc<AtomicUsize>,
    /// No bound of its own: the backlog is held against the window.
    events: mpsc::UnboundedSender<Vec<Event>>,
    acknowledged: watch::Receiver<Option<Place>>,
    progress: watch::Sender<Progress>,
}

/// The feed's ends, in the order of their use.
type FeedEnds = (mpsc::UnboundedReceiver<Vec<Event>>, watch::Sender<Option<Place>>, watch::Receiver<Progress>);

impl Shared {
    pub(super) fn new(window: u32) -> (Self, FeedEnds) {
        let (events, given) = mpsc::unbounded_channel();
        let (acknowledge, acknowledged) = watch::channel(None);
        let (progress, reported) = watch::channel(Progress::default());
        let window = usize::try_from(window).unwrap_or(usize::MAX);
        let shared = Self { window, backlog: Arc::default(), events, acknowledged, progress };
        (shared, (given, acknowledge, reported))
    }
}

/// The state of the task.
pub(super) struct Subscription {
    shared: Shared,
    /// No event before this place may come.
    at_least: Place,
    backoff: Backoff,
    outgoing: BytesMut,
    last_correlation: u64,
    /// The acknowledgement in flight.
    acknowledging: Option<(u64, Place)>,
    /// After acknowledgements that the server could not take now: how many in a row, and when to try again.
    put_off: u32,
    try_again: Option<Instant>,
    /// The ping in flight.
    ping: Option<u64>,
    /// When this side last sent something.
    spoke: Instant,
    /// Since when the server owes something and was not heard.
    waiting_since: Instant,
}

impl Subscription {
    pub(super) fn new(shared: Shared, at_least: Place, backoff: Backoff) -> Self {
        let now = Instant::now();
        Self {
            shared,
            at_least,
            backoff,
            outgoing: BytesMut::new(),
            last_correlation: SUBSCRIPTION,
            acknowledging: None,
            put_off: 0,
            try_again: None,
            ping: None,
            spoke: now,
            waiting_since: now,
        }
    }

    /// Runs until the connection is lost, and says why. `silence_limit`: how long a connection that owes answers may
    /// bring no byte before it counts as lost.
    pub(super) async fn run<S: AsyncRead + AsyncWrite>(mut self, link: Link<S>, silence_limit: Duration) {
        let (mut reader, mut writer) = split(link.stream);
        let mut incoming = link.incoming;
        let mut end = self.digest(&mut incoming);
        while end.is_ok() {
            incoming.reserve(READ_BYTES);
            let may_acknowledge = self.acknowledging.is_none() && self.try_again.is_none();
            let next_deed = self.next_deed(silence_limit);
            end = tokio::select! {
                // In this order: what is ready to be sent is little and must not wait until no more events come. Time
                // comes last, so that a task that was held up reads what is there before it calls that silence.
                biased;
                wrote = writer.write_buf(&mut self.outgoing), if self.outgoing.has_remaining() => wrote_some(wrote),
                changed = self.shared.acknowledged.changed(), if may_acknowledge => match changed {
                    Ok(()) => {
                        self.acknowledge();
                        Ok(())
                    }
                    Err(_) => Err(Trouble::network("the feed was dropped")),
                },
                read = reader.read_buf(&mut incoming) => match read {
                    Ok(0) => Err(Trouble::network("closed by the server")),
                    Ok(_) => {
                        self.waiting_since = Instant::now();
                        self.digest(&mut incoming)
                    }
                    Err(error) => Err(Trouble::network(format!("lost: {error}"))),
                },
                () = sleep_until(next_deed) => self.look_at_the_clock(silence_limit),
            };
        }
        let trouble = end.expect_err("the loop ends with the trouble that ended it");
        // Before the events' channel closes with the task: who finds it closed looks here for the reason.
        self.shared.progress.send_modify(|progress| progress.end = Some(trouble));
    }

    fn owes(&self) -> bool {
        self.acknowledging.is_some() || self.ping.is_some()
    }

    /// When there is something to do though nothing arrives.
    fn next_deed(&self, silence_limit: Duration) -> Instant {
        let silence = self.owes().then(|| self.waiting_since + silence_limit);
        let ping = self.ping.is_none().then(|| self.spoke + FEED_PING_INTERVAL);
        [silence, ping, self.try_again].into_iter().flatten().min().expect("without a ping in flight one will be due")
    }

    fn look_at_the_clock(&mut self, silence_limit: Duration) -> Result<(), Trouble> {
        let now = Instant::now();
        if self.owes() && now >= self.waiting_since + silence_limit {
            return Err(silent(silence_limit));
        }
        if self.try_again.is_some_and(|at| now >= at) {
            self.try_again = None;
            self.acknowledge();
        }
        if self.ping.is_none() && now >= self.spoke + FEED_PING_INTERVAL {
            self.ping = Some(self.send(Opcode::Ping, &Ping { nonce: PING_NONCE.into() }));
        }
        Ok(())
    }

    /// Sends the newest acknowledgement: the place of the first event that is not acknowledged.
    fn acknowledge(&mut self) {
        let Some(through) = *self.shared.acknowledged.borrow_and_update() else { return };
        let Place { epoch, index } = through.next();
        let correlation = self.send(Opcode::FeedAcknowledge, &Acknowledge::new(SUBSCRIPTION, epoch, index));
        self.acknowledging = Some((correlation, through));
    }

    fn send<T: IntoBytes + Immutable>(&mut self, opcode: Opcode, item: &T) -> u64 {
        let now = Instant::now();
        if !self.owes() {
            self.waiting_since = now;
        }
        self.spoke = now;
        self.last_correlation += 1;
        put(&mut self.outgoing, opcode, self.last_correlation, 0, item);
        self.last_correlation
    }

    /// Takes in every whole frame that has arrived.
    fn digest(&mut self, incoming: &mut BytesMut) -> Result<(), Trouble> {
        while let Some((frame, length)) = decode(incoming)? {
            if frame.opcode == Opcode::FeedSubscribe && frame.correlation == SUBSCRIPTION {
                self.take_events(&frame)?;
            } else if self.acknowledging.is_some_and(|(correlation, _)| correlation == frame.correlation) {
                self.take_acknowledgement(&frame)?;
            } else if frame.opcode == Opcode::Fault {
                return Err(fault_of(&frame)?);
            } else if frame.opcode == Opcode::Ping && self.ping == Some(frame.correlation) {
                let back = frame.item::<Ping>().map_err(|_| Trouble::protocol("a ping has the wrong size"))?;
                if back.nonce.get() != PING_NONCE {
                    return Err(Trouble::protocol("the ping came back changed"));
                }
                self.ping = None;
            } else {
                return Err(Trouble::protocol("a frame answers nothing that is in flight"));
            }
            incoming.advance(length);
        }
        Ok(())
    }

    fn take_events(&mut self, frame: &Frame<'_>) -> Result<(), Trouble> {
        let events: Vec<_> =
            items::<feed::Event>(frame).map_err(Trouble::protocol)?.iter().map(Event::from_wire).collect();
        for event in &events {
            if event.place < self.at_least {
                return Err(Trouble::protocol("an event came out of order"));
            }
            self.at_least = event.place.next();
        }
        let waiting = self.shared.backlog.fetch_add(events.len(), Ordering::Relaxed) + events.len();
        if waiting > self.shared.window {
            return Err(Trouble::protocol("more events came than the window allows"));
        }
        if !events.is_empty() {
            // An error gives the events back because the feed was dropped, and this task with it.
            drop(self.shared.events.send(events));
        }
        Ok(())
    }

    /// The answer to the acknowledgement in flight.
    fn take_acknowledgement(&mut self, frame: &Frame<'_>) -> Result<(), Trouble> {
        let refusal = if frame.opcode == Opcode::Fault {
            fault_of(frame)?
        } else if frame.opcode == Opcode::FeedAcknowledge {
            let answer = frame.item::<Acknowledged>().map_err(|_| Trouble::protocol("an answer has the wrong size"))?;
            match answer.status() {
                Some(Status::Done) => {
                    let stored = self.acknowledging.take().map(|(_, through)| through);
                    self.put_off = 0;
                    self.shared.progress.send_modify(|progress| progress.stored = stored);
                    return Ok(());
                }
                Some(status) => Trouble::refused(status, "an acknowledgement of the feed"),
                None => Trouble::refused_unknown(answer.as_bytes()[0], "an acknowledgement of the feed"),
            }
        } else {
            return Err(Trouble::protocol("a reply is of another kind than its request"));
        };
        match refusal {
            // Nothing is lost by waiting: the newest acknowledgement then says what this one said.
            Trouble::Refused { status, .. } if status.retry() == Retry::Later => {
                self.acknowledging = None;
                self.put_off = self.put_off.saturating_add(1);
                self.try_again = Some(Instant::now() + self.backoff.pause(self.put_off));
                Ok(())
            }
            refusal => Err(refusal),
        }
    }
}

fn wrote_some(wrote: io::Result<usize>) -> Result<(), Trouble> {
    match wrote {
        Ok(0) => Err(Trouble::network("the socket takes no more bytes")),
        Ok(_) => Ok(()),
        Err(error) => Err(Trouble::network(format!("lost: {error}"))),
    }
}

fn decode(incoming: &[u8]) -> Result<Option<(Frame<'_>, usize)>, Trouble> {
    frame::decode(Side::Client, incoming, REPLY_BODY_BYTES_MAX)
        .map_err(|error| Trouble::protocol(format!("a reply is no valid frame ({})", error.status)))
}

/// Appends a frame of one item.
fn put<T>(outgoing: &mut BytesMut, opcode: Opcode, correlation: u64, deadline_ms: u32, item: &T)
where
    T: IntoBytes + Immutable,
{
    outgoing.put_slice(Header::request(opcode, 1, correlation, deadline_ms).as_bytes());
    outgoing.put_slice(item.as_bytes());
}
