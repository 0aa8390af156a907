//! `docs/protocol.md` and the crate state the same facts: numbers, names, sizes, limits, and the bytes of the example.

#[path = "vectors/names.rs"]
mod names;

use std::collections::{BTreeMap, BTreeSet};

use names::opcode_name;
use serde_json::Value;
use stockade_protocol::batch::{Fields, Terms};
use stockade_protocol::feed::Kind;
use stockade_protocol::frame::Shape;
use stockade_protocol::hello::Durability;
use stockade_protocol::limits::{
    BATCH_NAME_BYTES_MAX, BATCHES_PER_FRAME_MAX, CLAIMS_PER_FRAME_MAX, CLIENT_NAME_BYTES_MAX, CONSUMER_NAME_BYTES_MAX,
    EVENTS_PER_FRAME_MAX, FAULT_TEXT_BYTES_MAX, FEED_WINDOW_MAX, HANDSHAKE_BODY_BYTES_MAX, HEADER_BYTES,
    ORDERS_PER_COUPON_MAX, QUANTITY_MAX, REPLY_BODY_BYTES_MAX, REQUEST_BODY_BYTES_MAX, SERIAL_RUNS_MAX,
    SERVER_VERSION_BYTES_MAX, TOKEN_BYTES_MAX, VERSION, ZONE_BYTES_MAX,
};
use stockade_protocol::{ComesAs, Opcode, Retry, Status, batch, coupon};

const SPECIFICATION: &str = include_str!("../../docs/protocol.md");
const LIMITS_SOURCE: &str = include_str!("../src/limits.rs");
const VECTORS: &str = include_str!("../vectors.json");

/// A table of the page: the line above it, the names of its columns, its rows without backticks.
struct Table {
    title: String,
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
}

fn tables() -> Vec<Table> {
    let mut tables: Vec<Table> = Vec::new();
    let (mut title, mut inside) = ("", false);
    for line in SPECIFICATION.lines() {
        if let Some(row) = line.strip_prefix('|') {
            let cells = row.trim_end_matches('|').split('|').map(|cell| cell.trim().replace('`', ""));
            let cells = cells.collect::<Vec<_>>();
            if !inside {
                tables.push(Table { title: title.to_owned(), columns: cells, rows: Vec::new() });
            } else if !cells.iter().all(|cell| cell == "---") {
                tables.last_mut().expect("a table has begun").rows.push(cells);
            }
            inside = true;
        } else {
            inside = false;
            if !line.is_empty() {
                title = line;
            }
        }
    }
    tables
}

fn table(columns: &[&str]) -> Table {
    let mut found = tables().into_iter().filter(|table| table.columns == columns);
    let table = found.next().unwrap_or_else(|| panic!("no table with the columns {columns:?}"));
    assert!(found.next().is_none(), "two tables with the columns {columns:?}");
    table
}

/// The numbers in a text, in order; `1,024` is one.
fn numbers(text: &str) -> Vec<u64> {
    let words = text.split(|character: char| !character.is_ascii_digit() && character != ',');
    words.filter_map(|word| word.trim_end_matches(',').replace(',', "").parse().ok()).collect()
}

#[test]
fn statuses_have_their_number_name_advice_and_place() {
    let rows = table(&["number", "name", "meaning", "retry", "comes as"]).rows;
    let written = rows.iter().map(|row| [0, 1, 3, 4].map(|column| row[column].clone())).collect::<Vec<_>>();
    let advice = |retry| match retry {
        Retry::Never => "no",
        Retry::Later => "later",
        Retry::WhenBatchChanges => "when the batch changes",
        Retry::WhenCouponChanges => "when the coupon changes",
    };
    let place = |comes_as| match comes_as {
        ComesAs::Item => "item",
        ComesAs::Fault => "FAULT",
        ComesAs::Either => "item, FAULT",
    };
    let row_of = |status: &Status| {
        let number = (*status as u8).to_string();
        [&number, status.name(), advice(status.retry()), place(status.comes_as())].map(str::to_owned)
    };
    assert_eq!(written, Status::ALL.iter().map(row_of).collect::<Vec<_>>());
}

