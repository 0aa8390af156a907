//! Feed: every durable effect in order, and how far each consumer has come.
//!
//! A place in the feed is an epoch and the number of an event within it. Behind the checkpoint these are those of the
//! journal's groups. A checkpoint has groups of its own: places in it are good for as long as it is the checkpoint. So
//! no new one is taken while a consumer is on its way through the old one, or still needs what it would replace; as
//! long as that holds back no more than a stated number of bytes.

mod consumers;
mod trail;

pub use consumers::{Consumer, Consumers, ConsumersError};
pub use trail::{Trail, TrailError};

use std::sync::Arc;

use crate::journal::Reader;
use crate::types::Epoch;

/// What the feed is read from.
pub struct Source {
    /// The store.
    pub reader: Box<dyn Reader + Send>,
    /// The consumers' cursors.
    pub consumers: Arc<Consumers>,
}

/// A place in the feed: all events before it were taken in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The epoch.
    pub epoch: Epoch,
    /// The number of the next event within it.
    pub index: u32,
}

impl Place {
    /// The beginning of all that is kept.
    pub const OLDEST: Place = Place { epoch: 0, index: 0 };
}
