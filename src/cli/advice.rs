//! One sentence for each outcome that is not the wanted one: what it means here, and what to do.

use std::fmt::Display;

use stockade_client::Status;

/// What was asked for, as far as sentences about its outcome name it.
#[derive(Clone, Copy, Debug)]
pub(super) enum About {
    /// Units for a user: a claim or a reservation.
    Units { batch: u64, user: u64 },
    /// A coupon.
    Coupon { batch: u64, serial: u32 },
    /// A batch as a whole.
    Batch(u64),
    /// The creation of a batch.
    Creation(u64),
    /// An edit of a batch.
    Edit(u64),
    /// An addition to a batch, or a withdrawal.
    Stock(u64),
    /// What a user has.
    Wallet(u64),
    /// The feed.
    Feed,
}

/// Outcomes that ask for something to be done. `BATCH`, `SERIAL` and `USER` stand for what was asked for.
const SENTENCES: &[(Status, &str)] = &[
    (
        Status::Malformed,
        "the server did not understand this command; use the same version of both, and report it if \
        they are",
    ),
    (Status::VersionUnsupported, "server and command do not speak the same protocol; use the same version of both"),
    (Status::OpcodeUnknown, "the server does not know this command; use the same version of both"),
    (
        Status::FrameTooLarge,
        "the server takes no request that is so large; use the same version of both, and report it \
        if they are",
    ),
    (
        Status::HandshakeRequired,
        "the server did not understand this command; use the same version of both, and report \
        it if they are",
    ),
    (Status::TokenInvalid, "the server does not know this token; set STOCKADE_TOKEN or --token"),
    (Status::Forbidden, "this token may not do this; use an operator's token"),
    (Status::DeadlinePassed, "it was too late and nothing was done; repeat it, with a longer --timeout"),
    (Status::Overloaded, "the server is overloaded, or busy with the same thing, and did nothing; repeat it"),
    (Status::NoSpace, "the server's disk is nearly full and it takes nothing new; make space there"),
    (Status::Unavailable, "the server is leaving and did nothing; repeat it later"),
    (Status::BatchUnknown, "there is no batch BATCH; `stockade batch list` shows those that there are"),
    (Status::BatchConflict, "batch BATCH exists with other terms; take another id, or the same terms"),
    (Status::StateConflict, "the state of batch BATCH does not allow this; `stockade batch show BATCH` shows it"),
    (Status::TermsInvalid, "these terms are not possible; units must be 1 or more, and --ends after --starts"),
    (Status::QuantityInvalid, "this quantity is not possible; ask for 1 to 255 units"),
    (
        Status::StockOverflow,
        "batch BATCH takes no more of these; its serials may not pass 4294967295, and its additions \
        and withdrawals are bounded, too",
    ),
    (Status::TtlInvalid, "no reservation may live so long, or for no time; ask for a shorter --ttl of at least 1s"),
    (Status::ZoneInvalid, "the server knows no time zone of this name; write --zone as in Asia/Shanghai"),
    (Status::CursorInvalid, "the server never gave this place out, or gave it for something else; begin without it"),
    (Status::CursorTooOld, "the events from there on are not kept any more; begin with --from oldest"),
    (
        Status::RequestConflict,
        "this user already used this --request with another quantity or mode, or for the other of \
        claim and reservation; repeat it as it was, or take another --request",
    ),
    (
        Status::RequestUnknown,
        "batch BATCH knows nothing of this request; it was refused, or it never arrived: ask again \
        with it",
    ),
    (
        Status::ReservationConfirmed,
        "the reservation is confirmed and its coupons are the user's; `stockade coupon \
        return` gives one back",
    ),
    (Status::ReservationCancelled, "the reservation is cancelled; reserve again, with another --request"),
    (Status::ReservationExpired, "the reservation's time has passed; reserve again, with another --request"),
    (Status::ReservationExtended, "the reservation was extended before, which works once; confirm it in time"),
    (
        Status::HistoryFull,
        "the server remembers as much of this as it may; for a coupon, let the order that has it \
        finish, for a batch, create another one",
    ),
    (Status::BatchDraft, "batch BATCH is a draft; `stockade batch activate BATCH` makes it claimable"),
    (Status::NotStarted, "batch BATCH has not started; `stockade batch show BATCH` shows when it does"),
    (Status::Paused, "batch BATCH is paused; `stockade batch resume BATCH` makes it claimable again"),
    (Status::Ended, "batch BATCH has ended; create another one"),
    (Status::Closed, "batch BATCH is closed and nothing of it changes any more; create another one"),
    (
        Status::AudienceRefused,
        "batch BATCH is not for users with this --audience; `stockade batch show BATCH` shows \
        for whom it is",
    ),
    (
        Status::QuantityAboveLimit,
        "batch BATCH allows no request for so many units; `stockade batch show BATCH` shows \
        how many, ask for fewer",
    ),
    (
        Status::HoldsUserLimit,
        "user USER would have more units reserved than batch BATCH allows one user; confirm or \
        cancel a reservation first",
    ),
    (
        Status::HoldsBatchLimit,
        "more of batch BATCH would be reserved than it allows; claim without a reservation, or \
        wait until others end",
    ),
    (
        Status::DayLimitReached,
        "user USER would take more units today than batch BATCH allows one user; come back \
        tomorrow",
    ),
    (Status::LimitReached, "the user would hold more units than the batch allows one user"),
    (
        Status::SoldOut,
        "batch BATCH has fewer units than asked for; ask --up-to, or `stockade batch add-stock BATCH \
        --units N`",
    ),
    (
        Status::DaySoldOut,
        "batch BATCH has fewer units left for today than asked for; ask --up-to, or come back \
        tomorrow",
    ),
    (
        Status::SerialUnknown,
        "no unit SERIAL of batch BATCH was ever taken; `stockade coupon list BATCH` shows those \
        that were",
    ),
    (Status::NotYours, "another user took unit SERIAL of batch BATCH; `stockade coupon show BATCH SERIAL` shows who"),
    (
        Status::OrderEnded,
        "this order gave coupon SERIAL of batch BATCH up earlier and cannot have it again; take a new \
        --order",
    ),
    (
        Status::OrderConflict,
        "another order has coupon SERIAL of batch BATCH; `stockade coupon show BATCH SERIAL` shows \
        which, wait until it gives it up",
    ),
    (
        Status::CouponStateConflict,
        "the state of coupon SERIAL of batch BATCH does not allow this; `stockade coupon show \
        BATCH SERIAL` shows it",
    ),
    (Status::CouponExpired, "coupon SERIAL of batch BATCH has expired; nothing can be done with it any more"),
];

