//! Writes one file of packs, from the first bucket to the last.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::num::NonZeroU64;
use std::path::Path;

use rustix::fs::{Advice, fadvise};
use zerocopy::IntoBytes;
use zerocopy::little_endian::U64;

use super::file::check;
use crate::index::BUCKETS;
use crate::index::error::{IndexError, index_error};

/// Bytes after which the disk begins to write what there is: the journal's syncs must not wait for a whole file at its
/// end. Nor for syncs of this one: each flushes the disk, and every other write waits.
const SPREAD_BYTES: u64 = 1 << 18;

/// See the module.
pub(in crate::index) struct PackWriter {
    out: BufWriter<File>,
    ends: Vec<U64>,
    written: u64,
    /// Up to where the disk writes, or has written.
    begun: u64,
}

impl PackWriter {
    pub(super) fn create(path: &Path) -> Result<Self, IndexError> {
        let out = BufWriter::with_capacity(1 << 16, File::create(path).map_err(index_error)?);
        Ok(Self { out, ends: Vec::with_capacity(BUCKETS), written: 0, begun: 0 })
    }

    /// Bytes written so far.
    pub(super) fn written(&self) -> u64 {
        self.written
    }

    /// Adds packs of a bucket: the same as before, or a later one.
    pub(in crate::index) fn write(&mut self, bucket: usize, packs: &[u8]) -> Result<(), IndexError> {
        self.end(bucket);
        self.out.write_all(packs).map_err(index_error)?;
        self.written += packs.len() as u64;
        if self.written - self.begun >= SPREAD_BYTES {
            self.out.flush().map_err(index_error)?;
            // "Not needed any more" makes Linux begin to write pages that are dirty, and wait for nothing.
            let length = NonZeroU64::new(self.written - self.begun);
            let _is_a_favour = fadvise(self.out.get_ref(), self.begun, length, Advice::DontNeed);
            self.begun = self.written;
        }
        Ok(())
    }

    /// All buckets before this one end here, if they have not ended before.
    fn end(&mut self, bucket: usize) {
        self.ends.resize(bucket.max(self.ends.len()), U64::new(self.written));
    }

    /// Ends the file, and brings it to the disk.
    pub(super) fn finish(mut self) -> Result<(), IndexError> {
        self.end(BUCKETS);
        self.out.write_all(self.ends.as_bytes()).map_err(index_error)?;
        self.out.write_all(check(&self.ends).as_bytes()).map_err(index_error)?;
        let file = self.out.into_inner().map_err(index_error)?;
        file.sync_all().map_err(index_error)
    }
}
