//! The data folder: who may use it, what it is, what lies in it.
//!
//! ```text
//! FORMAT    format number and store id, in text
//! LOCK      held by the running process
//! ledger    the commit ledger
//! ballast   disk space to give back in need
//! rocksdb/  the store
//! drafts/   checkpoints that are being written; may be deleted while no server runs
//! consumers how far the consumers of the feed have come, in text
//! index/    what readers read; may be deleted while no server runs, and is then made anew of what the store has
//! ```

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::hash::BuildHasher;
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::{fmt, process};

use super::ledger::{Ledger, Mark};
use super::rocks::{RocksOptions, RocksStore};
use super::space::create_ballast;
use super::store::StoreError;

/// Number of the folder's format. A folder with another one is refused. (1 had groups of claims alone.)
const FORMAT: u32 = 2;

/// What `FORMAT` is called while it is written.
const FORMAT_DRAFT: &str = "FORMAT.new";

/// A data folder that this process holds.
pub struct Folder {
    path: PathBuf,
    store_id: u64,
    _lock: File,
}

/// Why a folder cannot be used. Nothing was changed in it.
#[derive(Debug)]
pub enum FolderError {
    /// It is not there, and it should be.
    NotFound(PathBuf),
    /// Another process holds it.
    InUse(PathBuf, String),
    /// There are files in it, but no `FORMAT`.
    NotOurs(PathBuf),
    /// Its `FORMAT` is not readable.
    FormatDamaged(PathBuf),
    /// It was written by a newer program.
    NewerFormat(PathBuf, u32),
    /// It was written by an older program, in a format that this one does not read.
    OlderFormat(PathBuf, u32),
    /// The system refused.
    Io(PathBuf, io::Error),
    /// The store in it does not open.
    Store(PathBuf, StoreError),
    /// The store in it is gone, although the ledger witnessed groups.
    StoreMissing(PathBuf, Mark),
}

impl Folder {
    /// Takes the folder for this process, and creates it if it is not there.
    ///
    /// # Errors
    /// When it cannot be used; then nothing was changed in it.
    pub fn open(path: &Path) -> Result<Self, FolderError> {
        if !path.exists() {
            let created = DirBuilder::new().recursive(true).mode(0o700).create(path);
            created.map_err(|error| FolderError::Io(path.to_owned(), error))?;
        }
        Self::take(path, true)
    }

    /// Takes a folder that must exist, to read it.
    ///
    /// # Errors
    /// When it cannot be used.
    pub fn open_existing(path: &Path) -> Result<Self, FolderError> {
        if !path.join("FORMAT").exists() {
            return Err(if path.is_dir() {
                FolderError::NotOurs(path.to_owned())
            } else {
                FolderError::NotFound(path.to_owned())
            });
        }
        Self::take(path, false)
    }

    fn take(path: &Path, create: bool) -> Result<Self, FolderError> {
        let io_error = |error| FolderError::Io(path.to_owned(), error);
        let format = path.join("FORMAT");
        let others = fs::read_dir(path).map_err(io_error)?.filter_map(Result::ok);
        // The draft stays behind when the very first start is interrupted.
        let is_ours = |name: &OsStr| name == "LOCK" || name == FORMAT_DRAFT;
        if !format.exists() && others.into_iter().any(|entry| !is_ours(&entry.file_name())) {
            return Err(FolderError::NotOurs(path.to_owned()));
        }
        if format.exists() {
            // Before anything is written.
            read_format(path, &format)?;
        }
        let lock = lock(path)?;
        // Looked at again: another process may have created it meanwhile.
        let store_id = if format.exists() {
            read_format(path, &format)?
        } else if create {
            write_format(path, &format).map_err(io_error)?
        } else {
            return Err(FolderError::NotOurs(path.to_owned()));
        };
        Ok(Self { path: path.to_owned(), store_id, _lock: lock })
    }

    /// Identity of the data: the same after every restart on it.
    #[must_use]
    pub fn store_id(&self) -> u64 {
        self.store_id
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The newest group that the ledger witnessed.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn witnessed(&self) -> Result<Option<Mark>, FolderError> {
        Ledger::read(&self.path.join("ledger"), self.store_id).map_err(|error| self.io(error))
    }

    /// Opens the ledger for writing.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn ledger(&self) -> Result<Ledger, FolderError> {
        Ledger::open(&self.path.join("ledger"), self.store_id).map_err(|error| self.io(error))
    }

    /// Makes sure that the ballast is there. Skipped when the disk has no room: it may just have been given back.
    #[must_use]
    pub fn ballast(&self, bytes: u64) -> bool {
        create_ballast(&self.path.join("ballast"), bytes).is_ok()
    }

    /// Opens what was stored for reading, if anything was; changes nothing.
    ///
    /// # Errors
    /// When it is gone or does not open.
    pub fn stored(&self) -> Result<Option<RocksStore>, FolderError> {
        if self.is_stored()? { self.store_read_only().map(Some) } else { Ok(None) }
    }

    /// Opens the store, and creates it if nothing was ever stored. RocksDB then rewrites its log, and what it could not
    /// read of it is gone: read it with [`Folder::stored`] before.
    ///
    /// # Errors
    /// When it is gone or does not open.
    pub fn store(&self, options: RocksOptions) -> Result<RocksStore, FolderError> {
        let create = !self.is_stored()?;
        RocksStore::open(&self.rocksdb(), options, create).map_err(|error| self.broken(error))
    }

