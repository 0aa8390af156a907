//! Events: what happened, one effect each, and their places in the order of all.

use stockade_protocol::feed::{self, Kind};

/// The place of an event in the order of all events. Places of one store compare.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The epoch in which it happened.
    pub epoch: u64,
    /// Its number within the epoch.
    pub index: u32,
}

impl Place {
    /// Before all events.
    pub const FIRST: Place = Place { epoch: 0, index: 0 };

    /// The place right after this one: what to start from when this was the last event that was dealt with.
    #[must_use]
    pub fn next(self) -> Place {
        match self.index.checked_add(1) {
            Some(index) => Place { index, ..self },
            None => Place { epoch: self.epoch.saturating_add(1), index: 0 },
        }
    }
}

/// Something that happened. Fields that its kind does not have are 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its place in the order of all.
    pub place: Place,
    /// What happened; `None` = a kind that this client does not know.
    pub kind: Option<Kind>,
    /// Units of it, with consecutive serials from `serial` on.
    pub units: u8,
    /// Who asked for it, as [`clients`](crate::Client::clients) names them; 0 = the server itself, or not recorded.
    pub client: u16,
    /// The batch.
    pub batch: u64,
    /// The user.
    pub user: u64,
    /// The claim or reservation; of an addition or withdrawal, its own request id.
    pub request: u64,
    /// The order.
    pub order: u64,
    /// When, in milliseconds since 1970.
    pub time_ms: u64,
    /// The first serial.
    pub serial: u32,
    /// As the kind says.
    pub value: u32,
}

impl Event {
    pub(crate) fn from_wire(event: &feed::Event) -> Self {
        Self {
            place: Place { epoch: event.epoch.get(), index: event.index.get() },
            kind: event.kind(),
            units: event.units,
            client: event.client.get(),
            batch: event.batch.get(),
            user: event.user.get(),
            request: event.request.get(),
            order: event.order.get(),
            time_ms: event.time_ms.get(),
            serial: event.serial.get(),
            value: event.value.get(),
        }
    }
}
