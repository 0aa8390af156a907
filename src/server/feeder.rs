//! The feeder: one thread that sends every subscription the events that become durable, and keeps the consumers'
//! cursors.

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded, unbounded};
use parking_lot::Mutex;
use stockade_protocol::Status;
use stockade_protocol::feed::{Acknowledge, Acknowledged, ConsumerInfo, Event, Forget, Subscribe};
use stockade_protocol::frame::Opcode;
use stockade_protocol::hello::Page;
use tokio::sync::mpsc::UnboundedSender;
use zerocopy::{Immutable, IntoBytes};

use super::reader::{Back, Delivery, Job, item, reply};
use super::subscription::Subscription;
use crate::engine::Engine;
use crate::feed::{Consumer, Consumers, Place, Source, Trail, TrailError};

/// Requests that may wait for the feeder.
const WAITING_MAX: usize = 1_024;

/// Time between two looks for new events, while anybody is subscribed.
const ROUND: Duration = Duration::from_millis(2);

/// Frames for one subscription before the others have their turn.
const FRAMES_PER_TURN: usize = 4;

/// A core's way to the feeder.
#[derive(Clone)]
pub(super) struct Asks {
    /// Frames of the feed's opcodes, checked.
    pub(super) frames: Sender<Job>,
    /// Connections that have ended. Not bounded: no core may wait here, and there are no more than connections.
    pub(super) gone: Sender<Back>,
}

/// The thread.
pub(super) struct Feeder {
    asks: Mutex<Option<Asks>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

struct Work {
    engine: Arc<Engine>,
    consumers: Arc<Consumers>,
    trail: Trail,
    boxes: Vec<UnboundedSender<Delivery>>,
    subscriptions: Vec<Subscription>,
    gone: Receiver<Back>,
}

impl Feeder {
    /// Starts the thread.
    pub(super) fn start(engine: &Arc<Engine>, source: Source, boxes: &[UnboundedSender<Delivery>]) -> io::Result<Self> {
        let (frames, asked) = bounded(WAITING_MAX);
        let (ended, gone) = unbounded();
        let mut work = Work {
            engine: Arc::clone(engine),
            consumers: source.consumers,
            trail: Trail::new(source.reader),
            boxes: boxes.to_vec(),
            subscriptions: Vec::new(),
            gone,
        };
        let thread = thread::Builder::new().name("feeder".into()).spawn(move || work.run(&asked))?;
        let asks = Asks { frames, gone: ended };
        Ok(Self { asks: Mutex::new(Some(asks)), thread: Mutex::new(Some(thread)) })
    }

    /// A sender for one core.
    pub(super) fn asks(&self) -> Option<Asks> {
        self.asks.lock().clone()
    }

