//! Verify: reads a data folder that no server uses, and reports everything that is wrong in it.

use std::path::Path;

use super::fill::Clocks;
use super::rebuild::Rebuild;
use crate::journal::{Folder, FolderError, Replay, ReplayError, replay};

/// Violations reported; a damaged journal may have millions.
const FINDINGS_MAX: usize = 100;

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Verification {
    /// Groups read.
    pub groups: u64,
    /// Bytes of them.
    pub bytes: u64,
    /// Grants read.
    pub grants: u64,
    /// Units of closed batches whose grants a checkpoint left out, and counted.
    pub counted_units: u64,
    /// Newest epoch in order.
    pub last_epoch: u64,
    /// The epoch up to which a checkpoint stands for the journal; 0 = there is none.
    pub checkpoint_epoch: u64,
    /// Newest epoch that the ledger witnessed.
    pub witnessed_epoch: u64,
    /// Batch, total, granted units; in order of id.
    pub batches: Vec<(u64, u32, u64)>,
    /// What is wrong; empty = nothing.
    pub findings: Vec<Finding>,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The group, or 0.
    pub epoch: u64,
    /// The batch, where one can be named.
    pub batch: Option<u64>,
    /// What is wrong.
    pub what: String,
}

/// Verifies the data folder: hash chain, ledger, conservation, limits, serials. Changes nothing.
///
/// # Errors
/// When the folder cannot be read at all.
pub fn verify(path: &Path) -> Result<Verification, FolderError> {
    let folder = Folder::open_existing(path)?;
    let witnessed = folder.witnessed()?;
    let store = folder.store_read_only()?;
    let (mut rebuild, mut read) = (Rebuild::new(256, Clocks { now_ms: 0, running_ms: 0 }), Replay::default());
    let mut result = Verification { witnessed_epoch: witnessed.map_or(0, |mark| mark.epoch), ..Default::default() };
    // Behind a broken link nothing can be judged.
    let replayed = replay(&store, folder.store_id(), witnessed, &mut read, &mut |group, bytes| {
        rebuild.apply(group, bytes);
        rebuild.violations.len() < FINDINGS_MAX
    });
    (result.groups, result.bytes) = (read.groups, read.bytes);
    result.last_epoch = read.last.map_or(0, |last| last.epoch);
    result.checkpoint_epoch = read.head.map_or(0, |head| head.replaced.epoch);
    let totals = rebuild.conclude();
    result.grants = rebuild.records;
    result.counted_units = rebuild.counted_units();
    result.batches = totals.iter().map(|totals| (totals.batch, totals.total, totals.granted)).collect();
    let of_replay = |error: ReplayError| {
        let epoch = match &error {
            ReplayError::Chain(error) => error.epoch().unwrap_or(0),
            ReplayError::Store(_) => result.last_epoch,
        };
        Finding { epoch, batch: None, what: error.to_string() }
    };
    let violations = rebuild.violations.into_iter();
    let of_content = violations.map(|found| Finding { epoch: found.epoch, batch: found.batch, what: found.what });
    result.findings = replayed.err().map(of_replay).into_iter().chain(of_content).take(FINDINGS_MAX).collect();
    Ok(result)
}
