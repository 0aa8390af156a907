//! The HTML report: all of it is in the file, and all that a reader has to know is in it.

use std::fs;

use serde_json::Value;

use crate::support::admin::FakeAdmin;
use crate::support::files::{complaint, fresh, run};
use crate::support::{FakeServer, Lie};

/// Elements that are never closed.
const VOID: [&str; 2] = ["meta", "!doctype"];

fn page(server: &FakeServer, name: &str, arguments: &[&str]) -> String {
    let path = fresh(name);
    let shown = path.to_str().unwrap();
    let output = run(server, 5_000, &[&["--report", shown], arguments].concat());
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{error}: {}", complaint(&output)));
    fs::remove_file(path).unwrap();
    text
}

/// Panics unless every element is closed where it should be.
fn assert_balanced(page: &str) {
    let mut open = Vec::new();
    for rest in page.split('<').skip(1) {
        let (tag, _) = rest.split_once('>').unwrap_or_else(|| panic!("a tag is cut: {rest}"));
        let name = tag.trim_start_matches('/').split([' ', '\n']).next().unwrap();
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name), "closes another element: {rest:.80}");
        } else if !VOID.contains(&name) {
            open.push(name);
        }
    }
    assert_eq!(open, [""; 0], "these stay open");
}

#[test]
fn it_loads_nothing_runs_nothing_and_is_well_formed() {
    let server = FakeServer::honest();
    let admin = FakeAdmin::start();
    let page =
        page(&server, "alone.html", &["--admin", &admin.address.to_string(), "--batch-name", "<b>&\"sale\"</b>"]);
    assert_balanced(&page);
    for foreign in ["http:", "https:", "//", "<script", "src=", "href=", "url(", "@import", "<link", "<img", "onload"] {
        assert!(!page.contains(foreign), "{foreign:?} is in the page");
    }
    assert!(page.contains("default-src 'none'"));
    assert!(page.contains("prefers-color-scheme: dark") && page.contains("color-scheme: light dark"));
    assert!(page.contains("&lt;b&gt;&amp;&quot;sale&quot;&lt;/b&gt;") && !page.contains("<b>&"), "names are text");
}

#[test]
fn it_has_every_chart_every_parameter_and_the_verification() {
    let server = FakeServer::honest();
    let admin = FakeAdmin::start();
    let json = fresh("whole.json");
    let files = ["--admin", &admin.address.to_string(), "--json-file", json.to_str().unwrap()];
    let page = page(&server, "whole.html", &files);
    for chart in [
        "Latency over time",
        "Latency by percentile",
        "Throughput over time",
        "Outcomes over time",
        "fsync time",
        "Server CPU",
    ] {
        assert!(page.contains(&format!("aria-label=\"{chart}\"")), "{chart} is not drawn");
    }
    let report = serde_json::from_str::<Value>(&fs::read_to_string(json).unwrap()).unwrap();
    for (name, value) in report["parameters"].as_object().unwrap() {
        let row = page.split(&format!("<th scope=\"row\">{name}</th><td>")).nth(1);
        let shown = row.unwrap_or_else(|| panic!("the parameter {name} is missing")).split('<').next().unwrap();
        let wanted = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        assert_eq!(shown, if value.is_null() { "none" } else { &wanted }, "{name}");
    }
    for fact in ["PASSED", "durability memory", "seed 5", "oversold", "lost", "p99.9", "99.999 %", "99 in 100 below"] {
        assert!(page.contains(fact), "{fact:?} is missing");
    }
    for (section, key) in [("machine", "cpu"), ("machine", "kernel"), ("build", "version"), ("build", "commit")] {
        let fact = report[section][key].as_str().unwrap();
        assert!(page.contains(fact), "{section}.{key} is missing");
    }
    assert!(page.contains(report["started"].as_str().unwrap()));
    assert!(!page.contains("Not recorded"));
}

#[test]
fn without_the_admin_port_it_says_what_is_missing_and_how_to_get_it() {
    let server = FakeServer::honest();
    let page = page(&server, "blind.html", &[]);
    assert_balanced(&page);
    assert_eq!(page.matches("Not recorded").count(), 2, "fsync time and server CPU");
    assert!(page.contains("--admin ADDR"));
    assert!(!page.contains("aria-label=\"fsync time\""));
}

#[test]
fn pairs_have_a_table_for_each_request() {
    let server = FakeServer::honest();
    let page = page(&server, "pairs.html", &["--operation", "reserve-confirm"]);
    assert_balanced(&page);
    for fact in ["pairs/s", "<div>finished <b>", "<h2>RESERVE</h2>", "<h2>CONFIRM</h2>", "pairs sent", "ns a pair"] {
        assert!(page.contains(fact), "{fact:?} is missing");
    }
    assert!(!page.contains("claims/s"), "what is counted are pairs");
}

#[test]
fn a_lie_is_red_on_it() {
    let server = FakeServer::lying(Lie::ForgetsAGrant);
    let page = page(&server, "lie.html", &[]);
    assert!(page.contains("<b class=\"bad\">FAILED</b>"));
    assert!(page.contains("<th scope=\"row\">lost</th><td class=\"bad\">1</td>"));
}
