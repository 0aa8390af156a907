//! Readers: threads that answer what reads files, so that no core ever waits for a disk. Their queue is bounded; an
//! answer goes back to the core of its connection.

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Instant;

use crossbeam_channel::{Receiver, Sender, bounded};
use parking_lot::Mutex;
use stockade_protocol::batch::{BatchId, StatsQuery};
use stockade_protocol::coupon::{CouponKey, List};
use stockade_protocol::fault::Fault;
use stockade_protocol::frame::Opcode;
use stockade_protocol::wallet::WalletQuery;
use stockade_protocol::{Header, Status};
use tokio::sync::mpsc::UnboundedSender;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::advice::advice;
use crate::engine::{Engine, Rights};

/// Requests that may wait for a reader; one more is answered `OVERLOADED`.
const WAITING_MAX: usize = 8_192;

/// A request that reads, checked.
pub(super) struct Job {
    pub(super) opcode: Opcode,
    pub(super) correlation: u64,
    pub(super) items: Box<[u8]>,
    pub(super) rights: Rights,
    /// When the client does not want the answer any more, if it said so.
    pub(super) due: Option<Instant>,
    pub(super) back: Back,
}

impl Job {
    /// Whether the work must not begin any more.
    pub(super) fn is_late(&self) -> bool {
        self.due.is_some_and(|due| Instant::now() >= due)
    }
}

/// Where an answer goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Back {
    pub(super) core: usize,
    /// Number of the connection within its core.
    pub(super) connection: u64,
}

/// Frames for a connection, made on another thread than its core's.
pub(super) struct Delivery {
    pub(super) connection: u64,
    pub(super) frames: Vec<u8>,
    /// Whether they answer a request that was handed over.
    pub(super) is_answer: bool,
    /// The status, where they are a refusal: the core counts it.
    pub(super) refused: Option<Status>,
}

impl Delivery {
    /// An answer, or other frames.
    pub(super) fn of(back: Back, frames: Vec<u8>, is_answer: bool) -> Self {
        Self { connection: back.connection, frames, is_answer, refused: None }
    }

    /// A refusal.
    pub(super) fn fault(back: Back, status: Status, correlation: u64, is_answer: bool) -> Self {
        let header = Header::reply(Opcode::Fault, 1, correlation);
        let frames = [header.as_bytes(), Fault::new(status, advice(status)).as_bytes()].concat();
        Self { connection: back.connection, frames, is_answer, refused: Some(status) }
    }
}

/// The threads, and the cores' letter boxes.
pub(super) struct Readers {
    jobs: Mutex<Option<Sender<Job>>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Readers {
    /// Starts the threads.
    pub(super) fn start(engine: &Arc<Engine>, threads: usize, boxes: &[UnboundedSender<Delivery>]) -> io::Result<Self> {
        let (jobs, work) = bounded(WAITING_MAX);
        let start = |number| {
            let (engine, work, boxes) = (Arc::clone(engine), work.clone(), boxes.to_vec());
            let name = format!("reader-{number}");
            thread::Builder::new().name(name).spawn(move || answer_all(&engine, &work, &boxes))
        };
        let threads = (0..threads).map(start).collect::<io::Result<Vec<_>>>()?;
        Ok(Self { jobs: Mutex::new(Some(jobs)), threads: Mutex::new(threads) })
    }

    /// A sender for one core.
    pub(super) fn jobs(&self) -> Option<Sender<Job>> {
        self.jobs.lock().clone()
    }

    /// Ends the threads, once the cores have ended and dropped their senders.
    pub(super) fn stop(&self) {
        drop(self.jobs.lock().take());
        for thread in self.threads.lock().drain(..) {
            let _panicked = thread.join();
        }
    }
}

fn answer_all(engine: &Engine, work: &Receiver<Job>, boxes: &[UnboundedSender<Delivery>]) {
    for job in work {
        let answered = if job.is_late() { Err(Status::DeadlinePassed) } else { answer(engine, &job) };
        let delivery = match answered {
            Ok(frames) => Delivery::of(job.back, frames, true),
            Err(status) => Delivery::fault(job.back, status, job.correlation, true),
        };
        let _the_core_ended = boxes[job.back.core].send(delivery);
    }
}

/// The reply frame.
fn answer(engine: &Engine, job: &Job) -> Result<Vec<u8>, Status> {
    let rights = job.rights;
    Ok(match job.opcode {
        Opcode::Wallet => frame(job, &engine.wallet(item::<WalletQuery>(job)?, rights)?),
        Opcode::CouponShow => {
            let keys = items::<CouponKey>(job)?;
            let show = |key: &CouponKey| engine.show_coupon(key.batch.get(), key.serial.get(), rights);
            frame(job, &keys.iter().map(show).collect::<Result<Vec<_>, _>>()?)
        }
        Opcode::CouponList => frame(job, &engine.list_coupons(item::<List>(job)?, rights)?),
        Opcode::CouponLog => {
            let key = item::<CouponKey>(job)?;
            frame(job, &engine.coupon_log(key.batch.get(), key.serial.get(), rights)?)
        }
        Opcode::BatchStats => frame(job, &engine.stats(item::<StatsQuery>(job)?)?),
        Opcode::BatchReconcile => frame(job, &[engine.reconcile(item::<BatchId>(job)?.batch.get())?]),
        _ => return Err(Status::OpcodeUnknown),
    })
}

fn items<T: FromBytes + KnownLayout + Immutable + Unaligned>(job: &Job) -> Result<&[T], Status> {
    <[T]>::ref_from_bytes(&job.items).map_err(|_| Status::Malformed)
}

pub(super) fn item<T: FromBytes + KnownLayout + Immutable + Unaligned>(job: &Job) -> Result<&T, Status> {
    items(job)?.first().ok_or(Status::Malformed)
}

/// A reply frame.
pub(super) fn reply<R: IntoBytes + Immutable>(opcode: Opcode, correlation: u64, items: &[R]) -> Vec<u8> {
    let count = u32::try_from(items.len()).expect("a page is as long as a frame may be");
    [Header::reply(opcode, count, correlation).as_bytes(), items.as_bytes()].concat()
}

fn frame<R: IntoBytes + Immutable>(job: &Job, items: &[R]) -> Vec<u8> {
    reply(job.opcode, job.correlation, items)
}
