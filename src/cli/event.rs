//! How an event looks: with what its kind has, under names that say what it is.

use stockade_client::{Event, EventKind as Kind, Fields, Place, State};

use super::record::{Record, Value};
use super::time;

/// The value of a restoration that leaves the coupon valid for as long as before.
const AS_BEFORE: u32 = i32::MAX.cast_unsigned();

/// In place of a serial: the unit did not come back.
const NO_SERIAL: u32 = u32::MAX;

/// In place of a word: there is none here for what the server told.
const UNKNOWN: &str = "unknown";

/// The states of a batch by their numbers, which are those of the protocol.
const STATES: [(u32, State); 6] = [
    (State::Draft as u32, State::Draft),
    (State::Scheduled as u32, State::Scheduled),
    (State::Active as u32, State::Active),
    (State::Paused as u32, State::Paused),
    (State::Ended as u32, State::Ended),
    (State::Closed as u32, State::Closed),
];

/// The fields of an edit, by the flags of `stockade batch edit`.
const FIELDS: [(Fields, &str); 9] = [
    (Fields::NAME, "name"),
    (Fields::PER_USER, "per_user"),
    (Fields::PER_USER_DAY, "per_user_day"),
    (Fields::PER_DAY, "per_day"),
    (Fields::QUANTITY_MAX, "quantity_max"),
    (Fields::AUDIENCE, "audience"),
    (Fields::HOLDS, "holds"),
    (Fields::STARTS, "starts"),
    (Fields::ENDS, "ends"),
];

/// The numbers of `stockade batch stats`, in the order of their offsets on the wire, four bytes each; the first is the
/// day.
const NUMBERS: [&str; 16] = [
    "day",
    "added",
    "withdrawn",
    "remaining",
    "reserved",
    "granted",
    "locked",
    "redeemed",
    "unlocked",
    "restored",
    "returned",
    "voided",
    "expired",
    "cancelled",
    "lapsed",
    "confirmed",
];

/// Everything that an event tells.
pub(super) fn record(event: &Event) -> Record {
    Record::new()
        .with("epoch", Value::number(event.place.epoch))
        .with("index", Value::number(event.place.index))
        .with("time", Value::Instant(Some(event.time_ms), ""))
        .with("kind", Value::Word(event.kind.map(Kind::name), UNKNOWN))
        .and(told(event))
}

/// The same for people: the place as `stockade feed --from` takes it, the time, what happened.
pub(super) fn line(event: &Event) -> String {
    let kind = event.kind.map_or(UNKNOWN, Kind::name);
    format!("{}  {}  {kind}  {}\n", place(event.place), time::rfc3339(event.time_ms), told(event).line())
}

/// A place in the feed, epoch and index.
pub(super) fn place(place: Place) -> String {
    format!("{}:{}", place.epoch, place.index)
}

/// To whom or what it happened.
fn told(event: &Event) -> Record {
    let batch = Record::new().with("batch", Value::number(event.batch));
    let told = match event.kind {
        Some(kind) => batch.and(of_kind(event, kind)),
        None => batch.and(everything(event)),
    };
    told.with_some("client", (event.client != 0).then(|| Value::number(event.client)))
}

/// What an event of this kind has.
fn of_kind(event: &Event, kind: Kind) -> Record {
    let (serial, value) = (Value::number(event.serial), Value::number(event.value));
    match kind {
        Kind::Granted => units(event).with("serial", serial),
        Kind::Reserved => units(event).with("serial", serial).with("ttl_s", value),
        Kind::Confirmed => units(event),
        Kind::Cancelled | Kind::Lapsed => units(event).with("new_serial", new_serial(event.value)),
        Kind::Extended => request(event).with("ttl_s", value),
        Kind::CancelledAhead => request(event),
        Kind::Locked | Kind::Redeemed | Kind::Voided => coupon(event),
        Kind::Unlocked => coupon(event).with("was_locked", Value::Truth(event.value == 0)),
        Kind::Restored => coupon(event).with("valid_through", valid_through(event.value)),
        Kind::Returned => coupon(event).with("new_serial", new_serial(event.value)),
        Kind::BatchCreated => Record::new().with("stock", value),
        Kind::BatchChanged => {
            let state = STATES.iter().find(|(number, _)| *number == event.value).map(|(_, state)| state.name());
            Record::new().with("state", Value::Word(state, UNKNOWN))
        }
        Kind::BatchAdded | Kind::BatchWithdrawn => {
            Record::new().with("request", Value::number(event.request)).with("units", value)
        }
        Kind::BatchEdited => {
            let fields = Fields(event.value);
            let names = FIELDS.iter().filter(|(field, _)| fields.has(*field)).map(|(_, name)| *name);
            Record::new().with("fields", Value::Words(names.collect()))
        }
        Kind::BatchPurged => Record::new(),
        Kind::BatchExpired => {
            let through = time::date_of(event.serial.cast_signed());
            Record::new().with("coupons", value).with("taken_through", Value::Text(through))
        }
        Kind::BatchCondensed => {
            let number = usize::try_from(event.serial / 4).ok().and_then(|number| NUMBERS.get(number).copied());
            Record::new().with("number", Value::Word(number, UNKNOWN)).with("units", value)
        }
    }
}

