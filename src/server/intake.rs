//! What a connection has received and not yet decided: at most one incomplete frame.

use tokio::time::Instant;

use stockade_protocol::limits::{HEADER_BYTES, REQUEST_BODY_BYTES_MAX};

/// Bytes read by one event, and so the bound of a burst: two of the largest frames, one of them carried over.
pub(super) const INTAKE_BYTES: usize = 2 * (HEADER_BYTES + REQUEST_BODY_BYTES_MAX);

/// See the module.
#[derive(Default)]
pub(super) struct Intake {
    partial: Vec<u8>,
    /// When the first byte of the incomplete frame came.
    pub(super) since: Option<Instant>,
}

impl Intake {
    /// Puts the incomplete frame at the front of `buffer` and returns its length.
    pub(super) fn carry_into(&self, buffer: &mut [u8]) -> usize {
        buffer[..self.partial.len()].copy_from_slice(&self.partial);
        self.partial.len()
    }

    /// Keeps what no whole frame covered.
    pub(super) fn keep(&mut self, rest: &[u8], now: Instant, is_new: bool) {
        self.partial.clear();
        if rest.is_empty() {
            self.partial.shrink_to(0);
            self.since = None;
            return;
        }
        self.partial.extend_from_slice(rest);
        if is_new || self.since.is_none() {
            self.since = Some(now);
        }
    }
}