    /// Ends the thread, once the cores have ended and dropped their senders.
    pub(super) fn stop(&self) {
        drop(self.asks.lock().take());
        if let Some(thread) = self.thread.lock().take() {
            let _panicked = thread.join();
        }
    }
}

impl Work {
    fn run(&mut self, asked: &Receiver<Job>) {
        loop {
            let first = if self.subscriptions.is_empty() {
                asked.recv().map_err(|_| RecvTimeoutError::Disconnected)
            } else {
                asked.recv_timeout(ROUND)
            };
            match first {
                Ok(job) => self.take(asked, job),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            // After the frames: a connection asks before it ends.
            self.forget_gone();
            while self.feed() {
                if let Ok(job) = asked.try_recv() {
                    self.take(asked, job);
                }
                self.forget_gone();
            }
            let unnamed = self.subscriptions.iter().filter(|subscription| subscription.consumer.is_empty());
            self.consumers.set_visiting(unnamed.map(Subscription::cursor).collect());
        }
    }

    /// Takes what is asked, and all that waits: acknowledgements are stored together.
    fn take(&mut self, asked: &Receiver<Job>, first: Job) {
        let mut acknowledgements = Vec::new();
        for job in std::iter::once(first).chain(std::iter::from_fn(|| asked.try_recv().ok())) {
            if job.is_late() {
                self.refuse(&job, Status::DeadlinePassed);
            } else if job.opcode == Opcode::FeedAcknowledge {
                acknowledgements.push(job);
            } else {
                self.acknowledge(std::mem::take(&mut acknowledgements));
                if let Err(status) = self.answer(&job) {
                    self.refuse(&job, status);
                }
            }
        }
        self.acknowledge(acknowledgements);
    }

    /// Ends the subscriptions of connections that have ended.
    fn forget_gone(&mut self) {
        let gone = self.gone.try_iter().collect::<Vec<_>>();
        self.subscriptions.retain(|subscription| !gone.contains(&subscription.back));
    }

    fn answer(&mut self, job: &Job) -> Result<(), Status> {
        match job.opcode {
            Opcode::FeedSubscribe => self.subscribe(job, item(job)?),
            Opcode::FeedList => {
                let page = self.list(*item(job)?)?;
                self.reply(job, &page);
                Ok(())
            }
            Opcode::FeedForget => {
                let forgotten = self.consumers.forget(item::<Forget>(job)?.consumer()).map_err(|error| {
                    tracing::error!("{error}");
                    Status::NoSpace
                })?;
                let status = if forgotten { Status::Done } else { Status::RequestUnknown };
                self.reply(job, &[Acknowledged::new(status, 0)]);
                Ok(())
            }
            _ => Err(Status::OpcodeUnknown),
        }
    }

    fn subscribe(&mut self, job: &Job, ask: &Subscribe) -> Result<(), Status> {
        let name = ask.consumer();
        let stored = Some(name).filter(|name| !name.is_empty()).and_then(|name| self.consumers.get(name));
        let (generation, replaced) = self.trail.checkpoint().map_err(unreadable)?;
        let place = Place { epoch: ask.epoch.get(), index: ask.index.get() };
        let from = match stored {
            Some(stored) if ask.is_stored() => stored,
            _ if place == Place::OLDEST => Consumer { place, generation },
            _ if place.epoch > self.engine.journal().durable() => return Err(Status::CursorInvalid),
            // A place in a checkpoint is good only for who was held to it.
            Some(stored) if place.epoch <= replaced && stored.place <= place => Consumer { place, ..stored },
            _ if place.epoch <= replaced => return Err(Status::CursorTooOld),
            _ => Consumer { place, generation },
        };
        if from.place.epoch <= replaced && from.generation != generation {
            return Err(Status::CursorTooOld);
        }
        if !name.is_empty() && stored != Some(from) {
            // From here on the journal is kept for it.
            self.consumers.store(&[(name.to_owned(), from)]).map_err(|error| {
                tracing::warn!("{error}");
                Status::Overloaded
            })?;
        }
        let same = |other: &Subscription| other.back == job.back || (!name.is_empty() && other.consumer == name);
        for older in self.subscriptions.extract_if(.., |other| same(other)).collect::<Vec<_>>() {
            self.end(older.back, older.correlation, Status::Overloaded);
        }
        let window = ask.window.get() as usize;
        self.subscriptions.push(Subscription::new((job.back, job.correlation), name, from, window));
        self.reply::<Event>(job, &[]);
        Ok(())
    }

    fn acknowledge(&mut self, jobs: Vec<Job>) {
        let (mut answers, mut changes) = (Vec::new(), Vec::new());
        for job in jobs {
            let Ok(ask) = item::<Acknowledge>(&job) else { continue };
            let place = Place { epoch: ask.epoch.get(), index: ask.index.get() };
            let is_it =
                |other: &&mut Subscription| other.back == job.back && other.correlation == ask.subscription.get();
            let status = match self.subscriptions.iter_mut().find(is_it) {
                None => Status::RequestUnknown,
                Some(subscription) => {
                    let is_taken = subscription.acknowledge(place);
                    if is_taken && !subscription.consumer.is_empty() {
                        changes.push((subscription.consumer.clone(), subscription.cursor()));
                    }
                    if is_taken { Status::Done } else { Status::CursorInvalid }
                }
            };
            let epoch = place.epoch;
            answers.push((job, status, epoch));
        }
        let stored = if changes.is_empty() { Ok(()) } else { self.consumers.store(&changes) };
        if let Err(error) = &stored {
            tracing::error!("{error}");
        }
        for (job, status, epoch) in answers {
            if status == Status::Done && stored.is_err() {
                self.refuse(&job, Status::NoSpace);
            } else {
                self.reply(&job, &[Acknowledged::new(status, epoch)]);
            }
        }
    }

    fn list(&self, page: Page) -> Result<Vec<ConsumerInfo>, Status> {
        let reader = self.trail.reader();
        let (from, limit) = (page.from.get() as usize, page.limit.get() as usize);
        let all = self.consumers.all().into_iter().skip(from).take(limit);
        all.map(|(name, Consumer { place, .. })| {
            let behind = reader.bytes_after(place.epoch).map_err(|error| unreadable(error.into()))?;
            let connected = self.subscriptions.iter().any(|subscription| subscription.consumer == name);
            Ok(ConsumerInfo::new(&name, (place.epoch, place.index), connected, behind))
        })
        .collect()
    }

    /// Sends each subscription a few frames. True when some got as many as a turn allows.
    fn feed(&mut self) -> bool {
        let durable = self.engine.journal().durable();
        let (mut more, mut ended) = (false, Vec::new());
        for subscription in &mut self.subscriptions {
            for turn in 1..=FRAMES_PER_TURN {
                match subscription.next_frame(&self.trail, durable) {
                    Ok(events) if events.is_empty() => break,
                    Ok(events) => {
                        let (back, correlation) = (subscription.back, subscription.correlation);
                        let frames = reply(Opcode::FeedSubscribe, correlation, &events);
                        let _the_core_ended = self.boxes[back.core].send(Delivery::of(back, frames, false));
                        more |= turn == FRAMES_PER_TURN;
                    }
                    Err(error) => {
                        ended.push((subscription.back, subscription.correlation, unreadable(error)));
                        break;
                    }
                }
            }
        }
        for (back, correlation, status) in ended {
            self.subscriptions.retain(|subscription| subscription.back != back);
            self.end(back, correlation, status);
        }
        more
    }

    fn reply<R: IntoBytes + Immutable>(&self, job: &Job, items: &[R]) {
        self.send(job.back, Delivery::of(job.back, reply(job.opcode, job.correlation, items), true));
    }

    fn refuse(&self, job: &Job, status: Status) {
        self.send(job.back, Delivery::fault(job.back, status, job.correlation, true));
    }

    /// Tells that a subscription is over.
    fn end(&self, back: Back, correlation: u64, status: Status) {
        self.send(back, Delivery::fault(back, status, correlation, false));
    }

    fn send(&self, back: Back, delivery: Delivery) {
        let _the_core_ended = self.boxes[back.core].send(delivery);
    }
}

/// The status for what cannot be read.
fn unreadable(error: TrailError) -> Status {
    match error {
        TrailError::TooOld => Status::CursorTooOld,
        TrailError::Unreadable(reason) => {
            tracing::error!("the feed cannot be read: {reason}; run `stockade verify` on the folder after a stop");
            Status::Unavailable
        }
    }
}
