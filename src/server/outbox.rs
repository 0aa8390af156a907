//! A connection's replies: bytes in order, and how many of them may leave.
//!
//! The epochs of a connection's bursts only rise, so its replies become durable in the order in which they stand here:
//! one buffer, a queue of (epoch, bytes), and a mark up to where the bytes are durable.

use std::collections::VecDeque;
use std::time::Instant;

use bytes::{Buf, BytesMut};

use crate::types::Epoch;

/// Replies that belong to one burst.
struct Batch {
    epoch: Epoch,
    bytes: usize,
    claims: usize,
    /// When they were decided, if that is measured.
    decided: Option<Instant>,
}

/// See the module.
#[derive(Default)]
pub(super) struct Outbox {
    bytes: BytesMut,
    sendable: usize,
    waiting: VecDeque<Batch>,
    /// Claims whose replies wait for their epoch.
    pub(super) in_flight: usize,
}

/// Buffers above this size are given back when they are empty.
const KEPT_BYTES_MAX: usize = 64 << 10;

impl Outbox {
    /// Where a burst's replies are appended. Must be followed by [`Outbox::seal`].
    pub(super) fn open(&mut self) -> &mut BytesMut {
        &mut self.bytes
    }

    /// Bytes not yet sent.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Marks all bytes from `start` on as the replies of a burst that wait for `epoch`.
    pub(super) fn seal(&mut self, start: usize, epoch: Epoch, claims: usize, decided: Instant) {
        let bytes = self.bytes.len() - start;
        self.in_flight += claims;
        self.waiting.push_back(Batch { epoch, bytes, claims, decided: Some(decided) });
    }

    /// Appends frames that wait for nothing but those before them.
    pub(super) fn append(&mut self, frames: &[u8]) {
        self.bytes.extend_from_slice(frames);
        match self.waiting.back() {
            None => self.sendable += frames.len(),
            Some(last) => {
                let epoch = last.epoch;
                self.waiting.push_back(Batch { epoch, bytes: frames.len(), claims: 0, decided: None });
            }
        }
    }

    /// Lets the replies of durable epochs go; calls `released` with the claims and the decision's time of each burst.
    pub(super) fn release(&mut self, may_leave: impl Fn(Epoch) -> bool, mut released: impl FnMut(usize, Instant)) {
        while let Some(batch) = self.waiting.pop_front_if(|batch| may_leave(batch.epoch)) {
            self.sendable += batch.bytes;
            self.in_flight -= batch.claims;
            batch.decided.into_iter().for_each(|decided| released(batch.claims, decided));
        }
    }

    /// The bytes that may leave.
    pub(super) fn sendable(&self) -> &[u8] {
        &self.bytes[..self.sendable]
    }

    /// Takes away what was sent.
    pub(super) fn sent(&mut self, bytes: usize) {
        self.bytes.advance(bytes);
        self.sendable -= bytes;
        if self.bytes.is_empty() && self.bytes.capacity() > KEPT_BYTES_MAX {
            self.bytes = BytesMut::new();
        }
    }

    /// Whether every reply has left.
    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}
