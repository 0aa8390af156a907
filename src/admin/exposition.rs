//! What `/metrics` says: every metric, read at the scrape, in Prometheus text format. `docs/metrics.md` says what each
//! means; a test compares the two.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::encoding::text::encode_registry;
use prometheus_client::registry::Registry;
use stockade_protocol::{ComesAs, Status};

use super::page::Page;
use super::process;
use super::scale::{BYTES, CLAIMS, SECONDS};
use super::state::{Readiness, Recovered, State};
use crate::engine::Engine;
use crate::journal::Space;
use crate::metrics::{CoreMetrics, Metrics, Operation};

/// All metrics as they are now. Before recovery is done, only those that exist without it.
pub(super) fn text(state: &Arc<State>) -> String {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Scrape(Arc::clone(state))));
    let mut text = String::new();
    encode_registry(&mut text, &registry).expect("a string takes every text");
    text
}

struct Scrape(Arc<State>);

impl fmt::Debug for Scrape {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "a scrape of a process that is {}", self.0.readiness().word())
    }
}

impl Collector for Scrape {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut page = Page::new(encoder);
        program(&mut page, &self.0)?;
        processor_and_memory(&mut page, &self.0)?;
        let Some(recovered) = self.0.recovered() else { return Ok(()) };
        recovery(&mut page, recovered)?;
        data(&mut page, &recovered.engine)?;
        claims(&mut page, recovered.engine.metrics())?;
        operations(&mut page, recovered.engine.metrics())?;
        refused_frames(&mut page, recovered.engine.metrics())?;
        traffic(&mut page, recovered.engine.metrics())?;
        commits(&mut page, recovered.engine.metrics())
    }
}

fn program(page: &mut Page<'_>, state: &State) -> fmt::Result {
    let build = [("commit", state.commit), ("version", state.version)];
    page.info("stockade_build_info", "Commit and version of the program.", &build)?;
    let mode = [("mode", state.durability.name())];
    page.info("stockade_durability_info", "What an answer survives: fsync, os or memory.", &mode)?;
    let ready = u64::from(state.readiness() == Readiness::Ready);
    page.gauge("stockade_ready", "1 while claims are served, as /readyz says.", ready)
}

fn processor_and_memory(page: &mut Page<'_>, state: &State) -> fmt::Result {
    let started = "When the process began, in seconds since 1970.";
    page.gauge("process_start_time_seconds", started, state.started)?;
    if let Some(used) = process::processor_time() {
        let name = "process_cpu_seconds_total";
        page.counter(name, "Processor time used, in user mode and in the kernel.", used.as_secs_f64())?;
    }
    if let Some(bytes) = process::resident_bytes() {
        page.gauge("process_resident_memory_bytes", "Memory that is in RAM.", bytes)?;
    }
    Ok(())
}

fn recovery(page: &mut Page<'_>, recovered: &Recovered) -> fmt::Result {
    let report = &recovered.report;
    let seconds = "Time that recovery and its audit took at the start.";
    page.gauge("stockade_recovery_seconds", seconds, report.elapsed.as_secs_f64())?;
    page.gauge("stockade_recovered_claims", "Grant records that recovery applied.", report.records)?;
    page.gauge("stockade_recovered_groups", "Groups of the journal that recovery read.", report.groups)?;
    let lost = "Acknowledged groups that were missing at the start.";
    page.gauge("stockade_lost_epochs", lost, report.lost_epochs)
}

