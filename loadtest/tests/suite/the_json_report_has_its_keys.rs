//! The report as scripts and as people read it.

use std::process::{Command, Output};

use serde_json::Value;

use crate::support::FakeServer;

fn run(server: &FakeServer, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stockade-loadtest"));
    command.arg("run").env("STOCKADE_SERVER", server.address.to_string());
    // So many claims take longer than an interval of the series, a fifth of which must pass before it has a rate.
    command.args(["--closed", "--claims", "60000", "--connections", "3", "--warm-up", "0s", "--duration", "10m"]);
    command.args(["--claims-per-frame", "8", "--window", "4", "--seed", "5"]).args(arguments).output().unwrap()
}

#[test]
fn standard_output_is_the_report_as_json_and_nothing_else() {
    let server = FakeServer::honest();
    let output = run(&server, &["--json", "--retry-ratio", "0.1", "--token", "secret"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let report = serde_json::from_slice::<Value>(&output.stdout).unwrap();
    for number in [
        "/claims_per_s",
        "/granted_per_s",
        "/measured_s",
        "/seed",
        "/latency_us/p50",
        "/latency_us/p90",
        "/latency_us/p99",
        "/latency_us/p999",
        "/latency_us/max",
        "/outcomes/GRANTED",
        "/claims/sent",
        "/connections/broken",
        "/verification/oversold",
        "/verification/undersold",
        "/verification/lost",
        "/verification/duplicate_serials",
        "/verification/over_limit",
        "/verification/looked_up",
        "/generator/late_frames",
        "/generator/lateness_max_us",
        "/generator/cpu_s",
        "/generator/cpu_ns_per_claim",
        "/machine/cores",
        "/parameters/connections",
        "/parameters/claims_per_frame",
        "/parameters/window",
        "/parameters/rate",
        "/parameters/duration_s",
        "/parameters/warm_up_s",
        "/parameters/retry_ratio",
        "/distribution/claims",
        "/distribution/points/0/quantile",
        "/distribution/points/0/latency_us",
        "/series/interval_s",
        "/series/intervals/0/answered_per_s",
        "/series/intervals/0/p50_us",
        "/series/intervals/0/p99_us",
        "/series/intervals/0/max_us",
        "/series/intervals/0/outcomes/GRANTED",
    ] {
        assert!(report.pointer(number).is_some_and(Value::is_number), "{number}: {report:#}");
    }
    for text in ["/started", "/machine/cpu", "/machine/kernel", "/build/version", "/build/commit", "/server/version"] {
        assert!(
            report.pointer(text).is_some_and(|value| value.as_str().is_some_and(|text| !text.is_empty())),
            "{text}"
        );
    }
    assert_eq!(report["verification"]["mode"], "complete");
    assert_eq!(report["server"]["durability"], "memory");
    assert_eq!(report["offered_claims_per_s"], Value::Null, "a closed loop offers nothing");
    assert_eq!(report["server_metrics"], Value::Null, "--admin was not given");
    assert_eq!(report["claims"]["answered"], 60_000);
    assert_eq!(report["seed"], 5);
    assert!(!String::from_utf8_lossy(&output.stdout).contains("secret"), "the token is in no report");
}

#[test]
fn the_text_has_the_same_facts() {
    let server = FakeServer::honest();
    let output = run(&server, &[]);
    let text = String::from_utf8(output.stdout).unwrap();
    for fact in [
        "commit ",
        "cores, Linux ",
        "durability memory",
        "seed 5",
        "p99.9",
        "60,000 grants, each looked up",
        "\nPASSED\n",
    ] {
        assert!(text.contains(fact), "{fact:?} is missing:\n{text}");
    }
}
