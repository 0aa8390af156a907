//! A report as one page: it needs no network, no script and no other file, and follows the reader's light or dark.

mod axis;
mod charts;
mod facts;
mod markup;
mod plot;

use std::fmt::{self, Display, Formatter};

use super::Report;
use crate::report::text::Grouped;
use crate::report::units::time_text;
use crate::time::whole;
use markup::escape;
use plot::Plot;

const STYLE: &str = include_str!("style.css");

/// Whatever a text on the page might say, a browser loads nothing for it.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

const NOT_RECORDED: &str = "Not recorded: this run was not told where the server's metrics are. Add --admin ADDR (the \
                            server's admin.listen, 127.0.0.1:7401 by default).";

/// Shows a report as an HTML page.
pub struct Page<'a>(pub &'a Report);

impl Display for Page<'_> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let report = self.0;
        let title = format!("Stockade load test, server {}, {}", report.server.version, report.started);
        let title = escape(&title);
        writeln!(formatter, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">")?;
        writeln!(formatter, "<meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">")?;
        writeln!(formatter, "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">")?;
        writeln!(formatter, "<title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>")?;
        self.head(formatter)?;
        self.charts(formatter)?;
        formatter.write_str(&facts::tables(report))?;
        formatter.write_str(&facts::numbers(&report.series))?;
        writeln!(formatter, "</body>\n</html>")
    }
}

impl Page<'_> {
    /// What a reader wants to know first.
    fn head(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let report = self.0;
        let machine = &report.machine;
        let (cpu, kernel) = (escape(&machine.cpu), escape(&machine.kernel));
        writeln!(
            formatter,
            "<p class=\"quiet\">{cpu}, {} cores, {kernel} · stockade-loadtest {}, commit {} · durability {} · \
             seed {} · {:.3} s measured</p>",
            machine.cores,
            report.build.version,
            escape(report.build.commit),
            report.server.durability,
            report.seed,
            report.measured_s,
        )?;
        let (class, word) = if report.passed { ("good", "PASSED") } else { ("bad", "FAILED") };
        let latency = &report.latency_us;
        let (operation, unit) = (report.parameters.operation, report.parameters.operation.unit());
        let figures = [
            ("answered", format!("{} {unit}/s", Grouped(whole(report.claims_per_s)))),
            (operation.wanted(), format!("{} {unit}/s", Grouped(whole(report.granted_per_s)))),
            ("p50", time_text(latency.p50)),
            ("p99", time_text(latency.p99)),
            ("p99.9", time_text(latency.p999)),
            ("max", time_text(latency.max)),
        ];
        writeln!(formatter, "<div class=\"figures\">\n<div>verification <b class=\"{class}\">{word}</b></div>")?;
        for (name, value) in figures {
            writeln!(formatter, "<div>{name} <b>{value}</b></div>")?;
        }
        writeln!(formatter, "</div>")?;
        for note in &report.notes {
            writeln!(formatter, "<p class=\"note\">{}</p>", escape(note))?;
        }
        Ok(())
    }

    fn charts(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let report = self.0;
        let series = &report.series;
        let origin = if report.parameters.closed { "the send" } else { "the intended start" };
        let (unit, wanted) = (report.parameters.operation.unit(), report.parameters.operation.wanted());
        let over_time = format!("By the instant at which {unit} were meant to start; latency from {origin}.");
        chart(formatter, "Latency over time", &over_time, charts::latency_over_time(series).as_ref())?;
        let count = Grouped(report.latency_us.claims);
        let of_all =
            format!("{count} {unit} of the measured time; the next mark is ten times rarer than the one before.");
        chart(formatter, "Latency by percentile", &of_all, charts::percentiles(report).as_ref())?;
        let rates = if report.parameters.closed {
            format!("The {unit} of a second. A closed loop offers what the server takes: there is no offered rate.")
        } else {
            format!("The {unit} of a second: offered by the schedule, answered whatever the answer, and {wanted}.")
        };
        chart(formatter, "Throughput over time", &rates, charts::throughput(series, wanted).as_ref())?;
        let by_answer = format!("The {unit} of a second by what the last answer said, the most frequent one lowest.");
        chart(formatter, "Outcomes over time", &by_answer, charts::outcomes(series).as_ref())?;
        let Some(server) = &report.server_metrics else {
            writeln!(formatter, "<h2>fsync time</h2>\n<p class=\"absent\">{NOT_RECORDED}</p>")?;
            return writeln!(formatter, "<h2>Server CPU</h2>\n<p class=\"absent\">{NOT_RECORDED}</p>");
        };
        let syncs = "Time of the server's group commits to reach the disk, from its metrics.";
        chart(formatter, "fsync time", syncs, charts::sync_time(series, server).as_ref())?;
        let cpus = "Processors that the server process kept busy, from its metrics.";
        chart(formatter, "Server CPU", cpus, charts::server_cpu(series, server).as_ref())
    }
}

fn chart(formatter: &mut Formatter<'_>, title: &str, about: &str, plot: Option<&Plot>) -> fmt::Result {
    writeln!(formatter, "<h2>{title}</h2>\n<figure>\n<figcaption>{about}</figcaption>")?;
    match plot {
        Some(plot) => formatter.write_str(&plot.html())?,
        None => writeln!(formatter, "<p class=\"absent\">Nothing was measured.</p>")?,
    }
    writeln!(formatter, "</figure>")
}
