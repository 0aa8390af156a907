//! What callers hand in and get back, in plain types.

use stockade_protocol::Status;
use stockade_protocol::batch::{BatchInfo, State};
use stockade_protocol::claim::{Claim, ClaimReply};
use stockade_protocol::hello::{Durability, Welcome};

/// A claim: `quantity` units of `batch` for `user`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ClaimRequest {
    /// Batch to take from.
    pub batch: u64,
    /// Who takes.
    pub user: u64,
    /// The caller's id of this request, unique per batch and user. Keep it: it is what repeats and resolves the claim.
    pub request: u64,
    /// Units, 1..=255.
    pub quantity: u8,
    /// Take fewer when there are fewer, instead of none.
    pub up_to: bool,
}

impl ClaimRequest {
    pub(crate) fn to_wire(self) -> Claim {
        let claim = Claim::new(self.batch, self.user, self.request, self.quantity);
        if self.up_to { claim.up_to() } else { claim }
    }
}

/// What became of a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimOutcome {
    /// `GRANTED`, or why not.
    pub status: Status,
    /// The serials held by this request, all of them: `granted` in number.
    pub serials: Vec<u32>,
    /// Units held by this request; 0 unless granted.
    pub granted: u8,
    /// Units of the batch not yet taken: a hint that may be old.
    pub remaining: u32,
    /// Units of the batch that the user holds.
    pub user_units: u32,
    /// Whether this is the answer to an earlier copy of the request.
    pub replayed: bool,
    /// The epoch that had to be durable before this answer could leave.
    pub epoch: u64,
}

impl ClaimOutcome {
    /// The reply in plain types. `serials` stay empty when the reply does not hold them all.
    pub(crate) fn from_wire(reply: &ClaimReply) -> Self {
        let status = reply.status().expect("the status was checked when the reply came");
        let serials = if reply.is_split() { Vec::new() } else { serials_of(reply.serial.get(), reply.granted.into()) };
        Self {
            status,
            serials,
            granted: reply.granted,
            remaining: reply.remaining.get(),
            user_units: reply.user_units.get(),
            replayed: reply.is_replayed(),
            epoch: reply.epoch.get(),
        }
    }
}

/// `count` serials from `first` on. The caller has checked that `first + count` is within range.
pub(crate) fn serials_of(first: u32, count: u32) -> Vec<u32> {
    (0..count).map(|offset| first + offset).collect()
}

/// What became of an operation on a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchOutcome {
    /// `DONE`, or why not.
    pub status: Status,
    /// The batch as it is now, if there is one.
    pub batch: Option<Batch>,
}

impl BatchOutcome {
    pub(crate) fn from_wire(info: &BatchInfo) -> Self {
        let status = info.status().expect("the status was checked when the reply came");
        Self { status, batch: Batch::from_wire(info) }
    }
}

/// A batch at one instant: `total` = `granted` + `remaining`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Its id.
    pub id: u64,
    /// Its name, for people.
    pub name: String,
    /// Where it is in its life.
    pub state: State,
    /// Units at the beginning and added since.
    pub total: u32,
    /// Units granted.
    pub granted: u32,
    /// Units not taken.
    pub remaining: u32,
    /// Units that one user may hold; `None` = as many as there are.
    pub per_user: Option<u32>,
    /// First instant at which claims are granted, in milliseconds since 1970; `None` = at once.
    pub starts_ms: Option<u64>,
    /// First instant at which they are not granted any more; `None` = never.
    pub ends_ms: Option<u64>,
    /// When it was created, in milliseconds since 1970.
    pub created_ms: u64,
}

impl Batch {
    /// The batch that an answer is about; `None` when there is none.
    pub(crate) fn from_wire(info: &BatchInfo) -> Option<Self> {
        let state = info.state()?;
        Some(Self {
            id: info.batch.get(),
            name: info.name().to_owned(),
            state,
            total: info.total.get(),
            granted: info.granted.get(),
            remaining: info.remaining.get(),
            per_user: Some(info.per_user.get()).filter(|limit| *limit != 0),
            starts_ms: Some(info.starts_ms.get()).filter(|at| *at != 0),
            ends_ms: Some(info.ends_ms.get()).filter(|at| *at != 0),
            created_ms: info.created_ms.get(),
        })
    }
}

/// What the server said of itself in the newest handshake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Its version.
    pub version: String,
    /// Protocol version that it speaks.
    pub protocol_version: u8,
    /// What its answers survive; `None` = a mode that this client does not know.
    pub durability: Option<Durability>,
    /// Its network threads.
    pub cores: u16,
    /// Most claims in one frame.
    pub claims_per_frame_max: u32,
    /// Most claims of one connection that wait for their answer.
    pub in_flight_claims_max: u32,
    /// Identity of the stored data, the same after every restart on it; 0 when it is kept in memory only.
    pub store_id: u64,
    /// Newest epoch that was durable then.
    pub durable_epoch: u64,
    /// Its clock then, in milliseconds since 1970.
    pub now_ms: u64,
}

impl Server {
    /// Reads a welcome.
    ///
    /// # Errors
    /// What is impossible about it.
    pub(crate) fn from_wire(welcome: &Welcome) -> Result<Self, &'static str> {
        let (claims_per_frame_max, in_flight_claims_max) =
            (welcome.claims_per_frame_max.get(), welcome.in_flight_claims_max.get());
        if claims_per_frame_max == 0 || in_flight_claims_max == 0 {
            return Err("its limits allow no claim at all");
        }
        Ok(Self {
            version: welcome.server_version().to_owned(),
            protocol_version: welcome.protocol_version,
            durability: welcome.durability(),
            cores: welcome.cores.get(),
            claims_per_frame_max,
            in_flight_claims_max,
            store_id: welcome.store_id.get(),
            durable_epoch: welcome.durable_epoch.get(),
            now_ms: welcome.now_ms.get(),
        })
    }
}
