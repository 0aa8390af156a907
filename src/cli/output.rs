//! Where results and complaints go: results to standard output, complaints to standard error.

use std::io::{self, Write};

use serde::Serialize;
use stockade_client::Status;

use super::exit::Failure;
use super::record::{Record, Value};

/// Writes one line of a result.
pub(super) fn line(text: &str) -> Result<(), Failure> {
    write(&format!("{text}\n"))
}

/// Writes a result as one line of JSON.
pub(super) fn json(value: &impl Serialize) -> Result<(), Failure> {
    line(&json_text(value))
}

/// A result as JSON.
pub(super) fn json_text(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("plain structures of numbers and texts have no key or value that JSON lacks")
}

/// The beginning of a result that is all right.
pub(super) fn done() -> Record {
    status(Status::Done.name())
}

/// The beginning of a result: the word for how it ended.
pub(super) fn status(word: &'static str) -> Record {
    Record::new().with("status", Value::Word(Some(word), ""))
}

/// Writes a part of a result.
pub(super) fn write(text: &str) -> Result<(), Failure> {
    let mut output = io::stdout().lock();
    let written = output.write_all(text.as_bytes()).and_then(|()| output.flush());
    written.map_err(|error| Failure::other(format!("the result cannot be written to standard output ({error})")))
}

/// Writes a complaint. One that nobody can read is dropped: the exit status still tells.
pub(super) fn complain(sentence: &str) {
    let mut output = io::stderr().lock();
    let _unread = sentence.lines().try_for_each(|line| writeln!(output, "stockade: {line}"));
}
