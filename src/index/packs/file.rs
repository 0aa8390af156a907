//! One file of packs.
//!
//! ```text
//! packs   bucket after bucket; see pack.rs
//! ends    u64 for each bucket: where its packs end
//! check   u64: hash of the ends
//! ```

use std::fs::File;
use std::io::ErrorKind;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::xxh3_64;
use zerocopy::IntoBytes;
use zerocopy::little_endian::U64;

use crate::index::BUCKETS;
use crate::index::error::{IndexError, index_error};
use crate::types::Epoch;

/// How a file's name ends.
const SUFFIX: &str = ".packs";

/// The epochs whose events a file has: those after `after`, up to `through`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) after: Epoch,
    pub(super) through: Epoch,
}

/// See the module.
#[derive(Debug)]
pub(in crate::index) struct PackFile {
    path: PathBuf,
    file: File,
    span: Span,
    ends: Box<[U64]>,
}

impl Span {
    /// The span that the name of a file tells, if it is one.
    pub(super) fn of(path: &Path) -> Option<Self> {
        let (after, through) = path.file_name()?.to_str()?.strip_suffix(SUFFIX)?.split_once('-')?;
        Some(Self { after: after.parse().ok()?, through: through.parse().ok()? })
    }

    pub(super) fn name(self) -> String {
        format!("{}-{}{SUFFIX}", self.after, self.through)
    }

    pub(super) fn draft_name(self) -> String {
        format!("{}.draft", self.name())
    }
}

/// The hash of where all buckets end.
pub(super) fn check(ends: &[U64]) -> U64 {
    U64::new(xxh3_64(ends.as_bytes()))
}

impl PackFile {
    pub(super) fn open(path: &Path, span: Span) -> Result<Self, IndexError> {
        let file = File::open(path).map_err(index_error)?;
        let length = file.metadata().map_err(index_error)?.len();
        let mut tail = vec![U64::ZERO; BUCKETS + 1];
        let bytes = tail.as_mut_bytes();
        let packs = length.saturating_sub(bytes.len() as u64);
        match file.read_exact_at(bytes, packs) {
            Err(error) if error.kind() != ErrorKind::UnexpectedEof => {
                return Err(index_error(format!("{}: {error}", path.display())));
            }
            // A file that is too short has no such hash.
            Ok(()) | Err(_) => {}
        }
        let (ends, told) = (&tail[..BUCKETS], tail[BUCKETS]);
        let is_whole = told == check(ends) && ends.is_sorted() && ends[BUCKETS - 1] == packs;
        if !is_whole {
            return Err(IndexError::damage(format!("{} is damaged", path.display())));
        }
        Ok(Self { path: path.into(), file, span, ends: ends.into() })
    }

    pub(super) fn span(&self) -> Span {
        self.span
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes of all packs.
    pub(super) fn bytes(&self) -> u64 {
        self.ends[BUCKETS - 1].get()
    }

    /// Reads the packs of some buckets into `bytes`, in place of what is there.
    pub(super) fn read(&self, buckets: Range<usize>, bytes: &mut Vec<u8>) -> Result<(), IndexError> {
        let (start, end) = (self.end_of(buckets.start), self.end_of(buckets.end));
        bytes.resize(usize::try_from(end - start).map_err(index_error)?, 0);
        self.file.read_exact_at(bytes, start).map_err(|error| index_error(format!("{}: {error}", self.path.display())))
    }

    /// Bytes of the packs of a bucket.
    pub(super) fn bytes_of(&self, bucket: usize) -> usize {
        usize::try_from(self.end_of(bucket + 1) - self.end_of(bucket)).unwrap_or(usize::MAX)
    }

    /// Where the buckets before this one end.
    fn end_of(&self, bucket: usize) -> u64 {
        bucket.checked_sub(1).map_or(0, |before| self.ends[before].get())
    }

    pub(super) fn damaged(&self, bucket: usize) -> IndexError {
        IndexError::damage(format!("bucket {bucket} of {} is damaged", self.path.display()))
    }
}
