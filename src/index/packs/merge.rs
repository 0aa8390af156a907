//! Merging: neighbouring files become one, so that a reader looks into few.
//!
//! The newest files are merged as soon as there are [`FILES_MIN`] of them of which the oldest is at most twice as large
//! as the others are on average. So a thousand segments leave at most nineteen files, and an event is written again
//! three or four times. A file more costs a reader some 3 µs; writing is what the journal waits for.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use rustix::fs::statvfs;

use super::file::{PackFile, Span};
use super::{Pack, PackFiles};
use crate::index::BUCKETS;
use crate::index::error::{IndexError, index_error};

/// Fewest files that are merged.
const FILES_MIN: usize = 8;

/// Bytes that merging writes at most for each file that there is: 32 MB a second with eight of them, more when it falls
/// behind. The disk is the journal's first.
const BYTES_PER_MICROSECOND: u64 = 4;

/// With more files than these it gets no faster: readers wait rather than claims.
const FILES_URGENT: usize = 32;

/// Buckets that are read from a file at once.
const BUCKETS_TOGETHER: usize = 64;

impl PackFiles {
    /// Merges some files, if there are so many. Packs of which `is_of_nobody` says so are left out. False when there
    /// was nothing to merge, or it is `stopping`.
    pub(in crate::index) fn merge(
        &self,
        is_of_nobody: impl Fn(&Pack<'_>) -> bool,
        stopping: &AtomicBool,
    ) -> Result<bool, IndexError> {
        let list = self.list();
        let first = list.len() - files_to_merge(&list.iter().map(|file| file.bytes()).collect::<Vec<_>>());
        let [oldest, .., newest] = &list[first..] else { return Ok(false) };
        let needed = list[first..].iter().map(|file| file.bytes()).sum::<u64>();
        if !self.has_room_for(needed)? {
            tracing::warn!("files of the index stay unmerged, and wallets slow, until twice {needed} bytes are free");
            return Ok(false);
        }
        let span = Span { after: oldest.span().after, through: newest.span().through };
        let mut was_stopped = false;
        let merged = self.write_file(span, |writer| {
            let mut packs = Vec::new();
            for bucket in (0..BUCKETS).step_by(BUCKETS_TOGETHER) {
                was_stopped = stopping.load(Ordering::Relaxed);
                if was_stopped {
                    return Err(index_error("the server stops"));
                }
                let before = writer.written();
                let mut pieces = Pieces::read(&list[first..], bucket)?;
                for bucket in bucket..bucket + BUCKETS_TOGETHER {
                    packs.clear();
                    pieces.take(bucket, &is_of_nobody, &mut packs);
                    writer.write(bucket, &packs)?;
                }
                let files = self.list().len().min(FILES_URGENT) as u64;
                // sleep: nobody waits for it.
                thread::sleep(Duration::from_micros((writer.written() - before) / (BYTES_PER_MICROSECOND * files)));
            }
            Ok(())
        });
        if was_stopped {
            return Ok(false);
        }
        self.replace(&list[first..], merged?);
        Ok(true)
    }

    /// Whether twice as many bytes are free: merging must never be what fills the disk.
    fn has_room_for(&self, bytes: u64) -> Result<bool, IndexError> {
        let status = statvfs(&self.folder).map_err(index_error)?;
        Ok(bytes.saturating_mul(2) < status.f_bavail.saturating_mul(status.f_frsize))
    }

    /// Shows a merged file instead of those that it is made of, and removes them. Who reads them goes on reading.
    fn replace(&self, parts: &[Arc<PackFile>], merged: PackFile) {
        let mut list = self.list.lock();
        let through = merged.span().through;
        let before = list.iter().filter(|file| file.span().through <= parts[0].span().after);
        let behind = list.iter().filter(|file| file.span().after >= through);
        *list = before.cloned().chain([Arc::new(merged)]).chain(behind.cloned()).collect();
        drop(list);
        for part in parts {
            if let Err(error) = fs::remove_file(part.path()) {
                tracing::warn!("{} is of no use any more and cannot be removed: {error}", part.path().display());
            }
        }
    }
}

/// How many of the newest files are merged, if files have so many bytes; 0 = none.
fn files_to_merge(bytes: &[u64]) -> usize {
    let (mut behind, mut count) = (0_u64, 0);
    for (files, bytes) in (1..).zip(bytes.iter().rev()) {
        if files >= FILES_MIN && bytes.saturating_mul(files as u64 - 1) <= behind.saturating_mul(2) {
            count = files;
        }
        behind += bytes;
    }
    count
}

/// Some buckets of some files.
struct Pieces<'a> {
    files: Vec<(&'a PackFile, Vec<u8>, usize)>,
}

impl<'a> Pieces<'a> {
    fn read(files: &'a [Arc<PackFile>], bucket: usize) -> Result<Self, IndexError> {
        let read = |file: &'a Arc<PackFile>| {
            let mut bytes = Vec::new();
            file.read(bucket..bucket + BUCKETS_TOGETHER, &mut bytes)?;
            Ok((&**file, bytes, 0))
        };
        Ok(Self { files: files.iter().map(read).collect::<Result<_, IndexError>>()? })
    }

    /// Adds the packs of the next bucket to `packs`, those of older files first.
    fn take(&mut self, bucket: usize, is_of_nobody: &impl Fn(&Pack<'_>) -> bool, packs: &mut Vec<u8>) {
        for (file, bytes, at) in &mut self.files {
            let end = *at + file.bytes_of(bucket);
            let mut rest = &bytes[*at..end];
            while !rest.is_empty() {
                let before = rest;
                match Pack::split(&mut rest) {
                    Some(pack) if is_of_nobody(&pack) => {}
                    Some(_) => packs.extend_from_slice(&before[..before.len() - rest.len()]),
                    None => {
                        // The bucket stays as unreadable as it is; the others are merged.
                        tracing::warn!("{}", file.damaged(bucket));
                        packs.extend_from_slice(before);
                        break;
                    }
                }
            }
            *at = end;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_segments_leave_few_files_and_are_not_written_often() {
        // All of one size, and each a little smaller than the one before.
        for smaller in [0, 1] {
            let (mut files, mut all, mut written, mut most) = (Vec::new(), 0, 0, 0);
            for segment in 0..1_000 {
                let bytes = 2_000 - smaller * segment;
                files.push(bytes);
                all += bytes;
                most = most.max(files.len());
                while let Some(first) = files.len().checked_sub(files_to_merge(&files)).filter(|at| *at < files.len()) {
                    let merged = files.drain(first..).sum::<u64>();
                    files.push(merged);
                    written += merged;
                }
            }
            assert!(most <= 19 && written <= 4 * all, "{most} files, {written} of {all} bytes written again");
        }
    }

    #[test]
    fn a_large_file_is_not_merged_with_a_few_small_ones() {
        assert_eq!(files_to_merge(&[100, 1, 1, 1, 1, 1, 1, 1]), 0);
        assert_eq!(files_to_merge(&[100, 1, 1, 1, 1, 1, 1, 1, 1]), 8);
        assert_eq!(files_to_merge(&[3, 1, 1, 1, 1, 1, 1, 1]), 0);
        assert_eq!(files_to_merge(&[2, 1, 1, 1, 1, 1, 1, 1]), 8);
        assert_eq!(files_to_merge(&[14, 8, 8, 8, 8, 8, 8, 8, 1]), 9);
        assert_eq!(files_to_merge(&[0; 7]), 0);
        assert_eq!(files_to_merge(&[]), 0);
    }
}
