//! What can go wrong with a call, and what to do then.

use std::fmt;
use std::time::Duration;

use stockade_protocol::Status;
use stockade_protocol::batch::Action;

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
    /// The server refuses and will refuse again: a wrong token, another protocol version. Fix the cause first.
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

/// A request that changes something, as far as it is needed to find out later what became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// A claim: `lookup` with these three tells its outcome.
    Claim {
        /// Batch claimed from.
        batch: u64,
        /// Who claims.
        user: u64,
        /// Request id.
        request: u64,
    },
    /// A creation: `show_batch` tells whether the batch exists; repeating it with the same terms is safe.
    CreateBatch {
        /// Id of the batch.
        batch: u64,
    },
    /// A change of state: `show_batch` tells the state.
    ChangeBatch {
        /// Id of the batch.
        batch: u64,
        /// What was to be done with it.
        action: Action,
    },
    /// An addition of stock: repeating it with the same request id adds nothing twice and tells the outcome.
    AddStock {
        /// Id of the batch.
        batch: u64,
        /// Request id.
        request: u64,
    },
}

impl Operation {
    /// Whether this answer to a later copy also tells what became of an earlier one that was never answered.
    ///
    /// `CLOSED` does not: a closed batch has forgotten its requests, so the earlier copy may have been done. Nor does
    /// `STATE_CONFLICT`: the change may have been made, and another after it.
    pub(crate) fn is_settled_by(self, status: Status) -> bool {
        match self {
            Operation::Claim { .. } | Operation::AddStock { .. } => status != Status::Closed,
            Operation::ChangeBatch { .. } => status != Status::StateConflict,
            Operation::CreateBatch { .. } => true,
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Operation::Claim { batch, user, request } => {
                write!(formatter, "claim {request} of user {user} on batch {batch}")
            }
            Operation::CreateBatch { batch } => write!(formatter, "creation of batch {batch}"),
            Operation::ChangeBatch { batch, action } => write!(formatter, "change {action:?} of batch {batch}"),
            Operation::AddStock { batch, request } => write!(formatter, "addition {request} to batch {batch}"),
        }
    }
}

/// How to find out what became of it, as the end of a sentence.
fn resolution(operation: Operation) -> String {
    match operation {
        Operation::Claim { batch, user, request } => {
            format!(
                "claim again with the same request id, or ask lookup(batch {batch}, user {user}, request {request})"
            )
        }
        Operation::CreateBatch { batch } => format!("create batch {batch} again with the same terms, or show it"),
        Operation::ChangeBatch { batch, .. } => format!("show batch {batch} and compare its state"),
        Operation::AddStock { request, .. } => format!("add the stock again with the same request id {request}"),
    }
}

/// What helps against a refusal that repeating does not change.
fn remedy(status: Status) -> &'static str {
    match status {
        Status::TokenInvalid => "set a token that the server knows",
        Status::Forbidden => "use a token that may do this",
        Status::VersionUnsupported | Status::OpcodeUnknown => "update the older one of client and server",
        Status::Granted
        | Status::Done
        | Status::Malformed
        | Status::FrameTooLarge
        | Status::HandshakeRequired
        | Status::DeadlinePassed
        | Status::Overloaded
        | Status::NoSpace
        | Status::Unavailable
        | Status::BatchUnknown
        | Status::BatchConflict
        | Status::StateConflict
        | Status::TermsInvalid
        | Status::QuantityInvalid
        | Status::StockOverflow
        | Status::RequestConflict
        | Status::RequestUnknown
        | Status::BatchDraft
        | Status::NotStarted
        | Status::Paused
        | Status::Ended
        | Status::Closed
        | Status::LimitReached
        | Status::SoldOut => "repeating does not help; see the server's log",
    }
}

impl fmt::Display for ClientError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ClientError::UnknownOutcome { operation, deadline, reason } => write!(
                formatter,
                "unknown outcome of {operation} (deadline {deadline:?}): {reason}; it may have been done: {}",
                resolution(*operation)
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