fn data(page: &mut Page<'_>, engine: &Engine) -> fmt::Result {
    page.gauge("stockade_batches", "Batches in memory.", engine.batches() as u64)?;
    page.gauge("stockade_epoch_durable", "The newest durable epoch.", engine.journal().durable())?;
    let refusing = "1 while claims are refused with NO_SPACE.";
    page.gauge("stockade_out_of_space", refusing, u64::from(engine.is_out_of_space()))?;
    if engine.space().is_some() {
        let (stored, dead) = (engine.usage().stored_bytes(), engine.usage().dead_bytes());
        page.gauge("stockade_journal_bytes", "Bytes of all groups that are kept.", stored)?;
        page.gauge("stockade_journal_dead_bytes", "Of these, what a checkpoint would give back at least.", dead)?;
        let checkpoint = &engine.metrics().checkpoint;
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        page.counter("stockade_checkpoints_total", "Checkpoints taken.", read(&checkpoint.taken))?;
        let written = "Bytes written into checkpoints.";
        page.counter("stockade_checkpoint_bytes_total", written, read(&checkpoint.written_bytes))?;
        let seconds = Duration::from_nanos(read(&checkpoint.elapsed_ns)).as_secs_f64();
        page.counter("stockade_checkpoint_seconds_total", "Time spent on taking checkpoints.", seconds)?;
    }
    if let Some(behind) = engine.index_behind() {
        page.gauge("stockade_index_behind_epochs", "Durable epochs that readers do not see yet.", behind)?;
        let visible = SECONDS.show([&engine.metrics().visible_ns]);
        page.histogram("stockade_index_visible_seconds", "From a decision until readers see it.", &visible)?;
        let audits = engine.metrics().audits.load(Ordering::Relaxed);
        page.counter("stockade_audits_total", "Batches that were counted anew and found right.", audits)?;
    }
    if let Some(free) = engine.space().and_then(Space::free_bytes) {
        page.gauge("stockade_free_space_bytes", "Free bytes of the disk that holds the data.", free)?;
    }
    Ok(())
}

fn claims(page: &mut Page<'_>, metrics: &Metrics) -> fmt::Result {
    let claim = Operation::Claim;
    let answered = |status: Status| metrics.cores.iter().map(|core| core.answers(claim, status)).sum::<u64>();
    let replayed = metrics.cores.iter().map(|core| core.replays(claim)).sum::<u64>();
    let by_status = Status::ALL.iter().map(|status| (*status, answered(*status)));
    // Whatever was counted is shown; what a claim can get is shown from the start, so that its rate begins at zero.
    let by_status = by_status.filter(|(status, count)| *count > 0 || may_answer_claim(*status));
    let by_status = by_status.map(|(status, count)| (status.name().to_ascii_lowercase(), count));
    let results = std::iter::once(("replayed".to_owned(), replayed)).chain(by_status);
    page.counters("stockade_claims_total", "Claims answered, by what became of them.", "result", results)?;

    let by_core = metrics.cores.iter().enumerate().map(|(index, core)| (index.to_string(), claims_of(core)));
    page.counters("stockade_core_claims_total", "Claims answered, by the core that decided them.", "core", by_core)?;

    let decide = metrics.cores.iter().map(|core| &core.decide_ns);
    let commit = metrics.cores.iter().map(|core| &core.commit_ns);
    let stages = [("decide", SECONDS.show(decide)), ("commit", SECONDS.show(commit))];
    let help = "Time of a burst from its arrival to its decisions, and to the moment when its answers may leave.";
    page.histograms("stockade_request_duration_seconds", help, "stage", &stages)
}

/// Answers to what is no claim: replays from the start, so that every operation is there, and whatever was counted.
fn operations(page: &mut Page<'_>, metrics: &Metrics) -> fmt::Result {
    let help = "Reservations, and what becomes of them and of coupons: answers, by operation and result.";
    let others = Operation::ALL.into_iter().filter(|operation| *operation != Operation::Claim);
    let mut results = Vec::new();
    for operation in others {
        let sum = |count: &dyn Fn(&CoreMetrics) -> u64| metrics.cores.iter().map(|core| count(core)).sum::<u64>();
        results.push((operation.name(), "replayed".to_owned(), sum(&|core| core.replays(operation))));
        for status in Status::ALL {
            let count = sum(&|core| core.answers(operation, *status));
            results.push((operation.name(), status.name().to_ascii_lowercase(), count));
        }
    }
    let results = results.into_iter().filter(|(_, result, count)| *count > 0 || result == "replayed");
    page.counters_by_two("stockade_operations_total", help, ["operation", "result"], results)
}

