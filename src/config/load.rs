//! The layers, put on one another in order.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::field::{Given, Shown};
use super::keys::{self, FILE_BYTES_MAX, KEYS, Key};
use super::problem::{Origin, Problem, Problems};
use super::values::Config;
use super::{document, environment, relations};

/// Takes the layers one after the other, each over the last, and gathers what is wrong in any of them.
///
/// ```
/// use stockade::config::Loader;
///
/// let loaded = Loader::new().text("example.toml", "[server]\ncores = 2\n").finish().expect("nothing is wrong");
/// assert_eq!(loaded.config().server.cores, 2);
/// ```
#[derive(Default)]
pub struct Loader {
    config: Config,
    origins: BTreeMap<&'static str, Origin>,
    /// Keys whose value was refused or misspelt, and not set by a stronger layer: what stands in their place is not
    /// what was meant, so relations with it say nothing.
    refused: BTreeSet<&'static str>,
    problems: Vec<Problem>,
}

/// A configuration without problems, and where each value came from.
#[derive(Clone, Debug)]
pub struct Loaded {
    config: Config,
    origins: BTreeMap<&'static str, Origin>,
}

/// One key of a loaded configuration.
#[derive(Clone, Debug)]
pub struct Effective {
    /// Table and name.
    pub key: &'static str,
    /// Its value, secrets hidden.
    pub value: Shown,
    /// Which layer set it last.
    pub origin: Origin,
    /// The environment variable that could.
    pub environment: String,
    /// What the value must be.
    pub bound: String,
}

impl Loader {
    /// Nothing set: the defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Lays the file at `path` on top.
    #[must_use]
    pub fn file(mut self, path: &Path) -> Self {
        let name = path.display().to_string();
        match read(path) {
            Ok(text) => self.text(&name, &text),
            Err(reason) => {
                self.refused.extend(KEYS.iter().map(|key| key.path));
                self.problems.push(Problem::of_whole(Origin::File { path: name, line: None }, reason, None));
                self
            }
        }
    }

    /// Lays the text of a file on top; `name` is what problems call it.
    #[must_use]
    pub fn text(mut self, name: &str, text: &str) -> Self {
        let read = document::read(name, text);
        let before = self.problems.len();
        for (key, origin, given, value) in read.settings(text) {
            self.assign(key, &origin, given, value);
        }
        self.refused.extend(read.doubtful);
        self.problems.extend(read.problems);
        self.problems[before..].sort_by_key(|problem| problem.origin.line());
        self
    }

    /// Lays the environment on top. Variables that have nothing to do with Stockade are passed over.
    #[must_use]
    pub fn environment(mut self, variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        for found in environment::select(variables) {
            match found {
                Ok((key, name, value)) => {
                    let shown = value.to_string_lossy();
                    self.assign(key, &Origin::Environment(name), Given::Outside(&value), &shown);
                }
                Err((key, problem)) => {
                    self.refused.insert(key.path);
                    self.problems.push(problem);
                }
            }
        }
        self
    }

    /// Lays one flag on top.
    ///
    /// # Panics
    /// When there is no such key: flags are ours.
    #[must_use]
    pub fn flag(mut self, flag: &'static str, key: &str, value: &OsStr) -> Self {
        let key = keys::find(key).expect("a flag sets a key that exists");
        self.assign(key, &Origin::Flag(flag), Given::Outside(value), &value.to_string_lossy());
        self
    }

    /// The whole.
    ///
    /// # Errors
    /// Everything that is wrong in any layer or between keys.
    pub fn finish(mut self) -> Result<Loaded, Problems> {
        let loaded = Loaded { config: self.config, origins: self.origins };
        for broken in relations::broken(&loaded.config) {
            if broken.keys.iter().any(|key| self.refused.contains(key)) {
                continue;
            }
            let key = broken.keys[0];
            let shown = |key: &&Key| key.field.show(&loaded.config).to_string();
            let value = keys::find(key).filter(|key| !key.field.is_secret()).as_ref().map(shown);
            self.problems.push(Problem::of_value(loaded.origin(key), key, value.as_deref(), broken.reason));
        }
        match Problems::of(self.problems) {
            None => Ok(loaded),
            Some(problems) => Err(problems),
        }
    }

    fn assign(&mut self, key: &'static Key, origin: &Origin, given: Given<'_>, shown: &str) {
        match key.field.assign(&mut self.config, given) {
            Ok(()) => {
                self.refused.remove(key.path);
                self.origins.insert(key.path, origin.clone());
            }
            Err(reason) => {
                let value = (!key.field.is_secret()).then_some(shown);
                self.refused.insert(key.path);
                self.problems.push(Problem::of_value(origin.clone(), key.path, value, reason));
            }
        }
    }
}

impl Loaded {
    /// The values.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The values, without their origins.
    #[must_use]
    pub fn into_config(self) -> Config {
        self.config
    }

    /// Every key as it stands, in the order of the shipped file.
    pub fn effective(&self) -> impl Iterator<Item = Effective> {
        KEYS.iter().map(|key| Effective {
            key: key.path,
            value: key.field.show(&self.config),
            origin: self.origin(key.path),
            environment: key.environment(),
            bound: key.field.bound(),
        })
    }

    fn origin(&self, key: &str) -> Origin {
        self.origins.get(key).cloned().unwrap_or(Origin::Default)
    }
}

/// The text of a file of a sensible size, or what is wrong with it.
fn read(path: &Path) -> Result<String, String> {
    let unreadable = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => "there is no such file; name one that exists, or leave it out".to_owned(),
        io::ErrorKind::InvalidData => "is no UTF-8 text; name a TOML file".to_owned(),
        _ => format!("cannot be read ({error}); make it readable for the user that runs the server"),
    };
    let mut text = String::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text).map_err(unreadable)?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(format!("is longer than {FILE_BYTES_MAX} bytes; name a configuration file"));
    }
    Ok(text)
}
