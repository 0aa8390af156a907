//! `docs/protocol.md` and the crate state the same facts: numbers, names, sizes, limits, and the bytes of the example.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use stockade_protocol::frame::Shape;
use stockade_protocol::limits::{
    BATCH_NAME_BYTES_MAX, BATCHES_PER_FRAME_MAX, CLAIMS_PER_FRAME_MAX, CLIENT_NAME_BYTES_MAX, FAULT_TEXT_BYTES_MAX,
    HANDSHAKE_BODY_BYTES_MAX, HEADER_BYTES, QUANTITY_MAX, REPLY_BODY_BYTES_MAX, REQUEST_BODY_BYTES_MAX,
    SERIAL_RUNS_MAX, SERVER_VERSION_BYTES_MAX, TOKEN_BYTES_MAX, VERSION,
};
use stockade_protocol::{ComesAs, Opcode, Retry, Status};

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

/// `HELLO` for `Hello`, `BATCH_ADD_STOCK` for `BatchAddStock`.
fn opcode_name(opcode: Opcode) -> String {
    let mut name = String::new();
    for character in format!("{opcode:?}").chars() {
        if character.is_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(character.to_ascii_uppercase());
    }
    name
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
        CLIENT_NAME_BYTES_MAX,
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
            end += numbers(&row[1])[0];
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

#[test]
fn the_worked_example_is_that_of_the_vectors() {
    let vectors: Value = serde_json::from_str(VECTORS).expect("valid JSON");
    let entries = ["requests", "replies"].into_iter().flat_map(|name| vectors[name].as_array().expect(name));
    let hex_of = entries
        .map(|entry| (entry["name"].as_str().expect("a name"), entry["hex"].as_str().expect("hex")))
        .collect::<BTreeMap<_, _>>();

    // Code blocks are every second piece between the fences.
    let blocks = SPECIFICATION.split("```").skip(1).step_by(2).filter_map(|block| block.strip_prefix("text\n"));
    let hex_before_bar = |line: &str| line.split('|').next().unwrap_or("").replace(' ', "");
    let written = blocks.map(|block| block.lines().map(hex_before_bar).collect::<String>()).collect::<Vec<_>>();
    let expected = ["example-hello", "example-welcome", "example-claim", "example-claim-reply"];
    assert_eq!(written, expected.map(|name| hex_of[name]));
}