fn shape_of(item: &str, items: &str) -> Shape {
    let counts = numbers(items).into_iter().map(|count| u32::try_from(count).expect("a u32")).collect::<Vec<_>>();
    let [item_bytes] = numbers(item)[..] else { panic!("no size in {item}") };
    let (count_min, count_max) = (*counts.first().expect(items), *counts.last().expect(items));
    Shape { item_bytes: item_bytes.try_into().expect("a u32"), count_min, count_max }
}

#[test]
fn opcodes_have_their_number_and_shapes() {
    let rows = table(&["opcode", "name", "request item", "request items", "reply item", "reply items", "token"]).rows;
    assert_eq!(rows.len(), Opcode::ALL.len());
    for (row, opcode) in rows.iter().zip(Opcode::ALL) {
        assert_eq!(
            (row[0].as_str(), row[1].clone()),
            (format!("{:#04x}", *opcode as u8).as_str(), opcode_name(*opcode))
        );
        assert_eq!(shape_of(&row[4], &row[5]), opcode.reply_shape(), "reply {opcode:?}");
        if *opcode == Opcode::Fault {
            assert_eq!((row[3].as_str(), opcode.request_shape().count_max), ("never", 0));
        } else {
            assert_eq!(shape_of(&row[2], &row[3]), opcode.request_shape(), "request {opcode:?}");
        }
    }
}

macro_rules! values_of {
    ($($name:ident),* $(,)?) => {
        BTreeMap::from([$((stringify!($name).to_owned(), u64::try_from($name).expect("a u64")),)*])
    };
}

#[test]
fn limits_have_their_value() {
    let rows = table(&["limit", "value", "what it bounds"]).rows;
    let written = rows.iter().map(|row| (row[0].clone(), numbers(&row[1])[0])).collect::<BTreeMap<_, _>>();
    let values = values_of![
        VERSION,
        HEADER_BYTES,
        CLAIMS_PER_FRAME_MAX,
        BATCHES_PER_FRAME_MAX,
        QUANTITY_MAX,
        SERIAL_RUNS_MAX,
        REQUEST_BODY_BYTES_MAX,
        REPLY_BODY_BYTES_MAX,
        HANDSHAKE_BODY_BYTES_MAX,
        BATCH_NAME_BYTES_MAX,
        ZONE_BYTES_MAX,
        CLIENT_NAME_BYTES_MAX,
        CONSUMER_NAME_BYTES_MAX,
        ORDERS_PER_COUPON_MAX,
        EVENTS_PER_FRAME_MAX,
        FEED_WINDOW_MAX,
        TOKEN_BYTES_MAX,
        FAULT_TEXT_BYTES_MAX,
        SERVER_VERSION_BYTES_MAX,
    ];
    assert_eq!(written, values);

    let constants = LIMITS_SOURCE.lines().filter_map(|line| line.strip_prefix("pub const ")?.split(':').next());
    assert_eq!(constants.collect::<BTreeSet<_>>(), values.keys().map(String::as_str).collect::<BTreeSet<_>>());
}

#[test]
fn byte_tables_have_no_gap_and_add_up_to_the_size_of_their_item() {
    let mut sizes = BTreeMap::new();
    for table in tables().into_iter().filter(|table| table.columns == ["offset", "bytes", "field", "meaning"]) {
        let mut end = 0;
        for row in &table.rows {
            assert_eq!(numbers(&row[0])[0], end, "{}: {row:?}", table.title);
            let bytes = numbers(&row[1])[0];
            let word = row[3].split(|character: char| !character.is_ascii_alphanumeric()).next().unwrap_or("");
            if let Some(bits) = word.strip_prefix(['u', 'i']).and_then(|bits| bits.parse::<u64>().ok()) {
                assert_eq!(bits, 8 * bytes, "{}: {row:?}", table.title);
            }
            end += bytes;
        }
        let (names, size) = table.title.trim_matches('*').rsplit_once(", ").expect("a title with a size");
        assert_eq!(numbers(size), [end], "{}", table.title);
        // Names stand in backticks: every second piece.
        for name in names.split('`').skip(1).step_by(2) {
            for direction in ["request", "reply"].into_iter().filter(|direction| names.contains(direction)) {
                let twice = sizes.insert((name.to_owned(), direction), end);
                assert_eq!(twice, None, "{name} {direction} has two tables");
            }
        }
    }
    let mut expected = BTreeMap::new();
    for opcode in Opcode::ALL.iter().copied() {
        expected.insert((opcode_name(opcode), "reply"), u64::from(opcode.reply_shape().item_bytes));
        if opcode != Opcode::Fault {
            expected.insert((opcode_name(opcode), "request"), u64::from(opcode.request_shape().item_bytes));
        }
    }
    assert_eq!(sizes, expected);
}

