//! Consumers: named cursors, kept in a file that is replaced as a whole.
//!
//! ```text
//! stockade-consumers 1
//! epoch index generation name
//! ```

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use parking_lot::Mutex;

use super::Place;
use crate::limits::CONSUMERS_MAX;
use crate::types::Epoch;

const HEADING: &str = "stockade-consumers 1";

/// How far a consumer has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Consumer {
    /// Where it goes on.
    pub place: Place,
    /// The checkpoint in which the place lies, if it does.
    pub generation: u64,
}

/// See the module.
pub struct Consumers {
    path: PathBuf,
    named: Mutex<BTreeMap<String, Consumer>>,
    /// Where subscriptions are that have no stored cursor.
    visiting: Mutex<Vec<Consumer>>,
    /// Bytes of the journal that are kept for consumers.
    retained_bytes: u64,
}

/// The file cannot be used.
#[derive(Debug)]
pub enum ConsumersError {
    /// The system refused.
    Io(PathBuf, io::Error),
    /// A line is none.
    Damaged(PathBuf, usize),
    /// There are as many as there may be.
    TooMany,
}

impl Consumers {
    /// Reads the file, if there is one. `retained_bytes` of the journal are kept for those that are behind.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn open(path: &Path, retained_bytes: u64) -> Result<Self, ConsumersError> {
        let named = match fs::read_to_string(path) {
            Ok(text) => read(path, &text)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(ConsumersError::Io(path.to_owned(), error)),
        };
        Ok(Self { path: path.to_owned(), named: Mutex::new(named), visiting: Mutex::default(), retained_bytes })
    }

    /// How far the consumer of this name has come.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Consumer> {
        self.named.lock().get(name).copied()
    }

    /// All of them, in order of name.
    #[must_use]
    pub fn all(&self) -> Vec<(String, Consumer)> {
        self.named.lock().iter().map(|(name, consumer)| (name.clone(), *consumer)).collect()
    }

    /// Stores how far some have come: once this returns, it survives the loss of power.
    ///
    /// # Errors
    /// When there are too many, or the file cannot be written; then nothing has changed.
    pub fn store(&self, changes: &[(String, Consumer)]) -> Result<(), ConsumersError> {
        let mut named = self.named.lock();
        let mut changed = named.clone();
        changed.extend(changes.iter().cloned());
        if changed.len() > CONSUMERS_MAX {
            return Err(ConsumersError::TooMany);
        }
        self.write(&changed)?;
        *named = changed;
        Ok(())
    }

    /// Forgets one. False when there is none of this name.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn forget(&self, name: &str) -> Result<bool, ConsumersError> {
        let mut named = self.named.lock();
        let mut changed = named.clone();
        if changed.remove(name).is_none() {
            return Ok(false);
        }
        self.write(&changed)?;
        *named = changed;
        Ok(true)
    }

    /// Says where the subscriptions are that have no stored cursor.
    pub fn set_visiting(&self, places: Vec<Consumer>) {
        *self.visiting.lock() = places;
    }

    /// The newest epoch of the journal that nobody here needs, if `bytes_after` tells how much lies after an epoch.
    /// `replaced` is the last epoch of the checkpoint: while somebody goes through it, there must be no other.
    #[must_use]
    pub fn may_replace(&self, replaced: Epoch, bytes_after: impl Fn(Epoch) -> u64) -> Epoch {
        let mut all = self.named.lock().values().copied().collect::<Vec<_>>();
        all.extend(self.visiting.lock().iter().copied());
        let needed = all
            .into_iter()
            .map(|consumer| consumer.place.epoch)
            .filter(|epoch| bytes_after(*epoch) <= self.retained_bytes);
        needed.min().map_or(Epoch::MAX, |oldest| if oldest <= replaced { 0 } else { oldest - 1 })
    }

    fn write(&self, named: &BTreeMap<String, Consumer>) -> Result<(), ConsumersError> {
        let failed = |error| ConsumersError::Io(self.path.clone(), error);
        let mut text = format!("{HEADING}\n");
        for (name, Consumer { place, generation }) in named {
            let _strings_take_all = writeln!(text, "{} {} {generation} {name}", place.epoch, place.index);
        }
        let draft = self.path.with_extension("new");
        let options = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).clone();
        let mut file = options.open(&draft).map_err(failed)?;
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
        fs::rename(&draft, &self.path).map_err(failed)?;
        let folder = self.path.parent().unwrap_or(Path::new("."));
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)
    }
}

fn read(path: &Path, text: &str) -> Result<BTreeMap<String, Consumer>, ConsumersError> {
    let mut lines = (1..).zip(text.lines());
    let damaged = |line| ConsumersError::Damaged(path.to_owned(), line);
    if lines.next().is_none_or(|(_, heading)| heading != HEADING) {
        return Err(damaged(1));
    }
    lines.map(|(number, line)| consumer(line).ok_or_else(|| damaged(number))).collect()
}

fn consumer(line: &str) -> Option<(String, Consumer)> {
    let mut words = line.splitn(4, ' ');
    let (epoch, index) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    let generation = words.next()?.parse().ok()?;
    Some((words.next()?.to_owned(), Consumer { place: Place { epoch, index }, generation }))
}

impl fmt::Display for ConsumersError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ConsumersError::Io(path, error) => write!(formatter, "the file {} cannot be used: {error}", path.display()),
            ConsumersError::Damaged(path, line) => write!(
                formatter,
                "line {line} of {} is damaged: restore the file, or delete it; consumers then begin where they say",
                path.display()
            ),
            ConsumersError::TooMany => write!(
                formatter,
                "there are {CONSUMERS_MAX} consumers: forget those that will not come back, with `stockade feed forget`"
            ),
        }
    }
}

impl std::error::Error for ConsumersError {}
