//! How a command ends: its exit status, and the sentence when it failed.

use std::fmt;
use std::process::ExitCode;

use stockade_client::{ClientError, Status};

/// The exit status of every command. Scripts depend on the numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Exit {
    /// Granted or done.
    Done = 0,
    /// Anything else.
    Other = 1,
    /// The command line or the configuration is wrong.
    Usage = 2,
    /// Fewer units than asked for were left, at all, today, or for reservations.
    SoldOut = 3,
    /// The user has what one user may have, or asked for more than one request may.
    LimitReached = 4,
    /// The batch is unknown, or not active now.
    NotActive = 5,
    /// Overloaded, unavailable, too late, or nobody knows whether it was done.
    TryLater = 6,
}

/// Why a command failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Its exit status.
    pub exit: Exit,
    /// What to do about it: one sentence, or one line for each problem.
    pub sentence: String,
}

impl Exit {
    /// The exit status for an outcome.
    #[must_use]
    pub const fn of_status(status: Status) -> Exit {
        match status {
            Status::Granted | Status::Done | Status::Reserved => Exit::Done,
            Status::SoldOut | Status::DaySoldOut | Status::HoldsBatchLimit => Exit::SoldOut,
            Status::LimitReached | Status::DayLimitReached | Status::HoldsUserLimit | Status::QuantityAboveLimit => {
                Exit::LimitReached
            }
            Status::BatchUnknown
            | Status::BatchDraft
            | Status::NotStarted
            | Status::Paused
            | Status::Ended
            | Status::Closed => Exit::NotActive,
            Status::DeadlinePassed | Status::Overloaded | Status::NoSpace | Status::Unavailable => Exit::TryLater,
            // What was asked for can never be: the command line is at fault.
            Status::TermsInvalid
            | Status::QuantityInvalid
            | Status::TtlInvalid
            | Status::ZoneInvalid
            | Status::CursorInvalid => Exit::Usage,
            Status::Malformed
            | Status::VersionUnsupported
            | Status::OpcodeUnknown
            | Status::FrameTooLarge
            | Status::HandshakeRequired
            | Status::TokenInvalid
            | Status::Forbidden
            | Status::BatchConflict
            | Status::StateConflict
            | Status::StockOverflow
            | Status::CursorTooOld
            | Status::RequestConflict
            | Status::RequestUnknown
            | Status::ReservationConfirmed
            | Status::ReservationCancelled
            | Status::ReservationExpired
            | Status::ReservationExtended
            | Status::HistoryFull
            | Status::AudienceRefused
            | Status::SerialUnknown
            | Status::NotYours
            | Status::OrderEnded
            | Status::OrderConflict
            | Status::CouponStateConflict
            | Status::CouponExpired => Exit::Other,
        }
    }

    /// The exit status for a call without an outcome.
    #[must_use]
    pub const fn of_error(error: &ClientError) -> Exit {
        match error {
            ClientError::UnknownOutcome { .. } | ClientError::Unavailable { .. } => Exit::TryLater,
            ClientError::Refused { status, .. } => Exit::of_status(*status),
            ClientError::InvalidInput { .. } => Exit::Usage,
            ClientError::Protocol { .. } => Exit::Other,
        }
    }
}

impl Failure {
    /// Something that the user of the command must change.
    #[must_use]
    pub fn usage(sentence: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, sentence: sentence.into() }
    }

    /// Anything else.
    #[must_use]
    pub fn other(sentence: impl Into<String>) -> Self {
        Self { exit: Exit::Other, sentence: sentence.into() }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.sentence)
    }
}

impl std::error::Error for Failure {}
