//! What a user has, page by page.

use crate::scripted::scripted_server;
use crate::support::stockade;
use serde_json::{Value, json};

#[test]
fn pages_follow_one_another() {
    let server = scripted_server();
    let page = |more: &[&str]| {
        stockade(&[&["wallet", "700", "--json", "--limit", "2", "--server", &server], more].concat()).exits(0).json()
    };
    let first = page(&[]);
    assert_eq!((&first["status"], &first["user"]), (&json!("DONE"), &json!(700)));
    let serials = |page: &Value| {
        let coupons = page["coupons"].as_array().expect("coupons");
        coupons.iter().map(|coupon| coupon["serial"].as_u64().expect("a serial")).collect::<Vec<_>>()
    };
    assert_eq!(serials(&first), [0, 1]);
    let second = page(&["--cursor", first["next"].as_str().expect("there is more")]);
    assert_eq!((serials(&second), &second["next"]), (vec![2], &Value::Null));

    let text = stockade(&["wallet", "700", "--limit", "2", "--server", &server]).exits(0).stdout.clone();
    let last = text.lines().last().expect("lines");
    assert_eq!(last, format!("more with --cursor {}", first["next"].as_str().expect("text")));
    assert!(text.starts_with("BATCH  SERIAL  STATE    REQUEST  ORDER  TAKEN"), "{text}");
}

#[test]
fn states_are_asked_for() {
    let server = scripted_server();
    for states in [&["--state", "locked", "--state", "redeemed"][..], &["--state", "redeemed,locked"]] {
        let line = stockade(&[&["wallet", "700", "--json", "--server", &server], states].concat()).exits(0).json();
        assert_eq!(line["coupons"][0]["state"], "locked", "the first of those asked for: {states:?}");
    }
}

#[test]
fn a_cursor_of_something_else_is_refused() {
    let server = scripted_server();
    let user = (stockade_client::Status::CursorInvalid as u8).to_string();
    let ran = stockade(&["wallet", &user, "--server", &server]);
    assert!(ran.exits(2).stderr.contains("this --cursor was made for another user"), "{}", ran.stderr);
}
