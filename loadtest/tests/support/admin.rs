//! A small admin port: metrics whose counters rise by the same amount with every reading.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use stockade_loadtest::time::real;

/// Syncs that each reading finds to have been made since the one before.
pub(crate) const SYNCS_PER_READING: u64 = 100;
/// What each of them took, in microseconds.
pub(crate) const SYNC_US: u64 = 250;

/// A running admin port. It stops when it is dropped.
pub(crate) struct FakeAdmin {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    /// Asked for, unless empty.
    token: String,
    /// Readings that succeed.
    readings_max: u64,
    readings: AtomicU64,
    is_over: AtomicBool,
}

impl FakeAdmin {
    pub(crate) fn start() -> Self {
        Self::with("", u64::MAX)
    }

    /// One that tells only those who show `token`.
    pub(crate) fn asking_for(token: &str) -> Self {
        Self::with(token, u64::MAX)
    }

    /// One that breaks after so many readings.
    pub(crate) fn breaking_after(readings_max: u64) -> Self {
        Self::with("", readings_max)
    }

    fn with(token: &str, readings_max: u64) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let (readings, is_over) = (AtomicU64::new(0), AtomicBool::new(false));
        let shared = Arc::new(Shared { token: token.to_owned(), readings_max, readings, is_over });
        let serving = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if serving.is_over.load(Ordering::Relaxed) {
                    return;
                }
                serving.answer(stream);
            }
        });
        Self { address, shared }
    }

    /// Readings that were answered with metrics.
    pub(crate) fn readings(&self) -> u64 {
        self.shared.readings.load(Ordering::Relaxed)
    }
}

impl Drop for FakeAdmin {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Relaxed);
        // Wakes the thread that accepts.
        drop(TcpStream::connect(self.address));
    }
}

impl Shared {
    fn answer(&self, mut stream: TcpStream) {
        let lines = BufReader::new(&stream).lines().map_while(Result::ok);
        let head = lines.take_while(|line| !line.is_empty()).collect::<Vec<_>>();
        let shows = format!("Authorization: Bearer {}", self.token);
        let is_known = self.token.is_empty() || head.contains(&shows);
        let answer = if head.first().is_none_or(|first| first != "GET /metrics HTTP/1.1") {
            "HTTP/1.1 404 Not Found\r\n\r\n".to_owned()
        } else if !is_known {
            "HTTP/1.1 401 Unauthorized\r\n\r\nsend a token\n".to_owned()
        } else if self.readings() >= self.readings_max {
            return;
        } else {
            format!("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{}", self.metrics())
        };
        // Whoever asked may be gone.
        let _ = stream.write_all(answer.as_bytes());
    }

    fn readings(&self) -> u64 {
        self.readings.load(Ordering::Relaxed)
    }

    fn metrics(&self) -> String {
        let number = self.readings.fetch_add(1, Ordering::Relaxed) + 1;
        let (syncs, sync_s) = (number * SYNCS_PER_READING, real(number * SYNCS_PER_READING * SYNC_US) / 1e6);
        format!(
            "# TYPE process_cpu_seconds_total counter\n\
             process_cpu_seconds_total {cpu_s}\n\
             process_resident_memory_bytes 1048576\n\
             stockade_commit_sync_seconds_sum {sync_s}\n\
             stockade_commit_sync_seconds_count {syncs}\n\
             stockade_commit_sync_seconds_bucket{{le=\"0.000262143\"}} {syncs}\n\
             stockade_commit_sync_seconds_bucket{{le=\"+Inf\"}} {syncs}\n\
             stockade_commit_group_claims_sum {claims}\n",
            cpu_s = real(number) / 100.0,
            claims = syncs * 64,
        )
    }
}
