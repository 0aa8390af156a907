//! The events of users in files, bucket by bucket: who looks for a user reads one piece of each file.
//!
//! A sealed segment becomes one file, named after the epochs whose events it has. Neighbours are merged, so that few
//! are left ([`merge`]); a merged file is there before the files that it is made of go, whatever happens in between.
//!
//! Why no RocksDB: a look into one of its files costs some 10 µs here, most of it for finding the block, and merging
//! compares keys, of which there are as many as buckets and files. Measured on 28 November 2026 with ten million
//! coupons: 9,700 pages of wallets a second with RocksDB.

mod file;
mod merge;
mod pack;
mod writer;

pub(super) use pack::Pack;

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::Mutex;
use stockade_protocol::feed::Event;

use super::error::{IndexError, index_error};
use crate::types::{Epoch, UserId};
use file::{PackFile, Span};
use writer::PackWriter;

/// The files, oldest first; each goes on where the one before ends.
pub(super) type PackList = Arc<[Arc<PackFile>]>;

/// See the module.
pub(super) struct PackFiles {
    folder: PathBuf,
    list: Mutex<PackList>,
}

impl PackFiles {
    /// Opens the files of a folder, and makes it if it is not there. They must reach up to the epoch `sealed`; what
    /// goes further, or was merged, is removed.
    pub(super) fn open(folder: PathBuf, sealed: Epoch) -> Result<Self, IndexError> {
        fs::create_dir_all(&folder).map_err(index_error)?;
        let mut found = Vec::new();
        for entry in fs::read_dir(&folder).map_err(index_error)? {
            let path = entry.map_err(index_error)?.path();
            match Span::of(&path) {
                Some(span) if span.through <= sealed => found.push((span, path)),
                // A draft, or the file of a segment that the mark does not know yet.
                _ => fs::remove_file(path).map_err(index_error)?,
            }
        }
        // Of those that begin together the merged one comes first.
        found.sort_by_key(|(span, _)| (span.after, u64::MAX - span.through));
        let (mut files, mut reached) = (Vec::new(), 0);
        for (span, path) in found {
            if span.through <= reached {
                fs::remove_file(path).map_err(index_error)?;
            } else if span.after == reached {
                files.push(Arc::new(PackFile::open(&path, span)?));
                reached = span.through;
            }
        }
        if reached != sealed {
            return Err(IndexError::damage(format!("its events end at epoch {reached}, not {sealed}")));
        }
        Ok(Self { folder, list: Mutex::new(files.into()) })
    }

    /// All files now.
    pub(super) fn list(&self) -> PackList {
        Arc::clone(&self.list.lock())
    }

    /// Writes a file of what comes after all others. Nobody sees it before it is [added](Self::add).
    pub(super) fn write(
        &self,
        through: Epoch,
        write: impl FnOnce(&mut PackWriter) -> Result<(), IndexError>,
    ) -> Result<PackFile, IndexError> {
        let after = self.list.lock().last().map_or(0, |last| last.span().through);
        self.write_file(Span { after, through }, write)
    }

    fn write_file(
        &self,
        span: Span,
        write: impl FnOnce(&mut PackWriter) -> Result<(), IndexError>,
    ) -> Result<PackFile, IndexError> {
        let (draft, path) = (self.folder.join(span.draft_name()), self.folder.join(span.name()));
        let written = PackWriter::create(&draft).and_then(|mut writer| {
            write(&mut writer)?;
            writer.finish()
        });
        if let Err(error) = written {
            // On a full disk half a file would take what others need.
            let _is_a_favour = fs::remove_file(&draft);
            return Err(error);
        }
        fs::rename(&draft, &path).map_err(index_error)?;
        fs::File::open(&self.folder).and_then(|folder| folder.sync_all()).map_err(index_error)?;
        PackFile::open(&path, span)
    }

    /// Shows the file that was written last.
    pub(super) fn add(&self, file: PackFile) {
        let mut list = self.list.lock();
        *list = list.iter().cloned().chain([Arc::new(file)]).collect();
    }
}

/// All events of a bucket's users for whom `is_wanted` says so, in order.
pub(super) fn events(
    files: &PackList,
    bucket: usize,
    is_wanted: &impl Fn(UserId) -> bool,
) -> Result<Vec<Event>, IndexError> {
    let (mut events, mut bytes) = (Vec::new(), Vec::new());
    for file in files.iter() {
        file.read(bucket..bucket + 1, &mut bytes)?;
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            let pack = Pack::split(&mut rest).filter(|pack| pack.events(is_wanted, &mut events));
            pack.ok_or_else(|| file.damaged(bucket))?;
        }
    }
    Ok(events)
}
