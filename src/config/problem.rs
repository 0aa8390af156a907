//! What is wrong with a configuration, and where.

use std::fmt;

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// A file.
    File {
        /// The file as it was named.
        path: String,
        /// The line, counted from 1; `None` = the file as a whole.
        line: Option<usize>,
    },
    /// The environment variable of this name.
    Environment(String),
    /// The flag of this name, with its dashes.
    Flag(&'static str),
}

/// One thing to mend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where it was set.
    pub origin: Origin,
    /// Full name of the key, such as `server.cores`; `None` when the file as a whole, or its syntax, is at fault.
    pub key: Option<String>,
    /// What it was set to; `None` for what may be a secret, and where there is no value.
    pub value: Option<String>,
    /// What is wrong and what is possible, as the end of a sentence.
    pub reason: String,
    /// The valid name that was probably meant.
    pub nearest: Option<String>,
}

/// Every problem of a configuration: those of the file in order of line, then the environment's, the flags', and those
/// between several keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

/// Most characters of a value that a problem repeats.
const VALUE_CHARACTERS_MAX: usize = 60;

impl Origin {
    /// The line of a file.
    #[must_use]
    pub fn line(&self) -> Option<usize> {
        match self {
            Origin::File { line, .. } => *line,
            Origin::Default | Origin::Environment(_) | Origin::Flag(_) => None,
        }
    }
}

impl Problem {
    /// A value that its key does not take.
    pub(super) fn of_value(origin: Origin, key: &str, value: Option<&str>, reason: String) -> Self {
        Self { origin, key: Some(key.to_owned()), value: value.map(shortened), reason, nearest: None }
    }

    /// A name that is none. Its value is not shown: a mistyped `claim_tokens` holds secrets.
    pub(super) fn of_name(origin: Origin, key: &str, reason: String, nearest: Option<String>) -> Self {
        Self { origin, key: Some(key.to_owned()), value: None, reason, nearest }
    }

    /// Something that concerns no key of ours.
    pub(super) fn of_whole(origin: Origin, reason: String, nearest: Option<String>) -> Self {
        Self { origin, key: None, value: None, reason, nearest }
    }
}

impl Problems {
    /// All of `problems`, or nothing if there are none.
    pub(super) fn of(problems: Vec<Problem>) -> Option<Self> {
        if problems.is_empty() { None } else { Some(Self(problems)) }
    }

    /// The problems; at least one.
    #[must_use]
    pub fn all(&self) -> &[Problem] {
        &self.0
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => formatter.write_str("default"),
            Origin::File { path, line: Some(line) } => write!(formatter, "{path}:{line}"),
            Origin::File { path, line: None } => formatter.write_str(path),
            Origin::Environment(name) => formatter.write_str(name),
            Origin::Flag(name) => formatter.write_str(name),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: ", self.origin)?;
        match (&self.key, &self.value) {
            (Some(key), Some(value)) => write!(formatter, "{key} = {value}: ")?,
            (Some(key), None) => write!(formatter, "{key}: ")?,
            (None, _) => {}
        }
        formatter.write_str(&self.reason)?;
        match &self.nearest {
            Some(nearest) => write!(formatter, "; did you mean {nearest}?"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(formatter, "{separator}{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// One line, and not a long one.
fn shortened(value: &str) -> String {
    let mut characters = value.chars();
    let start: String = characters.by_ref().take(VALUE_CHARACTERS_MAX).collect();
    let more = if characters.next().is_some() { "…" } else { "" };
    // Quotes stay as they were written; what could break the line does not.
    let line: String =
        start.chars().map(|character| if character.is_control() { '\u{fffd}' } else { character }).collect();
    line + more
}