/// What the byte table of this title says of a field.
fn meaning(title: &str, field: &str) -> String {
    let found = tables().into_iter().find(|table| table.title.replace('`', "").starts_with(title)).expect(title);
    let row = found.rows.into_iter().find(|row| row.get(2).is_some_and(|name| name == field)).expect(field);
    row[3].clone()
}

/// The numbers and names of "1 draft, 2 scheduled (…), …", up to the end of the clause.
fn enumeration(text: &str) -> Vec<(u8, String)> {
    let clause = text.split([';', '.']).next().unwrap_or(text);
    let entry = |entry: &str| {
        let mut words = entry.split_whitespace();
        let number = words.next().and_then(|word| word.parse().ok()).unwrap_or_else(|| panic!("no number in {text}"));
        (number, words.next().unwrap_or_else(|| panic!("no name in {text}")).to_owned())
    };
    // In parentheses is what is to be said of one.
    let plain = clause.split('(').map(|piece| piece.split_once(')').map_or(piece, |(_, rest)| rest));
    plain.collect::<String>().split(',').map(entry).collect()
}

fn numbered<T: Copy>(all: &[T], number: impl Fn(T) -> u8, name: impl Fn(T) -> String) -> Vec<(u8, String)> {
    all.iter().map(|one| (number(*one), name(*one))).collect()
}

#[test]
fn states_actions_and_modes_have_their_number_and_name() {
    let (_, coupon_states) = SPECIFICATION.split_once("\nCoupon states: ").expect("the coupon states");
    let of_coupons = numbered(&coupon::State::ALL, |state| state as u8, |state| state.name().to_owned());
    assert_eq!(enumeration(coupon_states), of_coupons);

    for (title, field, expected) in [
        (
            "**BATCH_CREATE, BATCH_SHOW",
            "state",
            numbered(&batch::State::ALL, |state| state as u8, |state| state.name().to_owned()),
        ),
        (
            "**BATCH_CHANGE",
            "action",
            numbered(&batch::Action::ALL, |action| action as u8, |action| action.name().to_owned()),
        ),
        (
            "**COUPON_CHANGE request",
            "action",
            numbered(&coupon::Action::ALL, |action| action as u8, |action| action.name().to_owned()),
        ),
        ("**HELLO reply", "durability", numbered(&Durability::ALL, |mode| mode as u8, |mode| mode.name().to_owned())),
    ] {
        assert_eq!(enumeration(&meaning(title, field)), expected, "{title}");
    }
}

#[test]
fn kinds_of_events_have_their_number_and_name() {
    let rows = table(&["kind", "name", "value"]).rows;
    let written = rows.iter().map(|row| (row[0].parse().expect("a number"), row[1].clone())).collect::<Vec<_>>();
    assert_eq!(written, numbered(&Kind::ALL, |kind| kind as u8, |kind| kind.name().to_owned()));

    // The state that a batch was set to is one of the batch's states; no batch is set to the others.
    let changed = rows.iter().find(|row| row[1] == Kind::BatchChanged.name()).expect("a row");
    let states = enumeration(changed[2].strip_prefix("the new state: ").expect("the states"));
    let all = numbered(&batch::State::ALL, |state| state as u8, |state| state.name().to_owned());
    assert!(states.iter().all(|state| all.contains(state)), "{states:?}");
}

/// Gives one field of the terms another value than it has by default.
type SetField = fn(&mut Terms);

