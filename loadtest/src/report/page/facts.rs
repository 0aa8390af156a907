//! The tables of a report's page: everything that its numbers depend on.

use serde_json::Value;

use super::markup::{escape, put};
use crate::report::Report;
use crate::report::steps::StepFigures;
use crate::report::text::{Grouped, Seconds};
use crate::report::units::time_text;
use crate::time::whole;
use crate::timeline::series::{Series, Slice};

/// Batches that are shown one by one.
const BATCHES_SHOWN_MAX: usize = 20;

/// Everything about the run that is no curve, as tables side by side.
pub(super) fn tables(report: &Report) -> String {
    let mut html = String::from("<div class=\"tables\">\n");
    html.push_str(&table("Verification", &verification(report)));
    html.push_str(&table("Outcomes", &outcomes(report)));
    report.steps.iter().for_each(|step| html.push_str(&table(step.name, &figures(step))));
    html.push_str(&table("Parameters", &parameters(report)));
    html.push_str(&table("Server", &server(report)));
    html.push_str(&table("Generator", &generator(report)));
    html.push_str("</div>\n");
    html.push_str(&batches(report));
    html
}

/// One row of a table: the name, the value, and whether it is wrong.
struct Row {
    name: String,
    value: String,
    is_wrong: bool,
}

fn row(name: &str, value: impl Into<String>) -> Row {
    Row { name: name.to_owned(), value: value.into(), is_wrong: false }
}

fn count(name: &str, number: u64) -> Row {
    row(name, Grouped(number).to_string())
}

fn table(title: &str, rows: &[Row]) -> String {
    let mut html = format!("<section><h2>{title}</h2>\n<table>\n");
    for Row { name, value, is_wrong } in rows {
        let (name, value) = (escape(name), escape(value));
        let class = if *is_wrong { " class=\"bad\"" } else { "" };
        put(&mut html, format_args!("<tr><th scope=\"row\">{name}</th><td{class}>{value}</td></tr>\n"));
    }
    html.push_str("</table></section>\n");
    html
}

fn verification(report: &Report) -> Vec<Row> {
    let verification = &report.verification;
    let looked_up = Grouped(verification.looked_up);
    let mut rows = vec![
        row("result", if verification.passed { "passed" } else { "FAILED" }),
        count("granted and known", verification.granted),
        row("looked up", format!("{looked_up} ({})", verification.mode.name())),
    ];
    rows[0].is_wrong = !verification.passed;
    let faults = verification.faults();
    rows.extend(faults.iter().map(|(name, number)| Row { is_wrong: *number > 0, ..count(name, *number) }));
    rows.push(count("replays verified", verification.replays_verified));
    if verification.redeemed > 0 {
        let [redeemed, shown] = [verification.redeemed, verification.redeemed_shown].map(Grouped);
        rows.push(row("redeemed", format!("{redeemed}, {shown} of them shown again")));
    }
    if verification.abandoned > 0 {
        rows.push(count("pairs half done", verification.abandoned));
    }
    rows.push(count("without an answer, found granted", verification.resolved_granted));
    rows.push(count("without an answer, found not granted", verification.resolved_refused));
    let lost = verification.findings.iter().map(|one| {
        let (batch, user, request, serial) = (one.batch, one.user, one.request, one.acknowledged_serial);
        let what = format!("batch {batch} user {user} request {request}: serial {serial}, now {}", one.found);
        Row { is_wrong: true, ..row("lost", what) }
    });
    rows.extend(lost);
    rows
}

fn outcomes(report: &Report) -> Vec<Row> {
    let claims = &report.claims;
    let mut rows = report.outcomes.iter().map(|(name, number)| count(name, *number)).collect::<Vec<_>>();
    let unit = report.parameters.operation.unit();
    rows.extend(report.steadiness.iter().map(|steadiness| row("seconds", Seconds(steadiness, unit).to_string())));
    rows.extend(report.turnover.map(|turnover| row("turnover", turnover.to_string())));
    rows.push(count(&format!("{unit} sent"), claims.sent));
    rows.push(count("answered", claims.answered));
    rows.push(count("unanswered", claims.unanswered));
    rows.push(count("never sent", claims.unsent));
    rows.push(count("connections broken", report.connections.broken));
    rows.push(count("frames sent again", report.connections.frames_resent));
    rows
}

/// One of the two requests of a pair.
fn figures(step: &StepFigures) -> Vec<Row> {
    let latency = &step.latency_us;
    let mut rows = vec![count("a second", whole(step.per_s)), count("answered", step.answered)];
    for (name, us) in [("p50", latency.p50), ("p99", latency.p99), ("p99.9", latency.p999), ("max", latency.max)] {
        rows.push(row(name, time_text(us)));
    }
    rows.extend(step.outcomes.iter().map(|(name, number)| count(name, *number)));
    rows
}

