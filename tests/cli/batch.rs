//! What the batch commands print, as text and as JSON.

use crate::scripted::{LISTED, scripted_server};
use crate::support::stockade;
use serde_json::{Value, json};

/// Ids that are no status number are answered with `DONE`.
const ID: &str = "1000";

/// The batch of the scripted server.
fn expected() -> Value {
    json!({
        "status": "DONE", "id": 1000, "name": "Double Eleven", "state": "active", "version": 7, "total": 100,
        "granted": 10, "held": 2, "voided": 1, "remaining": 87, "day_units": 6, "per_user": 2, "per_user_day": null,
        "per_day": 50, "quantity_max": null, "holds_per_user": null, "holds_share": 20, "audience_all": [0, 3],
        "audience_any": [], "audience_none": [31], "starts": null, "ends": "2026-11-27T12:00:00.5Z", "expires": null,
        "valid_days": 30, "return_days": 7, "zone": "Asia/Shanghai", "created": "2026-11-27T12:00:00Z",
    })
}

#[test]
fn a_batch_as_text() {
    let server = scripted_server();
    let ran = stockade(&["batch", "show", ID, "--server", &server]);
    assert_eq!(
        ran.exits(0).stdout,
        "id              1000\nname            Double Eleven\nstate           active\nversion         7\n\
         total           100\ngranted         10\nheld            2\nvoided          1\nremaining       87\n\
         day units       6\nper user        2\nper user day    unlimited\nper day         50\n\
         quantity max    unlimited\nholds per user  unlimited\nholds share     20\naudience all    0,3\n\
         audience any    none\naudience none   31\nstarts          at once\nends            2026-11-27T12:00:00.5Z\n\
         expires         never\nvalid days      30\nreturn days     7\nzone            Asia/Shanghai\n\
         created         2026-11-27T12:00:00Z\n"
    );
}

#[test]
fn every_command_prints_the_batch_as_json() {
    let server = scripted_server();
    for command in ["show", "activate", "pause", "resume", "end", "close"] {
        let ran = stockade(&["--json", "--server", &server, "batch", command, ID]);
        assert_eq!(ran.exits(0).json(), expected(), "{command:?}");
    }
}

/// Creates a batch of the scripted server, which answers with the terms that arrived.
fn created(terms: &[&str]) -> Value {
    let server = scripted_server();
    let create = ["--json", "--server", &server, "batch", "create", ID, "--stock", "500"];
    stockade(&[&create, terms].concat()).exits(0).json()
}

/// Each flag of a creation with a value, what it is called in the answer and what it is there; and how it is written
/// when there is no such limit.
fn every_term() -> [(&'static str, &'static str, &'static str, Value, &'static str); 17] {
    [
        ("--name", "tea", "name", json!("tea"), ""),
        ("--per-user", "9", "per_user", json!(9), "unlimited"),
        ("--per-user-day", "2", "per_user_day", json!(2), "unlimited"),
        ("--per-day", "400", "per_day", json!(400), "unlimited"),
        ("--quantity-max", "3", "quantity_max", json!(3), "unlimited"),
        ("--holds-per-user", "4", "holds_per_user", json!(4), "unlimited"),
        ("--holds-share", "25%", "holds_share", json!(25), "unlimited"),
        ("--audience-all", "0,31", "audience_all", json!([0, 31]), "none"),
        ("--audience-any", "0x6", "audience_any", json!([1, 2]), "none"),
        ("--audience-none", "5", "audience_none", json!([5]), "none"),
        ("--starts", "2026-11-27T20:00:00+08:00", "starts", json!("2026-11-27T12:00:00Z"), "now"),
        ("--ends", "2026-12-27T22:00:00+08:00", "ends", json!("2026-12-27T14:00:00Z"), "never"),
        ("--expires", "2027-01-01T00:00:00Z", "expires", json!("2027-01-01T00:00:00Z"), "never"),
        ("--valid-days", "30", "valid_days", json!(30), "unlimited"),
        ("--return-days", "7", "return_days", json!(7), "0"),
        ("--zone", "Asia/Shanghai", "zone", json!("Asia/Shanghai"), "UTC"),
        ("--stock", "500", "total", json!(500), "500"),
    ]
}

