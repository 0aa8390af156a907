//! One sentence for each way in which a call has no outcome: what it means here, and what to do.

use stockade_client::{Action, ClientError, CouponAction, Operation, Status};

use super::advice::{self, About};
use super::exit::{Exit, Failure};
use super::output;
use super::record::Value;

impl Failure {
    /// A call about something that has no outcome.
    pub(super) fn of_call(error: &ClientError, about: About) -> Self {
        let advice = match error {
            // What the server refuses for good is mostly said better with the ids of what was asked for.
            ClientError::Refused { status, .. } if !is_about_token(*status) => advice::of_status(*status, about),
            ClientError::Refused { .. }
            | ClientError::UnknownOutcome { .. }
            | ClientError::Unavailable { .. }
            | ClientError::InvalidInput { .. }
            | ClientError::Protocol { .. } => None,
        };
        Self { exit: Exit::of_error(error), sentence: advice.unwrap_or_else(|| sentence(error)) }
    }

    /// A call about the server as a whole that has no outcome.
    pub(super) fn of_server(error: &ClientError) -> Self {
        Self { exit: Exit::of_error(error), sentence: sentence(error) }
    }
}

/// Prints the failure of a call that reads, where JSON is wanted, and gives it back.
pub(super) fn print(error: &ClientError, about: About, is_json: bool) -> Result<Exit, Failure> {
    let failure = Failure::of_call(error, about);
    if is_json {
        output::json(&output::status(word(error)).with("error", Value::Text(failure.sentence.clone())))?;
    }
    Err(failure)
}

fn is_about_token(status: Status) -> bool {
    matches!(status, Status::TokenInvalid | Status::Forbidden)
}

/// The word for a call without an outcome, in the place of a status.
pub(super) fn word(error: &ClientError) -> &'static str {
    match error {
        ClientError::UnknownOutcome { .. } => "OUTCOME_UNKNOWN",
        ClientError::Refused { status, .. } | ClientError::Unavailable { status: Some(status), .. } => status.name(),
        ClientError::Unavailable { status: None, .. } => Status::Unavailable.name(),
        ClientError::InvalidInput { .. } => "INVALID_INPUT",
        ClientError::Protocol { .. } => "PROTOCOL_ERROR",
    }
}

/// What to do after a call that has no outcome.
fn sentence(error: &ClientError) -> String {
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

/// The command that finds out.
fn resolution(operation: Operation) -> String {
    let lookup = |batch, user, request, again| {
        format!("`stockade lookup {batch} --user {user} --request {request}` tells, and so does the same {again} again")
    };
    match operation {
        Operation::Claim { batch, user, request } => lookup(batch, user, request, "claim"),
        Operation::Reserve { batch, user, request } => lookup(batch, user, request, "reservation"),
        Operation::Confirm { batch, user, request } => lookup(batch, user, request, "confirmation"),
        Operation::Cancel { batch, user, request } => lookup(batch, user, request, "cancellation"),
        Operation::Extend { .. } => "extend it again by the same --ttl: it is extended once, and that tells".to_owned(),
        Operation::ChangeCoupon { batch, serial, action, .. } => {
            let order =
                if matches!(action, CouponAction::Return | CouponAction::Void) { "" } else { " for this --order" };
            format!("`stockade coupon show {batch} {serial}` tells; {} it again{order}, that is safe", action.name())
        }
        Operation::CreateBatch { batch } => format!("`stockade batch show {batch}` tells; creating it again is safe"),
        Operation::ChangeBatch { batch, action: Action::Purge } => {
            format!("`stockade batch show {batch}` tells: there is no such batch once it is purged")
        }
        Operation::ChangeBatch { batch, .. } => format!("`stockade batch show {batch}` shows the state that it is in"),
        Operation::EditBatch { batch } => {
            format!("`stockade batch show {batch}` shows its terms; the same edit again is safe")
        }
        Operation::AddStock { batch, request } => {
            format!("run `stockade batch add-stock {batch}` again with --request {request}: it adds once and tells")
        }
        Operation::WithdrawStock { batch, request } => {
            format!("run `stockade batch withdraw {batch}` again with --request {request}: it withdraws once and tells")
        }
        Operation::ForgetConsumer => "`stockade feed consumers` shows those that are left".to_owned(),
    }
}

/// The flag behind an argument of the client.
fn flag_of(argument: &str) -> String {
    match argument {
        "deadline" => "--timeout".to_owned(),
        other => format!("--{other}"),
    }
}
