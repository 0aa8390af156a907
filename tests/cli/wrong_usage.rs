//! A wrong command line exits with status 2, names the flag and shows a good value; nothing is sent anywhere.

use crate::support::stockade;

#[test]
fn the_flag_is_named_and_a_good_value_shown() {
    for (arguments, flag, good) in [
        (
            &["batch", "create", "1", "--stock", "5", "--starts", "tomorrow"][..],
            "--starts",
            "2026-11-27T20:00:00+08:00",
        ),
        (&["batch", "create", "1", "--stock", "5", "--ends", "2026-11-27"], "--ends", "2026-11-27T12:00:00Z"),
        (&["batch", "create", "1", "--stock", "4294967296"], "--stock", "such as 10000"),
        (&["batch", "create", "1", "--stock", "-1"], "--stock", "such as 10000"),
        (&["batch", "create", "1", "--stock", "5", "--per-user", "0"], "--per-user", "unlimited"),
        (&["batch", "create", "one", "--stock", "5"], "<ID>", "such as 42"),
        (&["batch", "create", "1", "--stock", "5", "--holds-share", "101"], "--holds-share", "from 1 to 100"),
        (&["batch", "create", "1", "--stock", "5", "--per-user-day", "0"], "--per-user-day", "unlimited"),
        (&["batch", "create", "1", "--stock", "5", "--quantity-max", "256"], "--quantity-max", "from 1 to 255"),
        (&["batch", "create", "1", "--stock", "5", "--audience-any", "32"], "--audience-any", "such as 0,3,17"),
        (&["batch", "create", "1", "--stock", "5", "--expires", "tomorrow"], "--expires", "or never"),
        (&["batch", "create", "1", "--stock", "5", "--valid-days", "0"], "--valid-days", "unlimited"),
        (&["batch", "create", "1", "--stock", "5", "--return-days", "-1"], "--return-days", "such as 7"),
        (&["batch", "edit", "1", "--starts", "soon"], "--starts", "or now"),
        (&["batch", "edit", "1", "--version", "0"], "--version", "such as 4"),
        (&["batch", "stats", "1", "--from-day", "yesterday"], "--from-day", "2026-11-27"),
        (&["reserve", "1", "--user", "1"], "--ttl", "Usage"),
        (&["reserve", "1", "--user", "1", "--ttl", "900"], "--ttl", "such as 90s or 15m"),
        (&["extend", "1", "--user", "1", "--request", "1", "--ttl", "500ms"], "--ttl", "from 1s to 65535s"),
        (&["coupon", "lock", "1", "2", "--user", "1"], "--order", "Usage"),
        (&["coupon", "show", "1", "4294967296"], "<SERIAL>", "such as 42"),
        (&["wallet", "7", "--state", "used"], "--state", "redeemed"),
        (&["wallet", "7", "--limit", "1025"], "--limit", "from 1 to 1024"),
        (&["wallet", "7", "--cursor", "abc"], "--cursor", "32 hexadecimal digits"),
        (&["feed", "--from", "newest"], "--from", "41:3"),
        (&["feed", "--count", "0"], "--count", "such as 100"),
        (&["batch", "add-stock", "1", "--units", "many"], "--units", "such as 10000"),
        (&["claim", "1", "--user", "alice"], "--user", "such as 42"),
        (&["claim", "1", "--user", "-1"], "--user", "such as 42"),
        (&["claim", "1", "--user", "1", "--quantity", "256"], "--quantity", "from 1 to 255"),
        (&["claim", "1", "--user", "1", "--request", "x"], "--request", "67e55044-10b1-426f-9247-bb680e5fe0c8"),
        (&["claim", "1", "--user", "1", "--timeout", "5"], "--timeout", "such as 500ms"),
        (&["claim", "1", "--user", "1", "--server", "localhost"], "--server", "stock.example:7400"),
        (&["lookup", "1", "--user", "1"], "--request", "Usage"),
        (&["batch", "create", "1"], "--stock", "Usage"),
        (&["clam", "1", "--user", "1"], "clam", "claim"),
    ] {
        let ran = stockade(arguments);
        ran.exits(2);
        assert!(ran.stdout.is_empty(), "{arguments:?}: {}", ran.stdout);
        let complaint = ran.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(complaint.contains(flag), "{arguments:?} does not name {flag}: {complaint}");
        assert!(complaint.contains(good), "{arguments:?} does not show {good}: {complaint}");
    }
}

#[test]
fn flags_that_need_another_one_or_name_nothing() {
    for (arguments, wanted) in [
        (&["batch", "edit", "1"][..], "such as --per-user 2"),
        (&["feed", "--acknowledge"], "--consumer"),
        (&["feed", "--from", "stored"], "--consumer"),
        (&["feed", "--count", "3", "consumers"], "for `stockade feed` alone"),
    ] {
        let ran = stockade(arguments);
        assert!(ran.exits(2).stderr.contains(wanted), "{arguments:?}: {}", ran.stderr);
    }
}

#[test]
fn a_batch_name_that_does_not_fit_names_its_flag() {
    let name = "x".repeat(89);
    let ran = stockade(&["batch", "create", "1", "--stock", "5", "--name", &name]);
    ran.exits(2);
    assert!(ran.stderr.contains("--name"), "{}", ran.stderr);
}

#[test]
fn a_token_that_does_not_fit_is_not_repeated() {
    let token = "s".repeat(65);
    let ran = stockade(&["batch", "list", "--token", &token]);
    ran.exits(2);
    assert!(ran.stderr.contains("--token") && !ran.stderr.contains(&token), "{}", ran.stderr);
}