#[test]
fn every_term_of_a_creation_arrives() {
    let flags = every_term();
    let named = flags.iter().filter(|(flag, ..)| *flag != "--stock");
    let all =
        created(&named.clone().flat_map(|(flag, value, ..)| [*flag, *value]).chain(["--draft"]).collect::<Vec<_>>());
    for (flag, _, name, value, _) in &flags {
        assert_eq!(all[name], *value, "{flag}");
    }
    assert_eq!(all["state"], "draft");
    let without: Vec<&str> = named.flat_map(|(flag, .., none)| [*flag, *none]).collect();
    let mut unlimited = created(&without);
    assert_eq!((&unlimited["state"], &unlimited["per_user"]), (&json!("active"), &Value::Null));
    // What is not named is just that, but for the units of one user.
    unlimited["per_user"] = json!(1);
    assert_eq!(created(&[]), unlimited);
    let absent = [&unlimited["holds_share"], &unlimited["ends"], &unlimited["valid_days"], &unlimited["day_units"]];
    assert_eq!(absent, [&Value::Null; 4], "{unlimited}");
    assert_eq!((&unlimited["zone"], &unlimited["audience_all"]), (&json!("UTC"), &json!([])));
}

#[test]
fn an_addition_and_a_withdrawal_print_their_request_id_and_what_they_moved() {
    let server = scripted_server();
    for command in ["add-stock", "withdraw"] {
        let with =
            |more: &[&str]| stockade(&[&["batch", command, ID, "--units", "7", "--server", &server], more].concat());
        let line = with(&["--json", "--request", "5"]).exits(0).json();
        assert_eq!((&line["moved"], &line["request"]), (&json!(7), &json!(5)), "{command}");
        assert!(with(&["--json"]).exits(0).json()["request"].is_u64());
        let text = with(&["--request", "5"]).exits(0).stdout.clone();
        assert!(text.ends_with("moved           7\nrequest         5\n"), "{command}: {text}");
    }
}

#[test]
fn a_purge_leaves_nothing_to_show() {
    let server = scripted_server();
    let purge = stockade(&["batch", "purge", ID, "--server", &server]);
    assert_eq!(purge.exits(0).stdout, "batch 1000 is gone, and its id unknown from now on\n");
    let line = stockade(&["batch", "purge", ID, "--json", "--server", &server]).exits(0).json();
    assert_eq!(line, json!({ "status": "DONE", "id": 1000 }));
}

#[test]
fn a_list_of_several_pages_is_complete_and_in_order() {
    let server = scripted_server();
    let list = stockade(&["batch", "list", "--json", "--server", &server]);
    let batches: Value = serde_json::from_str(&list.exits(0).stdout).expect("one JSON array");
    let batches = batches.as_array().expect("an array");
    let ids = batches.iter().map(|batch| batch["id"].as_u64().expect("an id"));
    assert!(ids.eq(0..u64::from(LISTED)), "ids 0..{LISTED}");
    let mut shown = expected();
    let shown = shown.as_object_mut().expect("an object");
    shown.remove("status").expect("a list has one status for all: it is shown at all");
    assert_eq!(batches[1_000].as_object().expect("an object"), shown, "a list tells all that a batch has");

    let table = stockade(&["batch", "list", "--server", &server]).exits(0).stdout.clone();
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines.len() as u64, u64::from(LISTED) + 1, "a heading and a line each");
    assert!(lines[0].ends_with("CREATED") && lines[1].contains("Double Eleven"), "{}\n{}", lines[0], lines[1]);
    let column = |line: &str, text: &str| line.find(text).expect("the column");
    assert_eq!(column(lines[0], "NAME"), column(lines[1_000], "Double Eleven"), "columns are aligned");
}

#[test]
fn a_refusal_prints_no_batch_and_one_sentence() {
    let server = scripted_server();
    let unknown = (stockade_client::Status::BatchUnknown as u8).to_string();
    let ran = stockade(&["batch", "show", &unknown, "--server", &server]);
    assert!(ran.exits(5).stdout.is_empty(), "{}", ran.stdout);
    assert!(ran.stderr.contains("there is no batch 30") && ran.stderr.lines().count() == 1, "{}", ran.stderr);
    let line = stockade(&["batch", "show", &unknown, "--server", &server, "--json"]).exits(5).json();
    assert_eq!((&line["status"], &line["id"], &line["state"]), (&json!("BATCH_UNKNOWN"), &json!(30), &Value::Null));
}