    /// Opens the store for reading; changes nothing.
    ///
    /// # Errors
    /// When it is gone or does not open.
    pub fn store_read_only(&self) -> Result<RocksStore, FolderError> {
        RocksStore::open_read_only(&self.rocksdb()).map_err(|error| self.broken(error))
    }

    fn is_stored(&self) -> Result<bool, FolderError> {
        let folder = self.rocksdb();
        let exists = folder.join("CURRENT").exists();
        let stored = exists && RocksStore::has_journal(&folder).map_err(|error| self.broken(error))?;
        match self.witnessed()? {
            Some(mark) if !stored => Err(FolderError::StoreMissing(self.path.clone(), mark)),
            Some(_) | None => Ok(stored),
        }
    }

    /// Where checkpoints are drafted.
    #[must_use]
    pub fn drafts(&self) -> PathBuf {
        self.path.join("drafts")
    }

    /// Where the index is.
    #[must_use]
    pub fn index(&self) -> PathBuf {
        self.path.join("index")
    }

    /// Where the cursors of the feed's consumers are.
    #[must_use]
    pub fn consumers(&self) -> PathBuf {
        self.path.join("consumers")
    }

    fn rocksdb(&self) -> PathBuf {
        self.path.join("rocksdb")
    }

    fn broken(&self, error: StoreError) -> FolderError {
        FolderError::Store(self.path.clone(), error)
    }

    fn io(&self, error: io::Error) -> FolderError {
        FolderError::Io(self.path.clone(), error)
    }
}

fn lock(path: &Path) -> Result<File, FolderError> {
    let io_error = |error| FolderError::Io(path.to_owned(), error);
    let options = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).clone();
    let mut file = options.open(path.join("LOCK")).map_err(io_error)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            let _only_for_the_message = file.read_to_string(&mut holder);
            return Err(FolderError::InUse(path.to_owned(), holder.trim().to_owned()));
        }
        Err(TryLockError::Error(error)) => return Err(io_error(error)),
    }
    file.set_len(0).map_err(io_error)?;
    write!(file, "{}", process::id()).map_err(io_error)?;
    Ok(file)
}

fn read_format(path: &Path, format: &Path) -> Result<u64, FolderError> {
    let text = fs::read_to_string(format).map_err(|error| FolderError::Io(path.to_owned(), error))?;
    let damaged = || FolderError::FormatDamaged(path.to_owned());
    let mut lines = text.lines();
    let number = lines.next().and_then(|line| line.strip_prefix("stockade-data ")).ok_or_else(damaged)?;
    let number = number.parse::<u32>().map_err(|_| damaged())?;
    if number > FORMAT {
        return Err(FolderError::NewerFormat(path.to_owned(), number));
    }
    if number < FORMAT {
        return Err(FolderError::OlderFormat(path.to_owned(), number));
    }
    let id = lines.next().and_then(|line| line.strip_prefix("store-id ")).ok_or_else(damaged)?;
    u64::from_str_radix(id, 16).map_err(|_| damaged())
}

fn write_format(path: &Path, format: &Path) -> io::Result<u64> {
    // The standard library's hash keys are the system's random numbers.
    let store_id = std::hash::RandomState::new().hash_one(process::id()) | 1;
    let draft = path.join(FORMAT_DRAFT);
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    write!(file, "stockade-data {FORMAT}\nstore-id {store_id:016x}\n")?;
    file.sync_all()?;
    fs::rename(&draft, format)?;
    File::open(path)?.sync_all()?;
    Ok(store_id)
}

impl fmt::Display for FolderError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FolderError::NotFound(path) => {
                write!(formatter, "there is no data folder {}: check the path", path.display())
            }
            FolderError::InUse(path, holder) => write!(
                formatter,
                "the data folder {} is in use by process {holder}: stop that server first, or choose another \
                 folder with --data",
                path.display()
            ),
            FolderError::NotOurs(path) => write!(
                formatter,
                "{} is not a Stockade data folder (it has no file FORMAT): choose an empty folder with --data",
                path.display()
            ),
            FolderError::FormatDamaged(path) => {
                write!(formatter, "the file FORMAT in {} is damaged: restore the folder from a backup", path.display())
            }
            FolderError::NewerFormat(path, found) => write!(
                formatter,
                "the data folder {} has format {found}, this program reads up to {FORMAT}: use a newer stockade",
                path.display()
            ),
            FolderError::OlderFormat(path, found) => write!(
                formatter,
                "the data folder {} has format {found}, this program reads only {FORMAT}: let the stockade that wrote \
                 it end its batches, then choose an empty folder with --data",
                path.display()
            ),
            FolderError::Io(path, error) => {
                write!(formatter, "the data folder {} cannot be used: {error}", path.display())
            }
            FolderError::Store(path, error) => write!(
                formatter,
                "the store in {} does not open: {error}; if the disk is full, delete the file ballast in it, \
                 otherwise restore a backup",
                path.display()
            ),
            FolderError::StoreMissing(path, mark) => write!(
                formatter,
                "the store in {} is gone, although epoch {} was acknowledged: restore the folder rocksdb from a backup",
                path.display(),
                mark.epoch
            ),
        }
    }
}

impl std::error::Error for FolderError {}