/// What to do after `status`; `None` when the wanted thing happened.
pub(super) fn of_status(status: Status, about: About) -> Option<String> {
    let (_, sentence) = SENTENCES.iter().find(|(of, _)| *of == status)?;
    let named = |name: &str, value: &dyn Display, text: String| text.replace(name, &value.to_string());
    let sentence = about.own_sentence(status).unwrap_or(sentence).to_owned();
    Some(match about {
        About::Units { batch, user } => named("USER", &user, named("BATCH", &batch, sentence)),
        About::Coupon { batch, serial } => named("SERIAL", &serial, named("BATCH", &batch, sentence)),
        About::Batch(batch) | About::Creation(batch) | About::Edit(batch) | About::Stock(batch) => {
            named("BATCH", &batch, sentence)
        }
        About::Wallet(user) => named("USER", &user, sentence),
        About::Feed => sentence,
    })
}

impl About {
    /// The sentence where a status means something else than mostly.
    fn own_sentence(self, status: Status) -> Option<&'static str> {
        match (self, status) {
            (About::Edit(_), Status::BatchConflict) => Some(
                "batch BATCH was changed since, and has another version than the edit was made for; `stockade batch \
                 show BATCH` shows it, then edit it again",
            ),
            (About::Edit(_), Status::StateConflict) => Some(
                "the state of batch BATCH does not allow this edit; --starts can change before it starts, the rest \
                 until it has ended, the name until it is closed",
            ),
            (About::Stock(_), Status::BatchConflict) => Some(
                "this --request of batch BATCH was used with other --units, or for the other of addition and \
                 withdrawal; take another one, or the same --units",
            ),
            (About::Batch(_), Status::StateConflict) => Some(
                "the state of batch BATCH does not allow this; `stockade batch show BATCH` shows it: what has ended \
                 and has nothing reserved can be closed, what is closed can be purged",
            ),
            (About::Wallet(_), Status::CursorInvalid) => Some(
                "this --cursor was made for another user or other states; repeat those of the page that printed it, or \
                 begin without it",
            ),
            (About::Feed, Status::CursorInvalid) => {
                Some("there never was such a place; begin with --from oldest, or with a place that an event printed")
            }
            (About::Feed, Status::RequestUnknown) => {
                Some("no consumer has this name; `stockade feed consumers` shows those that there are")
            }
            (About::Stock(_), Status::QuantityInvalid) => Some("--units must be 1 or more"),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_but_the_wanted_ones_has_one_sentence() {
        let wanted = [Status::Granted, Status::Done, Status::Reserved];
        let expected: Vec<Status> = Status::ALL.iter().copied().filter(|status| !wanted.contains(status)).collect();
        assert_eq!(SENTENCES.iter().map(|(status, _)| *status).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn sentences_name_what_was_asked_for() {
        let about = About::Coupon { batch: 4, serial: 9 };
        let sentence = of_status(Status::OrderConflict, about).expect("it asks for something");
        assert!(
            sentence.contains("coupon 9 of batch 4") && sentence.contains("`stockade coupon show 4 9`"),
            "{sentence}"
        );
        assert!(of_status(Status::BatchConflict, About::Creation(4)).expect("told").contains("other terms"));
        assert!(of_status(Status::BatchConflict, About::Edit(4)).expect("told").contains("version"));
        assert!(of_status(Status::BatchConflict, About::Stock(4)).expect("told").contains("--units"));
        assert_eq!(of_status(Status::Reserved, about), None);
    }
}
