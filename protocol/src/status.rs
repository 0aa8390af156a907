//! Status codes: pinned numbers, in the order in which the checks are made. When several refusals apply to one item,
//! the lowest is answered; only what a look at the item alone decides (33, 34, 36 to 38) comes before 30 to 32. Those
//! below 20 refuse whole frames; a frame's checks have an order of their own (`frame::decode`).

/// Whether sending the same request again can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Retry {
    /// No: the answer is final for this request.
    Never,
    /// Yes, after a pause and with the same request id: nothing was done.
    Later,
    /// Only when the batch changes: stock comes in or back, a pause ends, a day or its window begins, a reservation of
    /// the user ends.
    WhenBatchChanges,
    /// Only when the coupon changes.
    WhenCouponChanges,
}

/// Where a status can stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ComesAs {
    /// Only in the answer to one item.
    Item,
    /// Only in a `FAULT`, for a whole frame.
    Fault,
    /// In either.
    Either,
}

/// One table for the number, the name, the advice and the place of each status, so that they cannot disagree.
macro_rules! statuses {
    ($($(#[$doc:meta])* $variant:ident = $number:literal, $name:literal, $retry:ident, $comes_as:ident;)*) => {
        /// The outcome of one item, or the reason for which a frame was refused.
        ///
        /// The numbers are part of the protocol and never change their meaning.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Status { $($(#[$doc])* $variant = $number,)* }

        impl Status {
            /// Every status, in the order of precedence.
            pub const ALL: &'static [Status] = &[$(Status::$variant,)*];

            /// The status with this number, if there is one.
            #[must_use]
            pub const fn from_number(number: u8) -> Option<Status> {
                match number { $($number => Some(Status::$variant),)* _ => None }
            }

            /// The name that the specification, the tools and the metrics use.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Status::$variant => $name,)* }
            }

            /// Whether sending the same request again can help.
            #[must_use]
            pub const fn retry(self) -> Retry {
                match self { $(Status::$variant => Retry::$retry,)* }
            }

            /// Where it can stand.
            #[must_use]
            pub const fn comes_as(self) -> ComesAs {
                match self { $(Status::$variant => ComesAs::$comes_as,)* }
            }
        }
    };
}

statuses! {
    /// The claim holds the units that the reply names.
    Granted = 1, "GRANTED", Never, Item;
    /// The operation took effect, now or earlier with the same terms.
    Done = 2, "DONE", Never, Item;
    /// The request holds the units that the reply names, until its reservation ends.
    Reserved = 3, "RESERVED", Never, Item;

    /// The frame breaks a rule of its layout: length, count, or a reserved bit that is set.
    Malformed = 10, "MALFORMED", Never, Fault;
    /// The protocol version of the frame is not spoken here.
    VersionUnsupported = 11, "VERSION_UNSUPPORTED", Never, Fault;
    /// The opcode is not known.
    OpcodeUnknown = 12, "OPCODE_UNKNOWN", Never, Fault;
    /// The frame is longer, or holds more items, than the limits allow.
    FrameTooLarge = 13, "FRAME_TOO_LARGE", Never, Fault;
    /// The first frame of a connection must be the handshake, and only the first.
    HandshakeRequired = 14, "HANDSHAKE_REQUIRED", Never, Fault;
    /// The token is missing or wrong.
    TokenInvalid = 15, "TOKEN_INVALID", Never, Fault;
    /// The token is right but may not do this.
    Forbidden = 16, "FORBIDDEN", Never, Either;

    /// The frame's deadline had passed before its work began. Nothing was done.
    DeadlinePassed = 20, "DEADLINE_PASSED", Later, Either;
    /// A bound of the server was reached, or another operation on the same thing is not durable yet. Nothing was done.
    Overloaded = 21, "OVERLOADED", Later, Either;
    /// The server's disk is nearly full and it takes nothing new. Nothing was done.
    NoSpace = 22, "NO_SPACE", Later, Either;
    /// The server is leaving. Nothing was done.
    Unavailable = 23, "UNAVAILABLE", Later, Either;

    /// No batch has this id.
    BatchUnknown = 30, "BATCH_UNKNOWN", WhenBatchChanges, Either;
    /// A batch with this id, or an addition with this request id, exists with other terms.
    BatchConflict = 31, "BATCH_CONFLICT", Never, Item;
    /// The batch's state does not allow this change.
    StateConflict = 32, "STATE_CONFLICT", WhenBatchChanges, Item;
    /// The terms are not possible: stock of zero, a window that ends before it starts, a bad name.
    TermsInvalid = 33, "TERMS_INVALID", Never, Item;
    /// The quantity is zero.
    QuantityInvalid = 34, "QUANTITY_INVALID", Never, Item;
    /// The batch's serials would pass 4,294,967,295, or stock was added or withdrawn too often.
    StockOverflow = 35, "STOCK_OVERFLOW", Never, Item;
    /// A reservation cannot live for no time, or longer than the server allows.
    TtlInvalid = 36, "TTL_INVALID", Never, Item;
    /// No time zone has this name.
    ZoneInvalid = 37, "ZONE_INVALID", Never, Item;
    /// The cursor is another query's, or the epoch was never given out here.
    CursorInvalid = 38, "CURSOR_INVALID", Never, Either;
    /// The events from there on are not kept any more.
    CursorTooOld = 39, "CURSOR_TOO_OLD", Never, Fault;

    /// This user used this request id with another quantity or mode, or for the other of claim and reservation.
    RequestConflict = 40, "REQUEST_CONFLICT", Never, Item;
    /// Nothing with this batch, user and request id took effect.
    RequestUnknown = 41, "REQUEST_UNKNOWN", Never, Either;
    /// The reservation was confirmed.
    ReservationConfirmed = 42, "RESERVATION_CONFIRMED", Never, Item;
    /// The reservation was cancelled.
    ReservationCancelled = 43, "RESERVATION_CANCELLED", Never, Either;
    /// The reservation's time passed.
    ReservationExpired = 44, "RESERVATION_EXPIRED", Never, Either;
    /// The reservation was extended before, by another time.
    ReservationExtended = 45, "RESERVATION_EXTENDED", Never, Item;
    /// As many ended reservations of the batch, or orders of the coupon, are remembered as may be.
    HistoryFull = 46, "HISTORY_FULL", WhenBatchChanges, Item;

    /// The batch is a draft: it was never activated.
    BatchDraft = 50, "BATCH_DRAFT", WhenBatchChanges, Item;
    /// The batch's window has not begun.
    NotStarted = 51, "NOT_STARTED", WhenBatchChanges, Item;
    /// The batch is paused.
    Paused = 52, "PAUSED", WhenBatchChanges, Item;
    /// The batch has ended, by its window or by an operator.
    Ended = 53, "ENDED", Never, Item;
    /// The batch is closed; its claims are no longer kept in memory.
    Closed = 54, "CLOSED", Never, Either;

    /// The batch is not for users with these flags.
    AudienceRefused = 55, "AUDIENCE_REFUSED", WhenBatchChanges, Item;
    /// One request may not ask for so many units of the batch.
    QuantityAboveLimit = 56, "QUANTITY_ABOVE_LIMIT", Never, Item;
    /// The user would have more units reserved than the batch allows.
    HoldsUserLimit = 57, "HOLDS_USER_LIMIT", WhenBatchChanges, Item;
    /// More of the batch would be reserved than it allows.
    HoldsBatchLimit = 58, "HOLDS_BATCH_LIMIT", WhenBatchChanges, Item;
    /// The user would take more units today than the batch allows.
    DayLimitReached = 59, "DAY_LIMIT_REACHED", WhenBatchChanges, Item;
    /// The user would hold more units than the batch allows.
    LimitReached = 60, "LIMIT_REACHED", Never, Item;
    /// Fewer units than asked for were left.
    SoldOut = 61, "SOLD_OUT", WhenBatchChanges, Item;
    /// Fewer of today's units than asked for were left.
    DaySoldOut = 62, "DAY_SOLD_OUT", WhenBatchChanges, Item;

    /// No unit with this serial was ever taken.
    SerialUnknown = 64, "SERIAL_UNKNOWN", Never, Either;
    /// The unit was taken by another user.
    NotYours = 65, "NOT_YOURS", Never, Item;
    /// The order gave this coupon up earlier and cannot have it again.
    OrderEnded = 66, "ORDER_ENDED", Never, Item;
    /// Another order holds the coupon.
    OrderConflict = 67, "ORDER_CONFLICT", WhenCouponChanges, Item;
    /// The coupon's state does not allow this.
    CouponStateConflict = 68, "COUPON_STATE_CONFLICT", WhenCouponChanges, Item;
    /// The coupon has expired.
    CouponExpired = 69, "COUPON_EXPIRED", Never, Item;
}

impl std::fmt::Display for Status {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_in_order_of_precedence_and_read_back() {
        for pair in Status::ALL.windows(2) {
            assert!((pair[0] as u8) < (pair[1] as u8), "{} before {}", pair[0], pair[1]);
        }
        let known = (0..=u8::MAX).filter_map(Status::from_number).collect::<Vec<_>>();
        assert_eq!(known, Status::ALL);
    }
}
