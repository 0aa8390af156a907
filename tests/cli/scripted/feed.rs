//! The feed: a few events in two frames, and one consumer, `mails`, whose cursor moves.

use stockade_protocol::feed::{Acknowledge, Acknowledged, ConsumerInfo, Event, Forget, Kind, Subscribe};
use stockade_protocol::frame::Frame;
use stockade_protocol::{Opcode, Status};

use super::{Cursor, NOON_MS, fault, reply};

/// Events that there are: epoch 41 has them all, with the indices 0 and up.
pub(crate) const EVENTS: u32 = 5;

/// The consumer whose connection is cut after all events.
pub(crate) const CUT: &str = "cut";

const EPOCH: u64 = 41;
const CONSUMER: &str = "mails";

pub(super) fn answer(frame: &Frame<'_>, cursor: &Cursor) -> Vec<u8> {
    let mut stored = cursor.lock().expect("no test fails with it");
    match frame.opcode {
        Opcode::FeedSubscribe => subscribed(frame, *stored),
        Opcode::FeedAcknowledge => {
            let acknowledge = frame.item::<Acknowledge>().expect("an acknowledgement");
            *stored = (acknowledge.epoch.get(), acknowledge.index.get());
            let answer = Acknowledged::new(Status::Done, acknowledge.epoch.get());
            reply(frame.opcode, frame.correlation, &[answer])
        }
        Opcode::FeedList => {
            reply(frame.opcode, frame.correlation, &[ConsumerInfo::new(CONSUMER, *stored, true, 4_096)])
        }
        Opcode::FeedForget => {
            let is_known = frame.item::<Forget>().expect("a consumer").consumer() == CONSUMER;
            let status = if is_known { Status::Done } else { Status::RequestUnknown };
            reply(frame.opcode, frame.correlation, &[Acknowledged::new(status, 0)])
        }
        _ => fault(frame.correlation, Status::OpcodeUnknown),
    }
}

/// The subscription stands, and its events: two, then the others. Epoch 7 is not kept any more, epoch 99 is to come.
fn subscribed(frame: &Frame<'_>, stored: (u64, u32)) -> Vec<u8> {
    let subscribe = frame.item::<Subscribe>().expect("a subscription");
    let (epoch, index) =
        if subscribe.is_stored() && stored != (0, 0) { stored } else { (subscribe.epoch.get(), subscribe.index.get()) };
    let from = match epoch {
        7 => return fault(frame.correlation, Status::CursorTooOld),
        99 => return fault(frame.correlation, Status::CursorInvalid),
        EPOCH => index,
        _ => 0,
    };
    let events: Vec<Event> = (from..EVENTS).map(event).collect();
    let (first, rest) = events.split_at(events.len().min(2));
    let frames = [&[][..], first, rest].map(|events| reply(Opcode::FeedSubscribe, frame.correlation, events));
    let end = if subscribe.consumer() == CUT { fault(0, Status::Unavailable) } else { Vec::new() };
    [&frames.concat()[..], &end].concat()
}

fn event(index: u32) -> Event {
    let mut event = Event::new(Kind::Granted, 1, NOON_MS);
    (event.epoch, event.index) = (EPOCH.into(), index.into());
    (event.units, event.user, event.request, event.serial) = (1, 7.into(), u64::from(index).into(), index.into());
    event
}
