//! How a batch looks, and what is printed of an operation on one.

use stockade_client::{Batch, BatchOutcome, ClientError};

use super::super::advice::{self, About};
use super::super::exit::{Exit, Failure};
use super::super::flags::Flags;
use super::super::record::{Record, Value};
use super::super::{output, trouble};

/// Everything that a batch has.
pub(super) fn record(batch: &Batch) -> Record {
    let flags = |mask: u32| Value::Flags(Flags(mask));
    Record::new()
        .with("id", Value::number(batch.id))
        .with("name", Value::Text(batch.name.clone()))
        .with("state", Value::Word(Some(batch.state.name()), ""))
        .with("version", Value::number(batch.version))
        .with("total", Value::number(batch.total))
        .with("granted", Value::number(batch.granted))
        .with("held", Value::number(batch.held))
        .with("voided", Value::number(batch.voided))
        .with("remaining", Value::number(batch.remaining))
        .with("day_units", Value::Number(batch.per_day.map(|_| batch.day_units.into()), "not counted"))
        .with("per_user", Value::limit(batch.per_user))
        .with("per_user_day", Value::limit(batch.per_user_day))
        .with("per_day", Value::limit(batch.per_day))
        .with("quantity_max", Value::limit(batch.quantity_max))
        .with("holds_per_user", Value::limit(batch.holds.per_user))
        .with("holds_share", Value::limit(batch.holds.share))
        .with("audience_all", flags(batch.audience.all))
        .with("audience_any", flags(batch.audience.any))
        .with("audience_none", flags(batch.audience.none))
        .with("starts", Value::Instant(batch.starts_ms, "at once"))
        .with("ends", Value::Instant(batch.ends_ms, "never"))
        .with("expires", Value::Instant(batch.validity.expires_ms, "never"))
        .with("valid_days", Value::limit(batch.validity.valid_days))
        .with("return_days", Value::number(batch.validity.return_days))
        .with("zone", Value::Text(if batch.zone.is_empty() { "UTC" } else { &batch.zone }.to_owned()))
        .with("created", Value::Instant(Some(batch.created_ms), ""))
}

/// What was asked for.
#[derive(Clone, Copy)]
pub(super) struct Asked {
    pub(super) id: u64,
    /// As sentences name it.
    pub(super) about: About,
    /// The request id of an addition or a withdrawal.
    pub(super) moving: Option<u64>,
}

impl Asked {
    /// Something about the batch `id` as a whole.
    pub(super) fn of(id: u64) -> Self {
        Self { id, about: About::Batch(id), moving: None }
    }
}

/// Prints what became of an operation on a batch.
pub(super) fn print(asked: Asked, result: &Result<BatchOutcome, ClientError>, is_json: bool) -> Result<Exit, Failure> {
    let request = asked.moving.map(Value::number);
    match result {
        Ok(BatchOutcome { status, batch, moved, .. }) => {
            let advice = advice::of_status(*status, asked.about);
            let moved = Record::new()
                .with_some("moved", asked.moving.map(|_| Value::number(*moved)))
                .with_some("request", request);
            let known = batch.as_ref().map(|batch| record(batch).and(moved.clone()));
            if is_json {
                let subject = known.unwrap_or_else(|| Record::new().with("id", Value::number(asked.id)).and(moved));
                let error = advice.clone().map(Value::Text);
                output::json(&output::status(status.name()).and(subject).with_some("error", error))?;
            } else if advice.is_none() {
                let gone = || format!("batch {} is gone, and its id unknown from now on\n", asked.id);
                output::write(&known.map_or_else(gone, |known| known.lines()))?;
            }
            if let Some(sentence) = advice {
                output::complain(&sentence);
            }
            Ok(Exit::of_status(*status))
        }
        Err(error) => {
            let failure = Failure::of_call(error, asked.about);
            if is_json {
                let line = output::status(trouble::word(error)).with("id", Value::number(asked.id));
                output::json(&line.with_some("request", request).with("error", Value::Text(failure.sentence.clone())))?;
            }
            Err(failure)
        }
    }
}