/// Every field that an edit can change, by its name on the page.
const EDITED: &[(&str, SetField)] = &[
    ("name", |terms| terms.name.push('x')),
    ("per_user", |terms| terms.per_user = Some(1)),
    ("per_user_day", |terms| terms.per_user_day = Some(1)),
    ("per_day", |terms| terms.per_day = Some(1)),
    ("quantity_max", |terms| terms.quantity_max = Some(1)),
    ("audience_all", |terms| terms.audience.all = 1),
    ("audience_any", |terms| terms.audience.any = 1),
    ("audience_none", |terms| terms.audience.none = 1),
    ("holds_per_user", |terms| terms.holds.per_user = Some(1)),
    ("holds_share", |terms| terms.holds.share = Some(1)),
    ("starts_ms", |terms| terms.starts_ms = Some(1)),
    ("ends_ms", |terms| terms.ends_ms = Some(1)),
];

#[test]
fn the_bits_of_an_edit_name_the_fields_that_it_changes() {
    let rows = table(&["bit", "fields", "may change in"]).rows;
    let mut written = BTreeMap::new();
    for row in &rows {
        let bit = Fields(1 << row[0].parse::<u32>().expect("a bit"));
        for field in row[1].split(", ") {
            assert_eq!(written.insert(field.to_owned(), bit.0), None, "{field} has two bits");
        }
    }
    let before = Terms::default();
    let mut known = BTreeMap::new();
    for (field, set) in EDITED {
        let mut after = before.clone();
        set(&mut after);
        let bit = before.differences(&after);
        assert_eq!(before.edited(bit, &after), after, "{field}: its bit changes it");
        assert_eq!(before.edited(Fields::ALL.without(bit), &after), before, "{field}: no other bit does");
        known.insert((*field).to_owned(), bit.0);
    }
    assert_eq!(written, known);
    assert_eq!(known.values().fold(0, |all, bit| all | bit), Fields::ALL.0);
}

#[test]
fn a_field_of_an_edit_has_a_bit_or_never_changes() {
    let never = SPECIFICATION.lines().find_map(|line| line.strip_suffix(" never change.")).expect("what never changes");
    // Names stand in backticks: every second piece.
    let never = never.split('`').skip(1).step_by(2);
    let expected = EDITED.iter().map(|(field, _)| *field).chain(never).collect::<BTreeSet<_>>();

    let item = tables().into_iter().find(|table| table.title.starts_with("**`BATCH_CREATE` and `BATCH_EDIT`"));
    let rows = item.expect("the item").rows;
    let of_edit = rows.iter().filter(|row| row[2] != "reserved" && !row[3].contains("BATCH_EDIT"));
    let of_edit = of_edit.map(|row| row[2].as_str()).filter(|field| *field != "batch").collect::<BTreeSet<_>>();
    assert_eq!(of_edit, expected);
}

#[test]
fn the_worked_example_is_that_of_the_vectors() {
    let vectors: Value = serde_json::from_str(VECTORS).expect("valid JSON");
    let entries = ["requests", "replies"].into_iter().flat_map(|name| vectors[name].as_array().expect(name));
    let hex_of = entries
        .map(|entry| (entry["name"].as_str().expect("a name"), entry["hex"].as_str().expect("hex")))
        .collect::<BTreeMap<_, _>>();

    let (_, example) = SPECIFICATION.split_once("\n## 15. A worked example\n").expect("the chapter of the example");
    let (example, _) = example.split_once("\n## ").expect("a chapter behind it");
    // Code blocks are every second piece between the fences.
    let blocks = example.split("```").skip(1).step_by(2).filter_map(|block| block.strip_prefix("text\n"));
    let hex_before_bar = |line: &str| line.split('|').next().unwrap_or("").replace(' ', "");
    let written = blocks.map(|block| block.lines().map(hex_before_bar).collect::<String>()).collect::<Vec<_>>();
    let expected = ["example-hello", "example-welcome", "example-claim", "example-claim-reply"];
    assert_eq!(written, expected.map(|name| hex_of[name]));
}
