//! Opens broken connections again, on a thread of its own, so that connecting and greeting never hold up the load.
//!
//! One connection is tried at a time: while the server is away, it is knocked at once per pause and not once per
//! connection.

use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use crate::wire::control::Backoff;
use crate::wire::link::Link;

/// Hands broken lanes to a thread and brings their new sockets back.
#[derive(Debug)]
pub struct Reconnector {
    broken: SyncSender<u32>,
    opened: Receiver<(u32, TcpStream)>,
    /// Written once, by this thread, when the run is over; the other stops at its next look. Guards no other data.
    is_over: Arc<AtomicBool>,
}

impl Reconnector {
    /// For `lanes` lanes, each of which is broken once at a time: so neither queue can be full.
    #[must_use]
    pub fn new(server: &str, token: &str, lanes: usize) -> Self {
        let (broken, asked) = sync_channel::<u32>(lanes);
        let (answer, opened) = sync_channel(lanes);
        let is_over = Arc::new(AtomicBool::new(false));
        let (server, token, over) = (server.to_owned(), token.to_owned(), Arc::clone(&is_over));
        // Not joined: it ends by itself within the time-out of one attempt.
        thread::spawn(move || {
            for lane in asked {
                let Some(stream) = open(&server, &token, &over) else { return };
                if answer.send((lane, stream)).is_err() {
                    return;
                }
            }
        });
        Self { broken, opened, is_over }
    }

    /// Asks for a new socket for `lane`.
    pub fn request(&self, lane: u32) {
        // The receiver lives as long as the run does: nothing to do when it does not.
        let _ = self.broken.try_send(lane);
    }

    /// The next lane with a new socket, if there is one now.
    #[must_use]
    pub fn next(&self) -> Option<(u32, TcpStream)> {
        self.opened.try_recv().ok()
    }
}

impl Drop for Reconnector {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
    }
}

/// A greeted socket, or `None` when the run is over.
fn open(server: &str, token: &str, is_over: &AtomicBool) -> Option<TcpStream> {
    let mut backoff = Backoff::default();
    loop {
        // First a pause, so that a server that greets and then fails is not stormed either.
        backoff.pause();
        if is_over.load(Ordering::Relaxed) {
            return None;
        }
        let link = Link::open(server, token).ok();
        if let Some(stream) = link.and_then(|(link, _)| link.into_nonblocking().ok()) {
            return Some(stream);
        }
    }
}
