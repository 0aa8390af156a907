//! A consumer of the feed: a connection on which frames of events come between the replies.

use std::collections::VecDeque;

use stockade_protocol::feed::{Acknowledge, Acknowledged, Event, Subscribe};
use stockade_protocol::{Opcode, Status};
use zerocopy::{Immutable, IntoBytes};

use super::frame::{Reply, frame};
use super::link::Link;

/// Correlations of everything but the subscription count from here.
const FIRST_ASKED: u64 = 1 << 32;

/// See the module.
pub(crate) struct Consumer {
    pub(crate) link: Link,
    /// Correlation of the subscription.
    pub(crate) subscription: u64,
    asked: u64,
    /// Events that came and were not looked at, in frames.
    frames: VecDeque<Vec<Event>>,
    /// A `FAULT` that ended the subscription.
    pub(crate) ended: Option<Status>,
}

/// A place in the feed behind an event.
pub(crate) fn behind(event: &Event) -> (u64, u32) {
    (event.epoch.get(), event.index.get() + 1)
}

impl Consumer {
    /// A subscription that stands.
    pub(crate) fn subscribed(link: Link, subscribe: &Subscribe) -> Self {
        Self::asking(link, subscribe).unwrap_or_else(|status| panic!("refused with {status:?}"))
    }

    /// Asks for a subscription: it stands, or this is why not.
    pub(crate) fn asking(mut link: Link, subscribe: &Subscribe) -> Result<Self, Status> {
        let subscription = 7;
        link.send(&frame(Opcode::FeedSubscribe, subscription, &[*subscribe]));
        let reply = link.reply();
        assert_eq!(reply.correlation, subscription);
        if let Some(status) = reply.fault() {
            return Err(status);
        }
        assert_eq!(reply.items::<Event>(Opcode::FeedSubscribe), [], "the first frame says that it stands");
        Ok(Self { link, subscription, asked: FIRST_ASKED, frames: VecDeque::new(), ended: None })
    }

    /// Takes a frame that is no reply to what was asked last.
    fn take(&mut self, reply: &Reply) {
        assert_eq!(reply.correlation, self.subscription, "an unasked frame is the subscription's");
        assert_eq!(self.ended, None, "nothing comes after the end of a subscription");
        match reply.fault() {
            Some(status) => self.ended = Some(status),
            None => self.frames.push_back(reply.items::<Event>(Opcode::FeedSubscribe)),
        }
    }

    /// Sends a request; its reply, whatever comes before it.
    pub(crate) fn ask<Q: IntoBytes + Immutable>(&mut self, opcode: Opcode, items: &[Q]) -> Reply {
        self.asked += 1;
        self.link.send(&frame(opcode, self.asked, items));
        loop {
            let reply = self.link.reply();
            if reply.correlation == self.asked {
                return reply;
            }
            self.take(&reply);
        }
    }

    /// Acknowledges everything before a place.
    pub(crate) fn acknowledge(&mut self, (epoch, index): (u64, u32)) -> Option<Status> {
        let ask = Acknowledge::new(self.subscription, epoch, index);
        let answers = self.ask(Opcode::FeedAcknowledge, &[ask]).items::<Acknowledged>(Opcode::FeedAcknowledge);
        assert_eq!(answers.len(), 1);
        answers[0].status()
    }

    /// The next `count` events; no frame may have more than are left of them.
    pub(crate) fn events(&mut self, count: usize) -> Vec<Event> {
        let mut events = Vec::new();
        while events.len() < count {
            let Some(frame) = self.frames.pop_front() else {
                let reply = self.link.reply();
                self.take(&reply);
                assert_eq!(self.ended, None, "after {} of {count} events", events.len());
                continue;
            };
            assert!(!frame.is_empty(), "only the first frame has no events");
            events.extend(frame);
        }
        assert_eq!(events.len(), count, "more events than the window allows");
        events
    }

    /// The events of the next frame.
    pub(crate) fn events_of_a_frame(&mut self) -> Vec<Event> {
        while self.frames.is_empty() {
            let reply = self.link.reply();
            self.take(&reply);
            assert_eq!(self.ended, None);
        }
        self.frames.pop_front().expect("one came")
    }

    /// Waits until the subscription ends.
    pub(crate) fn end(&mut self) -> Status {
        loop {
            if let Some(status) = self.ended {
                return status;
            }
            let reply = self.link.reply();
            self.take(&reply);
        }
    }

    /// Whether no event has come that was not looked at, as of the answer to a request.
    pub(crate) fn is_quiet(&mut self) -> bool {
        let ping = stockade_protocol::ping::Ping { nonce: 1.into() };
        assert_eq!(self.ask(Opcode::Ping, &[ping]).fault(), None);
        self.frames.is_empty()
    }
}
