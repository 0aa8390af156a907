//! What the admin port knows of the process: how far it has come, and who may ask what.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use stockade_protocol::hello::Durability;

use crate::access::Access;
use crate::engine::{Engine, RecoveryReport};

/// Shared by the port's thread and the one that starts and ends the process.
pub(super) struct State {
    pub(super) access: Access,
    pub(super) durability: Durability,
    pub(super) version: &'static str,
    pub(super) commit: &'static str,
    /// When the process began, in seconds since 1970.
    pub(super) started: f64,
    /// Set once, when recovery and its audit are done.
    recovered: OnceLock<Recovered>,
    /// Set once, by the thread that ends the process; read by the port's. Nothing else is passed along with it.
    draining: AtomicBool,
}

/// What recovery left.
pub(super) struct Recovered {
    pub(super) engine: Arc<Engine>,
    pub(super) report: RecoveryReport,
}

/// Whether claims are served, and if not, why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Readiness {
    /// The journal is being read and audited.
    Recovering,
    /// Claims are decided.
    Ready,
    /// The process was told to leave.
    Draining,
    /// The journal has failed: nothing is answered until a restart.
    Failed,
}

impl State {
    pub(super) fn new(
        access: Access,
        durability: Durability,
        version: &'static str,
        commit: &'static str,
        started: f64,
    ) -> Self {
        let (recovered, draining) = (OnceLock::new(), AtomicBool::new(false));
        Self { access, durability, version, commit, started, recovered, draining }
    }

    /// Recovery is done. The first call counts.
    pub(super) fn set_recovered(&self, engine: Arc<Engine>, report: RecoveryReport) {
        let _first_stays = self.recovered.set(Recovered { engine, report });
    }

    pub(super) fn set_draining(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// What recovery left, once it is done.
    pub(super) fn recovered(&self) -> Option<&Recovered> {
        self.recovered.get()
    }

    /// A failure outweighs a drain, and a drain everything else: who leaves during recovery never becomes ready.
    pub(super) fn readiness(&self) -> Readiness {
        let recovered = self.recovered.get();
        if recovered.is_some_and(|recovered| recovered.engine.journal().failure().is_some()) {
            Readiness::Failed
        } else if self.draining.load(Ordering::Relaxed) {
            Readiness::Draining
        } else if recovered.is_some() {
            Readiness::Ready
        } else {
            Readiness::Recovering
        }
    }
}

impl Readiness {
    /// The word for it, which `/readyz` answers.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Readiness::Recovering => "recovering",
            Readiness::Ready => "ready",
            Readiness::Draining => "draining",
            Readiness::Failed => "failed",
        }
    }
}
