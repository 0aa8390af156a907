//! The trail: events from a place on, read from the store.

use std::fmt;

use stockade_protocol::feed::Event;

use super::Place;
use crate::journal::{Group, Head, Reader, StoreError};
use crate::types::Epoch;

/// Reads the feed.
pub struct Trail {
    reader: Box<dyn Reader + Send>,
}

/// Why there are no events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrailError {
    /// What comes next is not kept any more.
    TooOld,
    /// The store cannot be read.
    Unreadable(String),
}

impl From<StoreError> for TrailError {
    fn from(error: StoreError) -> Self {
        unreadable(error)
    }
}

impl Trail {
    /// Reads from this store.
    #[must_use]
    pub fn new(reader: Box<dyn Reader + Send>) -> Self {
        Self { reader }
    }

    /// The store.
    #[must_use]
    pub fn reader(&self) -> &dyn Reader {
        &*self.reader
    }

    /// The checkpoint that there is: its generation, and the last epoch that it replaces. 0 and 0 = there is none.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn checkpoint(&self) -> Result<(u64, Epoch), TrailError> {
        Ok(self.head()?.map_or((0, 0), |head| (head.generation, head.replaced.epoch)))
    }

    fn head(&self) -> Result<Option<Head>, TrailError> {
        let head = self.reader.head().map_err(unreadable)?;
        Ok(head.and_then(|bytes| Head::decode(&bytes)))
    }

    /// The events of the first group that has any from `place` on, up to the epoch `up_to`. `generation` is the
    /// checkpoint in which the place lies, if it does.
    ///
    /// # Errors
    /// `TooOld` when the place lies before the journal's beginning and not in this checkpoint.
    pub fn next(&self, place: Place, generation: u64, up_to: Epoch) -> Result<Vec<Event>, TrailError> {
        let head = self.head()?;
        let replaced = head.map_or(0, |head| head.replaced.epoch);
        if let Some(head) = head.filter(|_| place.epoch <= replaced) {
            if head.generation != generation {
                return Err(TrailError::TooOld);
            }
            let found = Self::first(place, up_to, |after, visit| {
                head.for_each(&*self.reader, after, visit).map_err(unreadable)
            })?;
            if !found.is_empty() {
                return Ok(found);
            }
        }
        // Whatever of the journal before the checkpoint's end is not cleared yet was told by the checkpoint.
        let place = place.max(Place { epoch: replaced + 1, index: 0 });
        Self::first(place, up_to, |after, visit| self.reader.for_each(after, visit).map_err(unreadable))
    }

    fn first(
        place: Place,
        up_to: Epoch,
        read: impl Fn(Epoch, &mut dyn FnMut(Epoch, &[u8]) -> bool) -> Result<(), TrailError>,
    ) -> Result<Vec<Event>, TrailError> {
        let (mut events, mut failed) = (Vec::new(), None);
        read(place.epoch.saturating_sub(1), &mut |epoch, bytes| {
            if epoch > up_to {
                return false;
            }
            let first = if epoch == place.epoch { place.index } else { 0 };
            let told = Group::read_again(bytes).and_then(|group| {
                group.for_each_event(|event| {
                    if event.index.get() >= first {
                        events.push(event);
                    }
                })
            });
            failed = told.err().map(|error| TrailError::Unreadable(format!("the group of epoch {epoch} {error}")));
            events.is_empty() && failed.is_none()
        })?;
        failed.map_or(Ok(events), Err)
    }
}

fn unreadable(error: impl fmt::Display) -> TrailError {
    TrailError::Unreadable(error.to_string())
}
