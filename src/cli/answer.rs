//! The one line of JSON that claims, reservations and what becomes of them print: what one request became.

use serde::Serialize;
use stockade_client::{ClaimOutcome, ClientError};

use super::advice::About;
use super::exit::{Exit, Failure};
use super::{advice, output, trouble};

/// The line that is printed. What nobody knows is `null`.
#[derive(Serialize)]
struct Line<'a> {
    status: &'a str,
    serials: &'a [u32],
    granted: Option<u8>,
    remaining: Option<u32>,
    replayed: Option<bool>,
    batch: u64,
    user: u64,
    request: u64,
    user_units: Option<u32>,
    day_units: Option<u32>,
    epoch: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// Which request a line is about.
#[derive(Clone, Copy)]
pub(super) struct Key {
    pub(super) batch: u64,
    pub(super) user: u64,
    pub(super) request: u64,
}

/// Prints what became of a request. `granted_without_outcome` is what a call that failed surely left the request with,
/// if that is known.
pub(super) fn print(
    key: Key,
    result: &Result<ClaimOutcome, ClientError>,
    granted_without_outcome: Option<u8>,
) -> Result<Exit, Failure> {
    let Key { batch, user, request } = key;
    match result {
        Ok(outcome) => {
            output::json(&Line {
                status: outcome.status.name(),
                serials: &outcome.serials,
                granted: Some(outcome.granted),
                remaining: Some(outcome.remaining),
                replayed: Some(outcome.replayed),
                batch,
                user,
                request,
                user_units: Some(outcome.user_units),
                day_units: Some(outcome.day_units),
                epoch: Some(outcome.epoch),
                error: None,
            })?;
            if let Some(sentence) = advice::of_status(outcome.status, About::Units { batch, user }) {
                output::complain(&sentence);
            }
            Ok(Exit::of_status(outcome.status))
        }
        Err(error) => {
            let failure = Failure::of_call(error, About::Units { batch, user });
            output::json(&Line {
                status: trouble::word(error),
                serials: &[],
                granted: granted_without_outcome,
                remaining: None,
                replayed: granted_without_outcome.map(|_| false),
                batch,
                user,
                request,
                user_units: None,
                day_units: None,
                epoch: None,
                error: Some(failure.sentence.clone()),
            })?;
            Err(failure)
        }
    }
}

/// What a request for units surely left behind that has no outcome: nothing, except where the error itself says that it
/// may be done.
pub(super) fn surely_none(result: &Result<ClaimOutcome, ClientError>) -> Option<u8> {
    match result {
        Err(ClientError::UnknownOutcome { .. }) => None,
        Ok(_) | Err(_) => Some(0),
    }
}
