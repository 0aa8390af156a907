//! `--json-file` and `--hgrm` beside what is printed.

use std::fs;
use std::process::Output;

use serde_json::Value;

use crate::support::FakeServer;
use crate::support::files::{complaint, fresh, run};

#[test]
fn the_json_file_is_what_json_prints_and_the_hgrm_file_has_the_same_latencies() {
    let server = FakeServer::honest();
    let (json, hgrm) = (fresh("files.json"), fresh("files.hgrm"));
    let files = ["--json-file", json.to_str().unwrap(), "--hgrm", hgrm.to_str().unwrap(), "--json"];
    let output = run(&server, 3_000, &files);
    assert_eq!(output.status.code(), Some(0), "{}", complaint(&output));
    assert_eq!(fs::read(json).unwrap(), output.stdout);
    let report = serde_json::from_slice::<Value>(&output.stdout).unwrap();
    let text = fs::read_to_string(hgrm).unwrap();
    let rows = text.lines().filter(|line| !line.starts_with('#')).skip(2);
    let rows =
        rows.map(|line| line.split_whitespace().map(|number| number.parse::<f64>().unwrap()).collect::<Vec<_>>());
    let rows = rows.collect::<Vec<_>>();
    let median = rows.iter().find(|row| row[1] >= 0.5).unwrap();
    assert!((median[0] * 1e3 - report["latency_us"]["p50"].as_f64().unwrap()).abs() < 1e-3, "milliseconds: {text}");
    let last = rows.last().unwrap();
    assert_eq!((last[1].to_string(), last[2].to_string()), ("1".to_owned(), "3000".to_owned()), "every claim");
}

#[test]
fn a_file_that_cannot_be_written_is_refused_before_anything_is_run() {
    let refused = |arguments: &[&str]| -> Output {
        let server = FakeServer::honest();
        let output = run(&server, 10, arguments);
        assert_eq!(server.granted_in_truth(), 0, "nothing ran");
        output
    };
    let missing = refused(&["--report", "/nowhere/at/all.html", "--hgrm", "/"]);
    assert_eq!(missing.status.code(), Some(2));
    let text = complaint(&missing);
    assert!(text.contains("--report /nowhere/at/all.html: there is no folder /nowhere/at: make it first"), "{text}");
    assert!(text.contains("--hgrm / is a folder: name a file in it"), "{text}");
}
