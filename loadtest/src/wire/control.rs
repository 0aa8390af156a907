//! The connection beside the load: creates and shows batches, looks up grants. It survives a restart of the server.

use std::thread::sleep;
use std::time::{Duration, Instant};

use stockade_protocol::claim::{ClaimReply, RequestKey};
use stockade_protocol::hello::Welcome;
use stockade_protocol::limits::CLAIMS_PER_FRAME_MAX;
use stockade_protocol::{Opcode, Retry};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::limits::{BACKOFF_MAX, BACKOFF_MIN, CONNECT_PATIENCE};
use crate::wire::link::{Link, LinkError};

/// Pauses between attempts, each twice the one before, up to a bound.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    next: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { next: BACKOFF_MIN }
    }
}

impl Backoff {
    /// Sleeps for the next pause.
    pub fn pause(&mut self) {
        sleep(self.next);
        self.next = (self.next * 2).min(BACKOFF_MAX);
    }
}

/// A connection that opens itself again.
#[derive(Debug)]
pub struct Control {
    server: String,
    token: String,
    patience: Duration,
    link: Option<Link>,
    welcome: Welcome,
}

impl Control {
    /// Connects to `server`, which may still be starting. Later questions wait for up to `patience` for a server that
    /// is away.
    ///
    /// # Errors
    /// When there is no server, or it refuses.
    pub fn open(server: &str, token: &str, patience: Duration) -> Result<Self, LinkError> {
        let (link, welcome) = patiently(CONNECT_PATIENCE, || Link::open(server, token))?;
        Ok(Self { server: server.to_owned(), token: token.to_owned(), patience, link: Some(link), welcome })
    }

    /// What the server said of itself when it was last greeted.
    #[must_use]
    pub fn welcome(&self) -> &Welcome {
        &self.welcome
    }

    /// Asks about `items` and returns an answer for each, in order. Questions are asked again when the connection
    /// breaks or the server wants more time, so they must have the same effect twice as once: all of the protocol's
    /// have.
    ///
    /// # Errors
    /// When no answer came within the patience.
    pub fn ask<Request, Reply>(&mut self, opcode: Opcode, items: &[Request]) -> Result<Vec<Reply>, LinkError>
    where
        Request: IntoBytes + Immutable,
        Reply: FromBytes + KnownLayout + Immutable + Unaligned + Copy,
    {
        patiently(self.patience, || self.ask_once(opcode, items))
    }

    fn ask_once<Request, Reply>(&mut self, opcode: Opcode, items: &[Request]) -> Result<Vec<Reply>, LinkError>
    where
        Request: IntoBytes + Immutable,
        Reply: FromBytes + KnownLayout + Immutable + Unaligned + Copy,
    {
        let mut link = self.link()?;
        let answer = link.ask(opcode, items);
        if matches!(answer, Ok(_) | Err(LinkError::Refused { .. })) {
            self.keep(link);
        }
        answer
    }

    /// A connection, to be kept when it is still of use.
    pub(super) fn link(&mut self) -> Result<Link, LinkError> {
        let kept = self.link.take();
        kept.map_or_else(|| self.open_again(), Ok)
    }

    pub(super) fn keep(&mut self, link: Link) {
        self.link = Some(link);
    }

    /// How long to wait for a server that is away.
    pub(super) fn patience(&self) -> Duration {
        self.patience
    }

    fn open_again(&mut self) -> Result<Link, LinkError> {
        let (link, welcome) = Link::open(&self.server, &self.token)?;
        self.welcome = welcome;
        Ok(link)
    }

    /// Most look-ups that one frame may hold here.
    #[must_use]
    pub fn lookups_per_frame(&self) -> usize {
        let limits = [self.welcome.claims_per_frame_max.get(), self.welcome.in_flight_claims_max.get()];
        let stated = limits.into_iter().filter(|limit| *limit > 0);
        stated.fold(CLAIMS_PER_FRAME_MAX, u32::min) as usize
    }

    /// What became of the claims `keys`, at most a frame's: an answer for each. Asks again while the server has no time
    /// for some of them.
    ///
    /// # Errors
    /// When no answer came within the patience.
    pub fn look_up(&mut self, keys: &[RequestKey]) -> Result<Vec<ClaimReply>, LinkError> {
        let deadline = Instant::now() + self.patience;
        let mut backoff = Backoff::default();
        loop {
            let replies = self.ask::<RequestKey, ClaimReply>(Opcode::Lookup, keys)?;
            let wants_time = |reply: &ClaimReply| reply.status().is_some_and(|status| status.retry() == Retry::Later);
            if !replies.iter().any(wants_time) || Instant::now() >= deadline {
                return Ok(replies);
            }
            backoff.pause();
        }
    }
}

fn patiently<T>(patience: Duration, mut attempt: impl FnMut() -> Result<T, LinkError>) -> Result<T, LinkError> {
    let deadline = Instant::now() + patience;
    let mut backoff = Backoff::default();
    loop {
        match attempt() {
            Err(error) if !error.is_final() && Instant::now() < deadline => backoff.pause(),
            result => return result,
        }
    }
}
