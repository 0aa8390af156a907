//! Why an attempt brought no result. One cause is told to every call that it hit, so its text is shared.

use std::sync::Arc;

use stockade_protocol::{Retry, Status};

use crate::error::ClientError;

/// What stood in the way of an attempt.
#[derive(Clone, Debug)]
pub(crate) enum Trouble {
    /// The network: no connection, or it was lost.
    Network(Arc<str>),
    /// The peer sent what the protocol does not allow, on a connection that had worked.
    Protocol(Arc<str>),
    /// The peer's first bytes are no handshake: whatever listens there is no Stockade of this version.
    Stranger(Arc<str>),
    /// The server refused with a status that this client does not know: a refusal not worth a retry, by the protocol.
    RefusedUnknown(Arc<str>),
    /// The server refused the connection, the frame or the item.
    Refused {
        /// Its code.
        status: Status,
        /// Its sentence; may be empty.
        text: Arc<str>,
    },
}

impl Trouble {
    pub(crate) fn network(reason: impl Into<Arc<str>>) -> Self {
        Trouble::Network(reason.into())
    }

    pub(crate) fn protocol(reason: impl Into<Arc<str>>) -> Self {
        Trouble::Protocol(reason.into())
    }

    pub(crate) fn stranger(reason: impl Into<Arc<str>>) -> Self {
        Trouble::Stranger(reason.into())
    }

    /// `status`: the number that this client has no name for.
    pub(crate) fn refused_unknown(status: u8, text: &str) -> Self {
        let server_says = if text.is_empty() { String::new() } else { format!(" ({text})") };
        let reason = format!("refused with status {status}{server_says}, which this client does not know: update it");
        Trouble::RefusedUnknown(reason.into())
    }

    pub(crate) fn refused(status: Status, text: &str) -> Self {
        Trouble::Refused { status, text: text.into() }
    }

    /// Whether another try would meet the same.
    pub(crate) fn is_final(&self) -> bool {
        match self {
            Trouble::Network(_) | Trouble::Protocol(_) => false,
            Trouble::Stranger(_) | Trouble::RefusedUnknown(_) => true,
            Trouble::Refused { status, .. } => match status.retry() {
                Retry::Later => false,
                Retry::Never | Retry::WhenBatchChanges | Retry::WhenCouponChanges => true,
            },
        }
    }

    /// For a sentence.
    pub(crate) fn reason(&self) -> String {
        match self {
            Trouble::Network(reason)
            | Trouble::Protocol(reason)
            | Trouble::Stranger(reason)
            | Trouble::RefusedUnknown(reason) => reason.to_string(),
            Trouble::Refused { status, text } if text.is_empty() => format!("the server answered {status}"),
            Trouble::Refused { status, text } => format!("the server answered {status}: {text}"),
        }
    }

    /// The error of a call that it ended, where nothing is in doubt.
    pub(crate) fn error(&self, server: &str, reason: String) -> ClientError {
        let server = server.to_owned();
        match self {
            Trouble::Network(_) => ClientError::Unavailable { server, status: None, reason },
            Trouble::Protocol(_) | Trouble::Stranger(_) | Trouble::RefusedUnknown(_) => {
                ClientError::Protocol { server, reason }
            }
            Trouble::Refused { status, text } => match status.retry() {
                Retry::Later => ClientError::Unavailable { server, status: Some(*status), reason },
                Retry::Never | Retry::WhenBatchChanges | Retry::WhenCouponChanges => {
                    ClientError::Refused { status: *status, text: text.to_string() }
                }
            },
        }
    }
}
