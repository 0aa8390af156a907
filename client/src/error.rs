//! What can go wrong with a call, and what to do then.

use std::fmt;
use std::time::Duration;

use stockade_protocol::Status;

use crate::operation::Operation;

/// Why a call has no result. A refusal of the business kind (`SOLD_OUT`, `PAUSED` …) is none of these: it is a result.
///
/// Only [`UnknownOutcome`](ClientError::UnknownOutcome) leaves open whether the request was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientError {
    /// The request may have been done: it was sent, and its answer did not come or says nothing certain.
    /// Resolve it with what [`Operation`] names, or repeat the same request with the same request id.
    UnknownOutcome {
        /// What was asked for.
        operation: Operation,
        /// The call's deadline, counted from its start.
        deadline: Duration,
        /// What stood in the way.
        reason: String,
    },
    /// The server refuses and will refuse again: a wrong token, another protocol version, or, to a call that reads, a
    /// batch, serial or cursor that is none. Fix the cause first.
    Refused {
        /// The server's code.
        status: Status,
        /// The server's sentence; may be empty.
        text: String,
    },
    /// The request was surely not done, or it only reads: repeat it later.
    Unavailable {
        /// The address that was tried.
        server: String,
        /// The server's last answer, if it was one that asks to try again (`OVERLOADED`, `UNAVAILABLE` …).
        status: Option<Status>,
        /// What stood in the way.
        reason: String,
    },
    /// An argument is impossible; nothing was sent. Fix the argument.
    InvalidInput {
        /// Which argument.
        argument: &'static str,
        /// What is wrong with it, and what would be right.
        reason: String,
    },
    /// The peer does not speak this protocol. The request was surely not done, or it only reads.
    /// Check the address and the versions.
    Protocol {
        /// The address that answered.
        server: String,
        /// What it did.
        reason: String,
    },
}

/// What helps against a refusal that repeating does not change.
fn remedy(status: Status) -> &'static str {
    match status {
        Status::TokenInvalid => "set a token that the server knows",
        Status::Forbidden => "use a token that may do this",
        Status::VersionUnsupported | Status::OpcodeUnknown => "update the older one of client and server",
        Status::BatchUnknown => "check the id of the batch",
        Status::SerialUnknown => "check the serial",
        Status::CursorInvalid => "begin anew without it, and check that the server still has the same data",
        Status::CursorTooOld => "begin anew from the oldest event",
        Status::Granted
        | Status::Done
        | Status::Reserved
        | Status::Malformed
        | Status::FrameTooLarge
        | Status::HandshakeRequired
        | Status::DeadlinePassed
        | Status::Overloaded
        | Status::NoSpace
        | Status::Unavailable
        | Status::BatchConflict
        | Status::StateConflict
        | Status::TermsInvalid
        | Status::QuantityInvalid
        | Status::StockOverflow
        | Status::TtlInvalid
        | Status::ZoneInvalid
        | Status::RequestConflict
        | Status::RequestUnknown
        | Status::ReservationConfirmed
        | Status::ReservationCancelled
        | Status::ReservationExpired
        | Status::ReservationExtended
        | Status::HistoryFull
        | Status::BatchDraft
        | Status::NotStarted
        | Status::Paused
        | Status::Ended
        | Status::Closed
        | Status::AudienceRefused
        | Status::QuantityAboveLimit
        | Status::HoldsUserLimit
        | Status::HoldsBatchLimit
        | Status::DayLimitReached
        | Status::LimitReached
        | Status::SoldOut
        | Status::DaySoldOut
        | Status::NotYours
        | Status::OrderEnded
        | Status::OrderConflict
        | Status::CouponStateConflict
        | Status::CouponExpired => "repeating does not help; see the server's log",
    }
}

impl fmt::Display for ClientError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ClientError::UnknownOutcome { operation, deadline, reason } => write!(
                formatter,
                "unknown outcome of {operation} (deadline {deadline:?}): {reason}; it may have been done: {}",
                operation.resolution()
            ),
            ClientError::Refused { status, text } if text.is_empty() => {
                write!(formatter, "the server refuses with {status}: {}", remedy(*status))
            }
            ClientError::Refused { status, text } => {
                write!(formatter, "the server refuses with {status}: {text}; {}", remedy(*status))
            }
            ClientError::Unavailable { server, reason, .. } => {
                write!(formatter, "{server} is not available: {reason}; nothing was done, repeat later")
            }
            ClientError::InvalidInput { argument, reason } => write!(formatter, "{argument}: {reason}"),
            ClientError::Protocol { server, reason } => write!(
                formatter,
                "{server} does not speak the protocol: {reason}; nothing was done, check the address and the versions"
            ),
        }
    }
}

impl std::error::Error for ClientError {}
