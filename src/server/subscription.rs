//! One subscription of the feed: where it is, and what it has been sent and not acknowledged.

use std::collections::VecDeque;

use stockade_protocol::feed::Event;
use stockade_protocol::limits::EVENTS_PER_FRAME_MAX;

use super::reader::Back;
use crate::feed::{Consumer, Place, Trail, TrailError};
use crate::types::Epoch;

/// See the module.
pub(super) struct Subscription {
    pub(super) back: Back,
    /// Of the frame that subscribed.
    pub(super) correlation: u64,
    /// The consumer's name; empty = its cursor is not stored.
    pub(super) consumer: String,
    window: usize,
    /// The next event to send.
    next: Place,
    /// The checkpoint in which that lies, if it does.
    generation: u64,
    /// Events of one group that are not sent yet.
    group: VecDeque<Event>,
    /// Places of events that were sent and not acknowledged.
    sent: VecDeque<Place>,
    /// Everything before it is acknowledged.
    acknowledged: Place,
}

impl Subscription {
    pub(super) fn new((back, correlation): (Back, u64), consumer: &str, from: Consumer, window: usize) -> Self {
        let (group, sent) = (VecDeque::new(), VecDeque::new());
        let Consumer { place, generation } = from;
        let consumer = consumer.to_owned();
        Self { back, correlation, consumer, window, next: place, generation, group, sent, acknowledged: place }
    }

    /// Where it must be able to go on, after a cut.
    pub(super) fn cursor(&self) -> Consumer {
        Consumer { place: self.acknowledged, generation: self.generation }
    }

    /// The events of the next frame; none when there are none, or the window is full.
    ///
    /// # Errors
    /// When what comes next is not kept, or cannot be read.
    pub(super) fn next_frame(&mut self, trail: &Trail, durable: Epoch) -> Result<Vec<Event>, TrailError> {
        let room = (self.window - self.sent.len()).min(EVENTS_PER_FRAME_MAX as usize);
        if room == 0 {
            return Ok(Vec::new());
        }
        if self.group.is_empty() && self.next.epoch <= durable {
            self.group = trail.next(self.next, self.generation, durable)?.into();
        }
        let events = self.group.drain(..room.min(self.group.len())).collect::<Vec<_>>();
        for event in &events {
            self.sent.push_back(Place { epoch: event.epoch.get(), index: event.index.get() });
        }
        if let Some(last) = self.sent.back().filter(|_| !events.is_empty()) {
            self.next = Place { epoch: last.epoch, index: last.index + 1 };
        }
        Ok(events)
    }

    /// Takes note that everything before `place` was taken in. False when that cannot be: it is before what was
    /// acknowledged, or beyond what was sent.
    pub(super) fn acknowledge(&mut self, place: Place) -> bool {
        if place < self.acknowledged || place > self.next {
            return false;
        }
        while self.sent.pop_front_if(|sent| *sent < place).is_some() {}
        self.acknowledged = place;
        true
    }
}
