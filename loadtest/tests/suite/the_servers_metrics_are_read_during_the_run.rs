//! `--admin`: what the server says of itself while it is under load.

use serde_json::Value;
use stockade_loadtest::time::real;

use crate::support::FakeServer;
use crate::support::admin::{FakeAdmin, SYNC_US, SYNCS_PER_READING};
use crate::support::files::{complaint, run};

fn report(server: &FakeServer, admin: &FakeAdmin, arguments: &[&str]) -> (Option<i32>, Value, String) {
    let address = admin.address.to_string();
    let output = run(server, 5_000, &[&["--json", "--admin", &address], arguments].concat());
    let report = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
    (output.status.code(), report, complaint(&output))
}

#[test]
fn the_report_has_sync_times_and_processor_time() {
    let (server, admin) = (FakeServer::honest(), FakeAdmin::start());
    let (status, report, complaint) = report(&server, &admin, &[]);
    assert_eq!(status, Some(0), "{complaint}");
    let readings = admin.readings();
    assert!(readings >= 2, "one before the load and one after it");
    let metrics = &report["server_metrics"];
    assert_eq!(metrics["stretches"].as_array().unwrap().len() as u64, readings - 1);
    let close = |value: &Value, wanted: f64| value.as_f64().is_some_and(|found| (found / wanted - 1.0).abs() < 1e-6);
    assert!(close(&metrics["whole"]["sync_mean_us"], real(SYNC_US)), "{metrics:#}");
    assert!(close(&metrics["whole"]["claims_per_group"], 64.0), "{metrics:#}");
    assert!(close(&metrics["whole"]["sync_p99_us"], 262.143), "{metrics:#}");
    // Each reading is 10 ms of processor time after the one before.
    assert!(close(&metrics["cpu_ns_per_claim"], real(readings - 1) * 1e7 / 5_000.0), "{metrics:#}");
    let seconds = metrics["whole"]["until_s"].as_f64().unwrap();
    let syncs = real((readings - 1) * SYNCS_PER_READING);
    assert!(close(&metrics["whole"]["syncs_per_s"], syncs / seconds), "{metrics:#}");
}

#[test]
fn a_token_is_shown_and_the_lack_of_one_is_explained() {
    let (server, admin) = (FakeServer::honest(), FakeAdmin::asking_for("an-operators-token"));
    let (status, _, text) = report(&server, &admin, &["--token", "an-operators-token"]);
    assert_eq!(status, Some(0), "{text}");
    let (status, _, text) = report(&server, &admin, &[]);
    assert_eq!(status, Some(1));
    assert!(text.contains("401 Unauthorized") && text.contains("auth.operator_tokens"), "{text}");
}

#[test]
fn an_address_that_has_no_metrics_ends_the_run_before_it_begins() {
    let server = FakeServer::honest();
    for (address, status, wanted) in [("no-port", 2, "give HOST:PORT"), ("127.0.0.1:1", 1, "admin.listen")] {
        let output = run(&server, 100, &["--admin", address]);
        let text = complaint(&output);
        assert_eq!(output.status.code(), Some(status), "{text}");
        assert!(text.contains(address) && text.contains(wanted), "{text}");
    }
    assert_eq!(server.granted_in_truth(), 0, "nothing ran");
}

#[test]
fn readings_that_fail_later_are_noted_and_the_run_goes_on() {
    let (server, admin) = (FakeServer::honest(), FakeAdmin::breaking_after(1));
    let (status, report, text) = report(&server, &admin, &[]);
    assert_eq!(status, Some(0), "{text}");
    assert_eq!(report["server_metrics"]["whole"], Value::Null);
    let notes = report["notes"].to_string();
    assert!(notes.contains("the server's metrics were missed"), "{notes}");
}