/// Every setting of the plan, as the JSON report names it: one that is added appears here by itself.
fn parameters(report: &Report) -> Vec<Row> {
    let mut rows = vec![row("loop", report.r#loop)];
    if let Ok(Value::Object(settings)) = serde_json::to_value(&report.parameters) {
        rows.extend(settings.iter().map(|(name, value)| row(name, told(value))));
    }
    rows
}

/// A JSON value as a person would write it.
fn told(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::String(text) => text.clone(),
        Value::Number(_) | Value::Bool(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

fn server(report: &Report) -> Vec<Row> {
    let server = &report.server;
    let mut rows = vec![
        row("address", &server.address),
        row("version", &server.version),
        row("durability", server.durability),
        count("network threads", server.cores.into()),
        count("claims per frame, at most", server.claims_per_frame_max.into()),
        count("claims in flight, at most", server.in_flight_claims_max.into()),
    ];
    let Some(metrics) = &report.server_metrics else {
        rows.push(row("metrics", "not recorded: --admin was not given"));
        return rows;
    };
    rows.push(row("metrics from", &metrics.address));
    if let Some(cpu_ns) = metrics.cpu_ns_per_claim {
        rows.push(row("CPU", format!("{cpu_ns:.0} ns a {}", report.parameters.operation.one())));
    }
    if let Some(whole) = &metrics.whole {
        rows.push(row("processors busy", format!("{:.2}", whole.cpus)));
        rows.push(row("resident at the end", format!("{:.0} MiB", whole.resident_mib)));
        rows.push(row("group commits", format!("{:.0} a second", whole.syncs_per_s)));
        let mean = |value: Option<f64>, unit| value.map(|value| format!("{value:.0} {unit} on average"));
        rows.extend(mean(whole.claims_per_group, "claims").map(|text| row("group", text)));
        rows.extend(mean(whole.sync_mean_us, "µs").map(|text| row("fsync", text)));
    }
    rows
}

fn generator(report: &Report) -> Vec<Row> {
    let (generator, machine, one) = (&report.generator, &report.machine, report.parameters.operation.one());
    vec![
        row("version", report.build.version),
        row("commit", report.build.commit),
        row("processor", &machine.cpu),
        count("cores", machine.cores as u64),
        row("kernel", &machine.kernel),
        count("frames", generator.frames),
        count("frames over 1 ms late", generator.late_frames),
        count("of them held by the window", generator.late_frames_held),
        row("latest send", format!("{:.0} µs", generator.lateness_max_us)),
        row("latest by its own doing", format!("{:.0} µs", generator.own_lateness_max_us)),
        row("CPU", format!("{:.2} s, {:.0} ns a {one}", generator.cpu_s, generator.cpu_ns_per_claim)),
    ]
}

fn batches(report: &Report) -> String {
    let batches = &report.verification.batches;
    let mut html = String::from("<h2>Batches</h2>\n<div class=\"wide\"><table>\n<tr>");
    for name in ["batch", "state", "total", "granted before", "granted", "reserved", "voided", "left", "adds up"] {
        put(&mut html, format_args!("<th scope=\"col\">{name}</th>"));
    }
    html.push_str("</tr>\n");
    for batch in batches.iter().take(BATCHES_SHOWN_MAX) {
        let (id, state, word) = (batch.id, batch.state, if batch.is_balanced { "yes" } else { "NO" });
        put(&mut html, format_args!("<tr><td>{id}</td><td>{state}</td>"));
        for units in [batch.total, batch.granted_before, batch.granted, batch.held, batch.voided, batch.remaining] {
            put(&mut html, format_args!("<td>{}</td>", Grouped(units.into())));
        }
        put(&mut html, format_args!("<td>{word}</td></tr>\n"));
    }
    html.push_str("</table></div>\n");
    if report.verification.batch_count > BATCHES_SHOWN_MAX as u64 {
        let more = Grouped(report.verification.batch_count - BATCHES_SHOWN_MAX as u64);
        let listed = batches.len();
        put(&mut html, format_args!("<p class=\"quiet\">and {more} more; the JSON report lists {listed}</p>\n"));
    }
    html
}

/// The numbers behind the curves, folded away.
pub(super) fn numbers(series: &Series) -> String {
    let mut html = String::from("<details><summary>The curves over time as numbers</summary>\n<div class=\"wide\">");
    html.push_str("<table>\n<tr>");
    for name in ["from, s", "offered/s", "answered/s", "granted/s", "p50, µs", "p99, µs", "max, µs", "outcomes"] {
        put(&mut html, format_args!("<th scope=\"col\" class=\"number\">{name}</th>"));
    }
    html.push_str("</tr>\n");
    for slice in &series.intervals {
        html.push_str(&numbers_of(slice));
    }
    html.push_str("</table></div></details>\n");
    html
}

fn numbers_of(slice: &Slice) -> String {
    let mut html = format!("<tr><td class=\"number\">{:.3}</td>", slice.from_s);
    for rate in [slice.offered_per_s, slice.answered_per_s, slice.granted_per_s] {
        let text = rate.map_or_else(|| "–".to_owned(), |rate| Grouped(whole(rate)).to_string());
        put(&mut html, format_args!("<td class=\"number\">{text}</td>"));
    }
    for latency in [slice.p50_us, slice.p99_us, slice.max_us] {
        let text = latency.map_or_else(|| "–".to_owned(), |latency| format!("{latency:.1}"));
        put(&mut html, format_args!("<td class=\"number\">{text}</td>"));
    }
    let outcomes = slice.outcomes.iter().map(|(name, count)| format!("{} {count}", escape(name)));
    let outcomes = outcomes.collect::<Vec<_>>().join(", ");
    put(&mut html, format_args!("<td class=\"number\">{outcomes}</td></tr>\n"));
    html
}
