//! `compare` as a script uses it: files that `run` wrote, and the exit status.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::{Value, json};

use crate::support::FakeServer;
use crate::support::files::{complaint, fresh, program, run};

/// A report of a run, in a file of this name.
fn measured(name: &str, claims: u64) -> PathBuf {
    let path = fresh(name);
    let output = run(&FakeServer::honest(), claims, &["--json-file", path.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{}", complaint(&output));
    path
}

/// A copy of the report at `path` with another value in one field.
fn altered(path: &Path, name: &str, field: &str, value: Value) -> PathBuf {
    let mut report = serde_json::from_slice::<Value>(&fs::read(path).unwrap()).unwrap();
    *report.pointer_mut(field).unwrap() = value;
    let copy = fresh(name);
    fs::write(&copy, report.to_string()).unwrap();
    copy
}

fn compare(before: &Path, after: &Path, arguments: &[&str]) -> Output {
    program("compare").arg(before).arg(after).args(arguments).output().unwrap()
}

#[test]
fn the_same_report_is_fine_and_one_with_a_longer_tail_is_not() {
    let before = measured("compare-a.json", 3_000);
    let same = compare(&before, &before, &["--threshold", "0"]);
    assert_eq!(same.status.code(), Some(0), "{}", complaint(&same));
    let report = serde_json::from_slice::<Value>(&fs::read(&before).unwrap()).unwrap();
    let p999 = report["latency_us"]["p999"].as_f64().unwrap();
    let after = altered(&before, "compare-b.json", "/latency_us/p999", json!(p999 * 1.2));
    let worse = compare(&before, &after, &[]);
    assert_eq!(worse.status.code(), Some(1), "{}", complaint(&worse));
    let text = String::from_utf8(worse.stdout).unwrap();
    assert!(text.contains("+20.0 %   <-- WORSE") && text.matches("<-- WORSE").count() == 1, "{text}");
    assert_eq!(compare(&before, &after, &["--threshold", "25"]).status.code(), Some(0));
    assert_eq!(compare(&after, &before, &[]).status.code(), Some(0), "shorter is not worse");
}

#[test]
fn runs_with_other_parameters_are_refused_unless_forced() {
    let before = measured("compare-c.json", 2_000);
    let after = measured("compare-d.json", 2_008);
    let refused = compare(&before, &after, &["--threshold", "1000000"]);
    assert_eq!(refused.status.code(), Some(2));
    let text = complaint(&refused);
    assert!(text.contains("parameter claims: 2000 and 2008") && text.contains("--force"), "{text}");
    assert_eq!(text.matches("parameter ").count(), 1, "the server's address may differ: {text}");
    let forced = compare(&before, &after, &["--threshold", "1000000", "--force"]);
    assert_eq!(forced.status.code(), Some(0), "{}", complaint(&forced));
    assert!(String::from_utf8(forced.stdout).unwrap().contains("differs  claims: 2000 and 2008"));
}

#[test]
fn files_that_are_no_reports_are_usage_errors_that_name_file_and_field() {
    let good = measured("compare-e.json", 1_000);
    let broken = altered(&good, "compare-f.json", "/latency_us/p99", json!("fast"));
    let text = fresh("compare-g.json");
    fs::write(&text, "claims/s 5\n").unwrap();
    let missing = fresh("compare-h.json");
    for (file, wanted) in [
        (&broken, "the field `latency_us.p99` is \"fast\" and should be a number"),
        (&text, "is no JSON"),
        (&missing, "cannot read"),
    ] {
        let refused = compare(&good, file, &["--force"]);
        assert_eq!(refused.status.code(), Some(2));
        let text = complaint(&refused);
        assert!(text.contains(wanted) && text.contains(file.to_str().unwrap()), "{text}");
    }
    let both = complaint(&compare(&text, &broken, &[]));
    assert!(both.contains("compare-g.json") && both.contains("compare-f.json"), "both are named: {both}");
    for threshold in ["-1", "much", "inf", "nan"] {
        let refused = compare(&good, &good, &[&format!("--threshold={threshold}")]);
        assert_eq!(refused.status.code(), Some(2), "{threshold}");
    }
}
