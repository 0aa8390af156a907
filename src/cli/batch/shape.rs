//! How a batch looks: as lines of text and as JSON.

use serde::Serialize;
use stockade_client::{Batch, BatchOutcome, ClientError};

use super::super::exit::{Exit, Failure};
use super::super::{advice, output, time};

/// A batch as JSON. `null`: no limit, at once, never.
#[derive(Serialize)]
pub(super) struct Json<'a> {
    id: u64,
    name: &'a str,
    state: &'static str,
    total: u32,
    granted: u32,
    remaining: u32,
    per_user: Option<u32>,
    starts: Option<String>,
    ends: Option<String>,
    created: String,
}

/// The answer to an operation as JSON.
#[derive(Serialize)]
struct Answer<'a> {
    status: &'static str,
    #[serde(flatten)]
    batch: Subject<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Subject<'a> {
    Known(Json<'a>),
    Unknown { id: u64 },
}

impl<'a> Json<'a> {
    pub(super) fn of(batch: &'a Batch) -> Self {
        Self {
            id: batch.id,
            name: &batch.name,
            state: batch.state.name(),
            total: batch.total,
            granted: batch.granted,
            remaining: batch.remaining,
            per_user: batch.per_user,
            starts: batch.starts_ms.map(time::rfc3339),
            ends: batch.ends_ms.map(time::rfc3339),
            created: time::rfc3339(batch.created_ms),
        }
    }
}

/// Prints what became of an operation on the batch `id`; `request` where it had a request id.
pub(super) fn print(
    id: u64,
    request: Option<u64>,
    result: &Result<BatchOutcome, ClientError>,
    json: bool,
) -> Result<Exit, Failure> {
    match result {
        Ok(BatchOutcome { status, batch }) => {
            let advice = advice::of_status(*status, id);
            if json {
                let batch = batch.as_ref().map_or(Subject::Unknown { id }, |batch| Subject::Known(Json::of(batch)));
                output::json(&Answer { status: status.name(), batch, request, error: advice.as_deref() })?;
            } else if let (Some(batch), None) = (batch, &advice) {
                output::write(&lines(batch, request))?;
            }
            if let Some(sentence) = advice {
                output::complain(&sentence);
            }
            Ok(Exit::of_status(*status))
        }
        Err(error) => {
            let failure = Failure::of_call(error);
            if json {
                let error_text = Some(failure.sentence.as_str());
                let batch = Subject::Unknown { id };
                output::json(&Answer { status: advice::word_of(error), batch, request, error: error_text })?;
            }
            Err(failure)
        }
    }
}

fn lines(batch: &Batch, request: Option<u64>) -> String {
    let mut lines = vec![
        ("batch", batch.id.to_string()),
        ("name", batch.name.clone()),
        ("state", batch.state.name().to_owned()),
        ("total", batch.total.to_string()),
        ("granted", batch.granted.to_string()),
        ("remaining", batch.remaining.to_string()),
        ("per user", limit(batch)),
        ("starts", instant(batch.starts_ms, "at once")),
        ("ends", instant(batch.ends_ms, "never")),
        ("created", time::rfc3339(batch.created_ms)),
    ];
    lines.extend(request.map(|request| ("request", request.to_string())));
    lines.iter().map(|(name, value)| format!("{name:<11}{value}").trim_end().to_owned() + "\n").collect()
}

/// Units that one user may hold, for people.
pub(super) fn limit(batch: &Batch) -> String {
    batch.per_user.map_or_else(|| "unlimited".to_owned(), |limit| limit.to_string())
}

/// An instant of a batch, for people.
pub(super) fn instant(milliseconds: Option<u64>, otherwise: &str) -> String {
    milliseconds.map_or_else(|| otherwise.to_owned(), time::rfc3339)
}
