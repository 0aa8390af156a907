//! The server's life: configuration → engine → server → signal → end.

use std::io::{IsTerminal, Write};
use std::sync::Arc;

use stockade::access::Access;
use stockade::admin::{Admin, AdminOptions};
use stockade::cli::{Exit, Failure};
use stockade::config::Config;
use stockade::engine::{self, EngineOptions, RecoveryReport, StorageOptions};
use stockade::server::{Server, ServerOptions};
use stockade_protocol::hello::Durability;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// Starts a server as `config` says, and returns when it was told to leave and has left.
///
/// # Errors
/// When it cannot start; then nothing was changed on the disk.
pub(crate) fn serve(config: &Config) -> Result<(), Failure> {
    start_log(config);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().map_err(|error| system(&error))?;
    let _runtime = runtime.enter();
    let (mut terminate, mut interrupt) = (
        signal(SignalKind::terminate()).map_err(|error| system(&error))?,
        signal(SignalKind::interrupt()).map_err(|error| system(&error))?,
    );
    // A file-size limit must fail the write, not kill the process: the default action is replaced by a handler.
    let _file_size_limit = signal(SignalKind::from_raw(SIGXFSZ)).map_err(|error| system(&error))?;

    let cores = config.server.core_count();
    let admin = Admin::start(admin_options(config)).map_err(failed)?;
    let running = engine::open(&storage_options(config), engine_options(config, cores)).map_err(failed)?;
    let server = Server::start(Arc::clone(&running.engine), server_options(config)).map_err(failed)?;
    admin.set_ready(Arc::clone(&running.engine), running.report);
    announce(config, cores, &running.report, &server, &admin);

    runtime.block_on(async {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    });
    admin.set_draining();
    tracing::info!("told to leave: answering what was received");
    // A second signal does not wait for the drain.
    std::thread::spawn(move || {
        let again = tokio::runtime::Builder::new_current_thread().enable_io().build();
        if let Ok(again) = again {
            again.block_on(async {
                tokio::select! { _ = terminate.recv() => {} _ = interrupt.recv() => {} }
            });
            std::process::exit(1);
        }
    });
    server.shutdown();
    admin.shutdown();
    // The process ends: its memory goes as a whole, not batch by batch.
    std::mem::forget(Arc::clone(&running.engine));
    drop(running);
    say("left: every answer that was sent is durable");
    Ok(())
}

/// File size limit exceeded.
const SIGXFSZ: i32 = 25;

fn storage_options(config: &Config) -> StorageOptions {
    StorageOptions {
        folder: config.storage.data.clone(),
        durability: config.storage.durability,
        segment_bytes: usize::try_from(config.storage.segment_bytes).unwrap_or(usize::MAX),
        free_space_floor_bytes: config.storage.free_space_floor_bytes,
        ballast_bytes: config.storage.ballast_bytes,
        checkpoint_dead_bytes: config.storage.checkpoint_dead_bytes,
        index: config.reading.index,
        feed_retained_bytes: config.feed.retained_bytes,
    }
}

fn engine_options(config: &Config, cores: usize) -> EngineOptions {
    let mut options = EngineOptions::new(cores, Arc::new(stop_answering));
    options.users_shards_max = config.users.shards_max;
    options.batches_max = config.batches.batches_max as usize;
    options.group_records_max = config.journal.group_claims_max as usize;
    options.ttl_s_max = u16::try_from(config.reservations.ttl_max_s).unwrap_or(u16::MAX);
    options.restart_grace = config.reservations.restart_grace;
    options
}

fn admin_options(config: &Config) -> AdminOptions {
    AdminOptions {
        listen: config.admin.listen,
        access: access(config),
        durability: config.storage.durability,
        version: env!("CARGO_PKG_VERSION"),
        commit: option_env!("STOCKADE_COMMIT").unwrap_or("unknown"),
    }
}

fn access(config: &Config) -> Access {
    let texts = |tokens: &[stockade::config::Token]| {
        tokens.iter().map(|token| String::from_utf8_lossy(token.bytes()).into_owned()).collect()
    };
    Access::new(texts(&config.auth.claim_tokens), texts(&config.auth.operator_tokens))
}

fn server_options(config: &Config) -> ServerOptions {
    ServerOptions {
        listen: config.server.listen,
        durability: config.storage.durability,
        connections_max: config.server.connections_max as usize,
        in_flight_per_connection_max: config.server.in_flight_claims_per_connection as usize,
        reader_threads: config.reading.threads as usize,
        in_flight_max: config.server.in_flight_claims_max as usize,
        handshake_timeout: config.server.handshake_timeout,
        frame_timeout: config.server.frame_timeout,
        write_stall_timeout: config.server.write_stall_timeout,
        idle_timeout: config.server.idle_timeout,
        drain_timeout: config.server.drain_timeout,
        access: access(config),
    }
}

/// The journal failed: whether the last group is stored, only a restart can tell. Not another answer may leave.
fn stop_answering(reason: &str) {
    tracing::error!("{reason}; stopping without another answer: restart the server, it finds out what is stored");
    std::process::exit(1);
}

fn announce(config: &Config, cores: usize, report: &RecoveryReport, server: &Server, admin: &Admin) {
    let durability = config.storage.durability;
    let survives = match durability {
        Durability::Fsync => "answers survive the loss of power",
        Durability::Os => "answers survive the death of the process, NOT the loss of power",
        Durability::Memory => "answers survive NOTHING: for load tests only",
    };
    say(&format!("stockade {}, durability {}: {survives}", env!("CARGO_PKG_VERSION"), durability.name()));
    let seconds = report.elapsed.as_secs_f64();
    let (batches, claims, groups) = (report.batches, report.records, report.groups);
    say(&format!(
        "{cores} cores, data in {}: {batches} batches, {claims} claims in {groups} groups recovered in {seconds:.2} s",
        config.storage.data.display()
    ));
    if report.lost_epochs > 0 {
        tracing::warn!(
            "the last {} epochs that were acknowledged are gone: durability os does not survive the loss of power",
            report.lost_epochs
        );
    }
    say(&format!("metrics and probes on http://{}", admin.address()));
    say(&format!("listening on {}", server.address()));
}

/// A line for people and scripts. Where nobody reads, the server serves all the same.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    let _nobody_reads = writeln!(out, "{line}").and_then(|()| out.flush());
}

fn start_log(config: &Config) {
    let filter = EnvFilter::new(config.log.level.name());
    let log = tracing_subscriber::fmt().with_env_filter(filter);
    let log = log.with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal());
    let _already_set = if config.log.json { log.json().try_init() } else { log.try_init() };
}

fn failed(error: impl std::fmt::Display) -> Failure {
    Failure { exit: Exit::Other, sentence: error.to_string() }
}

fn system(error: &std::io::Error) -> Failure {
    failed(format!("the system refused a runtime or a signal handler: {error}"))
}
