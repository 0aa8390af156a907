//! What to do about a frame that was refused as a whole: sentences for a client's log.

use stockade_protocol::Status;

/// The sentence for a status.
pub(super) fn advice(status: Status) -> &'static str {
    match status {
        Status::Malformed => "the frame breaks a rule of its layout: see docs/protocol.md",
        Status::VersionUnsupported => "this server speaks version 1: use a client for it",
        Status::OpcodeUnknown => "the server does not know this opcode: is the client newer?",
        Status::FrameTooLarge => "the frame is longer, or has more items, than the limits allow: split it",
        Status::HandshakeRequired => "the first frame, and only the first, must be HELLO",
        Status::TokenInvalid => "the token is missing or wrong: check the client's configuration",
        Status::Forbidden => "this token may not do that: use an operator token",
        Status::DeadlinePassed => "the frame came too late; nothing was done",
        Status::Overloaded => "a bound was reached; nothing was done: try again later",
        Status::NoSpace => "the server's disk is nearly full; nothing was done",
        Status::Unavailable => "the server is leaving; nothing was done",
        Status::BatchUnknown => "no batch has this id",
        Status::CursorInvalid => "the cursor belongs to another query, or the epoch was never given out here",
        Status::CursorTooOld => "the events from there on are not kept any more: begin anew from 0",
        Status::RequestUnknown => "nothing is recorded for this batch, user and request",
        Status::ReservationCancelled => "the reservation was cancelled: it holds no units",
        Status::ReservationExpired => "the reservation's time has passed: it holds no units",
        Status::Closed => "the batch is closed; its claims are no longer in memory",
        Status::SerialUnknown => "no unit with this serial was ever taken",
        Status::Granted
        | Status::Done
        | Status::Reserved
        | Status::BatchConflict
        | Status::StateConflict
        | Status::TermsInvalid
        | Status::QuantityInvalid
        | Status::StockOverflow
        | Status::TtlInvalid
        | Status::ZoneInvalid
        | Status::RequestConflict
        | Status::ReservationConfirmed
        | Status::ReservationExtended
        | Status::HistoryFull
        | Status::BatchDraft
        | Status::NotStarted
        | Status::Paused
        | Status::Ended
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
        | Status::CouponExpired => "",
    }
}