/// Whether one claim can be answered so. The others refuse whole frames, or answer other operations.
fn may_answer_claim(status: Status) -> bool {
    match status {
        Status::Granted
        | Status::Overloaded
        | Status::NoSpace
        | Status::BatchUnknown
        | Status::QuantityInvalid
        | Status::RequestConflict
        | Status::BatchDraft
        | Status::NotStarted
        | Status::Paused
        | Status::Ended
        | Status::Closed
        | Status::AudienceRefused
        | Status::QuantityAboveLimit
        | Status::DayLimitReached
        | Status::LimitReached
        | Status::SoldOut
        | Status::DaySoldOut => true,
        Status::Done
        | Status::Reserved
        | Status::Malformed
        | Status::VersionUnsupported
        | Status::OpcodeUnknown
        | Status::FrameTooLarge
        | Status::HandshakeRequired
        | Status::TokenInvalid
        | Status::Forbidden
        | Status::DeadlinePassed
        | Status::Unavailable
        | Status::BatchConflict
        | Status::StateConflict
        | Status::TermsInvalid
        | Status::StockOverflow
        | Status::TtlInvalid
        | Status::ZoneInvalid
        | Status::CursorInvalid
        | Status::CursorTooOld
        | Status::RequestUnknown
        | Status::ReservationConfirmed
        | Status::ReservationCancelled
        | Status::ReservationExpired
        | Status::ReservationExtended
        | Status::HistoryFull
        | Status::HoldsUserLimit
        | Status::HoldsBatchLimit
        | Status::SerialUnknown
        | Status::NotYours
        | Status::OrderEnded
        | Status::OrderConflict
        | Status::CouponStateConflict
        | Status::CouponExpired => false,
    }
}

fn refused_frames(page: &mut Page<'_>, metrics: &Metrics) -> fmt::Result {
    let refused = |status: Status| metrics.cores.iter().map(|core| core.frames_refused(status)).sum::<u64>();
    let by_status = Status::ALL.iter().map(|status| (*status, refused(*status)));
    // As with claims: whatever was counted, and from the start what a frame can get.
    let by_status = by_status.filter(|(status, count)| *count > 0 || status.comes_as() != ComesAs::Item);
    let by_status = by_status.map(|(status, count)| (status.name().to_ascii_lowercase(), count));
    let help = "Frames refused as a whole, by why.";
    page.counters("stockade_refused_frames_total", help, "status", by_status)
}

fn claims_of(core: &CoreMetrics) -> u64 {
    let answers = Status::ALL.iter().map(|status| core.answers(Operation::Claim, *status));
    core.replays(Operation::Claim) + answers.sum::<u64>()
}

fn traffic(page: &mut Page<'_>, metrics: &Metrics) -> fmt::Result {
    let total = |of: fn(&CoreMetrics) -> &AtomicU64| {
        metrics.cores.iter().map(|core| of(core).load(Ordering::Relaxed)).sum::<u64>()
    };
    let waiting = "Claims that are decided and whose answers wait for their epoch.";
    page.gauge("stockade_waiting_claims", waiting, total(|core| &core.waiting_claims))?;
    page.gauge("stockade_connections", "Open connections of the data port.", total(|core| &core.connections))?;
    let received = "Bytes received on the data port.";
    page.counter("stockade_received_bytes_total", received, total(|core| &core.received_bytes))?;
    page.counter("stockade_sent_bytes_total", "Bytes sent on the data port.", total(|core| &core.sent_bytes))
}

fn commits(page: &mut Page<'_>, metrics: &Metrics) -> fmt::Result {
    let commit = &metrics.commit;
    let claims = CLAIMS.show([&commit.group_records]);
    page.histogram("stockade_commit_group_claims", "Grant records of a group.", &claims)?;
    let bytes = BYTES.show([&commit.group_bytes]);
    page.histogram("stockade_commit_group_bytes", "Bytes of a group.", &bytes)?;
    let write = SECONDS.show([&commit.write_ns]);
    page.histogram("stockade_commit_write_seconds", "Time to encode and write a group.", &write)?;
    let sync = SECONDS.show([&commit.sync_ns]);
    page.histogram("stockade_commit_sync_seconds", "Time to sync a group.", &sync)
}
