//! The page is valid in every state of the process, and says what it can say in each.

use std::time::{SystemTime, UNIX_EPOCH};

use stockade::metrics::Operation;
use stockade_protocol::Status;

use crate::support::{admin, admin_of, memory_engine, scrape};

const BEFORE_RECOVERY: [(&str, &str); 6] = [
    ("stockade_build_info", "gauge"),
    ("stockade_durability_info", "gauge"),
    ("stockade_ready", "gauge"),
    ("process_start_time_seconds", "gauge"),
    ("process_cpu_seconds_total", "counter"),
    ("process_resident_memory_bytes", "gauge"),
];

#[test]
fn before_recovery_the_process_is_told() {
    let admin = admin();
    let page = scrape(&admin);
    assert_eq!(page.names(), BEFORE_RECOVERY);
    let build = &page.family("stockade_build_info").samples;
    assert_eq!(build.len(), 1);
    assert_eq!(build[0].labels["version"], "1.2.3");
    assert_eq!(build[0].labels["commit"], "abc\"\\\n", "labels are escaped");
    assert_eq!(page.family("stockade_durability_info").by("mode")["memory"], 1);
}

#[test]
fn the_process_is_this_one() {
    let admin = admin();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
    let page = scrape(&admin);
    let started = page.value("process_start_time_seconds", &[]);
    assert!(started <= now && started > now - 86_400.0, "a test run takes less than a day: {started}, now {now}");
    let cpu = || scrape(&admin).value("process_cpu_seconds_total", &[]);
    let (before, mut rounds) = (cpu(), 0_u64);
    // Each scrape takes processor time, and a tick of 10 ms is what the system counts in.
    while cpu() <= before {
        rounds += 1;
        assert!(rounds < 100_000, "the processor time does not rise");
    }
    let resident = page.value("process_resident_memory_bytes", &[]);
    assert!((1e6..1e12).contains(&resident), "{resident}");
}

#[test]
fn after_recovery_all_results_and_cores_are_there_from_the_start() {
    let running = memory_engine(3);
    let page = scrape(&admin_of(&running));
    assert_eq!(page.names()[..BEFORE_RECOVERY.len()], BEFORE_RECOVERY);
    let results = page.family("stockade_claims_total").by("result");
    let names = [
        "audience_refused",
        "batch_draft",
        "batch_unknown",
        "closed",
        "day_limit_reached",
        "day_sold_out",
        "ended",
        "granted",
        "limit_reached",
        "no_space",
        "not_started",
        "overloaded",
        "paused",
        "quantity_above_limit",
        "quantity_invalid",
        "replayed",
        "request_conflict",
        "sold_out",
    ];
    assert_eq!(results.keys().copied().collect::<Vec<_>>(), names);
    assert!(results.values().all(|count| *count == 0));
    let cores = page.family("stockade_core_claims_total").by("core");
    assert_eq!(cores.keys().copied().collect::<Vec<_>>(), ["0", "1", "2"]);
}

#[test]
fn what_no_claim_should_get_is_shown_once_it_is_counted() {
    let running = memory_engine(1);
    running.engine.metrics().cores[0].answered(Operation::Claim, Status::Unavailable, 3);
    let page = scrape(&admin_of(&running));
    assert_eq!(page.count("stockade_claims_total", &[("result", "unavailable")]), 3);
    assert_eq!(page.count("stockade_core_claims_total", &[("core", "0")]), 3);
}