/// A claim or a reservation.
fn request(event: &Event) -> Record {
    Record::new().with("user", Value::number(event.user)).with("request", Value::number(event.request))
}

/// Units that a user takes or gives back.
fn units(event: &Event) -> Record {
    request(event).with("units", Value::number(event.units))
}

/// A coupon that an order changes.
fn coupon(event: &Event) -> Record {
    Record::new()
        .with("user", Value::number(event.user))
        .with("serial", Value::number(event.serial))
        .with("order", Value::number(event.order))
}

/// All fields as they came, of a kind that this client does not know.
fn everything(event: &Event) -> Record {
    units(event)
        .with("serial", Value::number(event.serial))
        .with("order", Value::number(event.order))
        .with("value", Value::number(event.value))
}

fn new_serial(serial: u32) -> Value {
    Value::Number((serial != NO_SERIAL).then_some(serial.into()), "none")
}

fn valid_through(day: u32) -> Value {
    if day == AS_BEFORE {
        return Value::Word(None, "as before");
    }
    Value::Text(time::date_of(day.cast_signed()))
}

#[cfg(test)]
mod tests {
    use std::mem::offset_of;

    use stockade_protocol::batch::Stats;

    use super::super::output;
    use super::*;

    fn event(kind: Option<Kind>, serial: u32, value: u32) -> Event {
        let place = Place { epoch: 41, index: 3 };
        let (time_ms, units, client) = (1_795_780_800_000, 2, 0);
        Event { place, kind, units, client, batch: 7, user: 8, request: 9, order: 10, time_ms, serial, value }
    }

    #[test]
    fn an_event_as_a_line_and_as_json() {
        assert_eq!(
            line(&event(Some(Kind::Reserved), 5, 900)),
            "41:3  2026-11-27T12:00:00Z  reserved  batch 7  user 8  request 9  units 2  serial 5  ttl s 900\n"
        );
        let returned = output::json_text(&record(&Event { client: 3, ..event(Some(Kind::Returned), 5, 6) }));
        assert_eq!(
            returned,
            "{\"epoch\":41,\"index\":3,\"time\":\"2026-11-27T12:00:00Z\",\"kind\":\"returned\",\"batch\":7,\"user\":8,\
             \"serial\":5,\"order\":10,\"new_serial\":6,\"client\":3}"
        );
    }

    #[test]
    fn values_are_told_in_the_words_of_their_kind() {
        let tail = |kind, serial, value| {
            let line = line(&event(Some(kind), serial, value));
            line.split_once("batch 7").expect("all have one").1.trim().to_owned()
        };
        assert_eq!(tail(Kind::BatchChanged, 0, 4), "state paused");
        assert_eq!(tail(Kind::BatchEdited, 0, 0b1_0000_0010), "fields per_user,ends");
        assert_eq!(tail(Kind::BatchExpired, 20_784, 3), "coupons 3  taken through 2026-11-27");
        assert_eq!(tail(Kind::BatchCondensed, 20, 3), "number granted  units 3");
        assert_eq!(tail(Kind::Restored, 5, AS_BEFORE), "user 8  serial 5  order 10  valid through as before");
        assert_eq!(tail(Kind::Restored, 5, 20_784), "user 8  serial 5  order 10  valid through 2026-11-27");
        assert_eq!(tail(Kind::Unlocked, 5, 1), "user 8  serial 5  order 10  was locked no");
        assert_eq!(tail(Kind::Returned, 5, NO_SERIAL), "user 8  serial 5  order 10  new serial none");
    }

    #[test]
    fn every_kind_is_told_and_an_unknown_one_as_it_came() {
        for kind in Kind::ALL {
            assert!(line(&event(Some(kind), 0, 1)).contains(&format!("  {}  batch 7", kind.name())));
        }
        let unknown = output::json_text(&record(&event(None, 5, 6)));
        assert!(unknown.contains("\"kind\":null") && unknown.contains("\"value\":6"), "{unknown}");
    }

    #[test]
    fn numbers_and_fields_are_those_of_the_protocol() {
        for (number, offset) in [
            ("added", offset_of!(Stats, added)),
            ("granted", offset_of!(Stats, granted)),
            ("unlocked", offset_of!(Stats, unlocked)),
            ("voided", offset_of!(Stats, voided)),
            ("confirmed", offset_of!(Stats, confirmed)),
        ] {
            assert_eq!(NUMBERS[offset / 4], number);
        }
        assert_eq!(FIELDS.iter().fold(Fields::default(), |all, (field, _)| all.with(*field)), Fields::ALL);
        assert_eq!(STATES.map(|(_, state)| state), State::ALL);
    }
}
