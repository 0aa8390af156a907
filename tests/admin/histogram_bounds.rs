//! A value on a bound counts below it, as `le` promises, and the range of bounds loses nothing.

use std::time::Duration;

use crate::support::{admin_of, memory_engine, scrape};

#[test]
fn a_bound_includes_itself() {
    let running = memory_engine(2);
    let metrics = running.engine.metrics();
    for nanoseconds in [0, 1_023, 1_024, 2_047, 2_048, (1 << 33) - 1, 1 << 33, u64::MAX >> 8] {
        metrics.commit.sync_ns.record(nanoseconds);
    }
    let page = scrape(&admin_of(&running));
    let below = |bound: &str| page.count("stockade_commit_sync_seconds_bucket", &[("le", bound)]);
    let counts = ["0.000001023", "0.000002047", "0.000004095", "4.294967295", "8.589934591", "+Inf"].map(below);
    assert_eq!(counts, [2, 4, 5, 5, 6, 8]);
    assert_eq!(page.count("stockade_commit_sync_seconds_count", &[]), 8);

    metrics.commit.group(5, 127, Duration::ZERO, Duration::from_nanos(1));
    metrics.commit.group(7, 128, Duration::ZERO, Duration::from_nanos(1));
    metrics.commit.group(8, 1 << 26, Duration::ZERO, Duration::from_nanos(1));
    let page = scrape(&admin_of(&running));
    let claims = |bound: &str| page.count("stockade_commit_group_claims_bucket", &[("le", bound)]);
    assert_eq!(["0.0", "3.0", "7.0", "15.0", "1048575.0"].map(claims), [0, 0, 2, 3, 3]);
    assert_eq!(page.count("stockade_commit_group_claims_sum", &[]), 20);
    let bytes = |bound: &str| page.count("stockade_commit_group_bytes_bucket", &[("le", bound)]);
    assert_eq!(["127.0", "255.0", "67108863.0", "+Inf"].map(bytes), [1, 2, 2, 3]);
}

#[test]
fn cores_are_added_up_by_stage() {
    let running = memory_engine(2);
    let cores = &running.engine.metrics().cores;
    cores[0].decide_ns.record(1_500_000_000);
    cores[1].decide_ns.record(500_000_000);
    cores[1].commit_ns.record(250_000_000);
    let page = scrape(&admin_of(&running));
    let name = |part: &str| format!("stockade_request_duration_seconds_{part}");
    let count = |stage: &str| page.count(&name("count"), &[("stage", stage)]);
    assert_eq!(["decide", "commit"].map(count), [2, 1]);
    let milliseconds = |stage: &str| (page.value(&name("sum"), &[("stage", stage)]) * 1e3).to_string();
    assert_eq!(["decide", "commit"].map(milliseconds), ["2000", "250"]);
    let below =
        |bound: &str| page.count("stockade_request_duration_seconds_bucket", &[("stage", "decide"), ("le", bound)]);
    assert_eq!(["0.268435455", "0.536870911", "1.073741823", "2.147483647"].map(below), [0, 1, 1, 2]);
}
