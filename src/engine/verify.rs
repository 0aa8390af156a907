//! Verify: reads a data folder that no server uses, and reports everything that is wrong in it.

use std::path::Path;

use super::rebuild::Rebuild;
use crate::journal::{Chain, ChainError, Folder, FolderError, Store, StoreError};

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
    /// Newest epoch in order.
    pub last_epoch: u64,
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
    let mut chain = Chain::new(folder.store_id(), witnessed);
    let mut rebuild = Rebuild::new(256);
    let mut result = Verification { witnessed_epoch: witnessed.map_or(0, |mark| mark.epoch), ..Default::default() };
    let mut broken = None;
    let read = store.for_each(&mut |epoch, bytes| {
        match chain.next(epoch, bytes) {
            Ok(group) => rebuild.apply(&group, bytes),
            Err(error) => broken = Some((epoch, error)),
        }
        result.groups += 1;
        result.bytes += bytes.len() as u64;
        // Behind a broken link nothing can be judged.
        broken.is_none() && rebuild.violations.len() < FINDINGS_MAX
    });
    result.last_epoch = chain.last().epoch;
    let totals = rebuild.conclude();
    result.grants = rebuild.records;
    result.batches = totals.iter().map(|totals| (totals.batch, totals.total, totals.granted)).collect();
    let link = match broken {
        Some(broken) => Some(broken),
        None => chain.finish().err().map(|error: ChainError| (result.last_epoch, error)),
    };
    let of_store = |error: StoreError| Finding { epoch: result.last_epoch, batch: None, what: error.reason };
    let of_chain = |(epoch, error): (u64, ChainError)| Finding { epoch, batch: None, what: error.to_string() };
    let violations = rebuild.violations.into_iter();
    let of_content = violations.map(|found| Finding { epoch: found.epoch, batch: found.batch, what: found.what });
    let findings = read.err().map(of_store).into_iter().chain(link.map(of_chain)).chain(of_content);
    result.findings = findings.take(FINDINGS_MAX).collect();
    Ok(result)
}
