//! One sentence for each outcome that is not the wanted one: what it means here, and what to do.

use stockade_client::{ClientError, Operation, Status};

/// What to do after `status` about `batch`; `None` when the wanted thing happened.
pub(super) fn of_status(status: Status, batch: u64) -> Option<String> {
    let sentence = match status {
        Status::Granted | Status::Done => return None,
        Status::BatchUnknown => format!("there is no batch {batch}; `stockade batch list` shows those that there are"),
        Status::BatchConflict => {
            format!(
                "batch {batch}, or this --request of it, exists with other terms; take another id, or the same terms"
            )
        }
        Status::StateConflict => {
            format!("the state of batch {batch} does not allow this; `stockade batch show {batch}` shows it")
        }
        Status::TermsInvalid => {
            "these terms are not possible; units must be 1 or more, and --ends after --starts".to_owned()
        }
        Status::QuantityInvalid => "this quantity is not possible; ask for 1 to 255 units".to_owned(),
        Status::StockOverflow => format!(
            "batch {batch} takes no more stock; its total may not pass {}, and its additions are bounded, too",
            u32::MAX
        ),
        Status::RequestConflict => {
            "this user already used this --request with another quantity or mode; repeat it as it was, or take another \
             --request"
                .to_owned()
        }
        Status::RequestUnknown => {
            format!(
                "batch {batch} knows nothing of this request; it was refused, or it never arrived: claim again with it"
            )
        }
        Status::BatchDraft => {
            format!("batch {batch} is a draft; `stockade batch activate {batch}` makes it claimable")
        }
        Status::NotStarted => {
            format!("batch {batch} has not started; `stockade batch show {batch}` shows when it does")
        }
        Status::Paused => format!("batch {batch} is paused; `stockade batch resume {batch}` makes it claimable again"),
        Status::Ended => format!("batch {batch} has ended; create another one"),
        Status::Closed => format!("batch {batch} is closed; its claims are no longer kept, create another one"),
        Status::LimitReached => "the user would hold more units than the batch allows one user".to_owned(),
        Status::SoldOut => format!(
            "batch {batch} has fewer units than asked for; ask --up-to, or `stockade batch add-stock {batch} --units N`"
        ),
        Status::DeadlinePassed => "it was too late and nothing was done; repeat it, with a longer --timeout".to_owned(),
        Status::Overloaded => "the server is overloaded and did nothing; repeat it later".to_owned(),
        Status::NoSpace => "the server's disk is nearly full and it takes no claims; make space there".to_owned(),
        Status::Unavailable => "the server is leaving and did nothing; repeat it later".to_owned(),
        Status::TokenInvalid => "the server does not know this token; set STOCKADE_TOKEN or --token".to_owned(),
        Status::Forbidden => "this token may not do this; use an operator's token".to_owned(),
        Status::VersionUnsupported | Status::OpcodeUnknown => {
            "server and command do not speak the same protocol; use the same version of both".to_owned()
        }
        Status::Malformed | Status::FrameTooLarge | Status::HandshakeRequired => {
            "the server did not understand this command; use the same version of both, and report it if they are"
                .to_owned()
        }
    };
    Some(sentence)
}

/// What to do after a call that has no outcome.
pub(super) fn of_error(error: &ClientError) -> String {
    match error {
        ClientError::UnknownOutcome { operation, reason, .. } => {
            format!("nobody knows whether it was done ({reason}); {}", resolution(*operation))
        }
        ClientError::Refused { status: Status::TokenInvalid | Status::Forbidden, text } => {
            format!("the server refuses this token ({text}); set STOCKADE_TOKEN or --token to one that may do this")
        }
        ClientError::InvalidInput { argument, reason } => format!("{}: {reason}", flag_of(argument)),
        ClientError::Unavailable { status: None, server, reason } => format!(
            "no answer from {server} in time ({reason}); nothing was done: start it with `stockade serve`, or name \
             another one with --server"
        ),
        ClientError::Refused { .. } | ClientError::Unavailable { .. } | ClientError::Protocol { .. } => {
            error.to_string()
        }
    }
}

/// The word for a call without an outcome, in the place of a status.
pub(super) fn word_of(error: &ClientError) -> &'static str {
    match error {
        ClientError::UnknownOutcome { .. } => "OUTCOME_UNKNOWN",
        ClientError::Refused { status, .. } | ClientError::Unavailable { status: Some(status), .. } => status.name(),
        ClientError::Unavailable { status: None, .. } => Status::Unavailable.name(),
        ClientError::InvalidInput { .. } => "INVALID_INPUT",
        ClientError::Protocol { .. } => "PROTOCOL_ERROR",
    }
}

/// The command that finds out.
fn resolution(operation: Operation) -> String {
    match operation {
        Operation::Claim { batch, user, request } => {
            format!(
                "`stockade lookup {batch} --user {user} --request {request}` tells, and so does the same claim again"
            )
        }
        Operation::CreateBatch { batch } => format!("`stockade batch show {batch}` tells; creating it again is safe"),
        Operation::ChangeBatch { batch, .. } => format!("`stockade batch show {batch}` shows the state that it is in"),
        Operation::AddStock { batch, request } => {
            format!("run `stockade batch add-stock {batch}` again with --request {request}: it adds once and tells")
        }
    }
}

/// The flag behind an argument of the client.
fn flag_of(argument: &str) -> String {
    match argument {
        "deadline" => "--timeout".to_owned(),
        other => format!("--{other}"),
    }
}
