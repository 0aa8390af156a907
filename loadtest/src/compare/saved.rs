//! A report that was written as JSON, as far as a comparison needs it.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use serde_json::Value;

use super::FIGURES;

/// Longest file that is read, in bytes. A report of a thousand batches takes a hundredth of it.
const FILE_BYTES_MAX: u64 = 64 << 20;

/// Parameters that say where something is and not what was done: they may differ.
const ADDRESSES: [&str; 2] = ["server", "admin"];

/// Facts outside of the parameters that make two runs different things.
const CONDITIONS: [(&str, &str); 2] = [("loop", "/loop"), ("durability", "/server/durability")];

/// Facts that the reader should know when they differ.
const SURROUNDINGS: [(&str, &str); 4] = [
    ("processor", "/machine/cpu"),
    ("cores", "/machine/cores"),
    ("kernel", "/machine/kernel"),
    ("server's cores", "/server/cores"),
];

/// What a comparison takes from a report.
#[derive(Clone, Debug, PartialEq)]
pub struct Saved {
    /// Name of its file.
    pub name: String,
    /// Whether its verification passed.
    pub passed: bool,
    /// When it began, and what was measured with what: a line for people.
    pub about: String,
    /// A value for each of [`FIGURES`].
    pub figures: Vec<f64>,
    /// What must be the same, by name.
    conditions: BTreeMap<String, Value>,
    /// What may differ and should be known, by name.
    surroundings: BTreeMap<&'static str, Value>,
}

/// Why a file is no report.
#[derive(Debug)]
pub enum SavedError {
    /// It cannot be read.
    Unreadable {
        /// The file.
        name: String,
        /// Why not.
        source: io::Error,
    },
    /// It is no JSON.
    Garbled {
        /// The file.
        name: String,
        /// What is wrong, and where.
        source: serde_json::Error,
    },
    /// It is JSON, and not a report.
    Field {
        /// The file.
        name: String,
        /// The field, as `latency_us.p99`.
        field: String,
        /// What it should be.
        wanted: &'static str,
        /// What is there; `None` = nothing.
        found: Option<String>,
    },
}

impl Saved {
    /// Reads the report at `path`.
    ///
    /// # Errors
    /// See [`SavedError`].
    pub fn read(path: &Path) -> Result<Self, SavedError> {
        let name = path.display().to_string();
        let mut text = String::new();
        let read = File::open(path).and_then(|file| file.take(FILE_BYTES_MAX).read_to_string(&mut text));
        match read {
            Ok(_) => Self::from_json(&name, &text),
            Err(source) => Err(SavedError::Unreadable { name, source }),
        }
    }

    /// Takes the report in `text`, which came from the file `name`.
    ///
    /// # Errors
    /// When it is none.
    pub fn from_json(name: &str, text: &str) -> Result<Self, SavedError> {
        let report = serde_json::from_str::<Value>(text)
            .map_err(|source| SavedError::Garbled { name: name.to_owned(), source })?;
        let fields = Fields { name, report: &report };
        let figures = FIGURES.iter().map(|figure| fields.number(figure.field)).collect::<Result<_, _>>()?;
        let parameters = fields.object("/parameters")?.iter();
        let compared = parameters.filter(|(name, _)| !ADDRESSES.contains(&name.as_str()));
        let mut conditions = compared.map(|(name, value)| (name.clone(), value.clone())).collect::<BTreeMap<_, _>>();
        for (name, field) in CONDITIONS {
            conditions.insert(name.to_owned(), fields.text(field)?.into());
        }
        let around = |(name, field)| Ok((name, fields.value(field, "a value")?.clone()));
        Ok(Self {
            name: name.to_owned(),
            passed: fields.truth("/passed")?,
            about: format!(
                "{}, server {}, loadtest {}, commit {}",
                fields.text("/started")?,
                fields.text("/server/version")?,
                fields.text("/build/version")?,
                fields.text("/build/commit")?
            ),
            figures,
            conditions,
            surroundings: SURROUNDINGS.into_iter().map(around).collect::<Result<_, _>>()?,
        })
    }

    /// What must be the same and is not, a line each.
    #[must_use]
    pub fn differences(&self, other: &Saved) -> Vec<String> {
        let names = self.conditions.keys().chain(other.conditions.keys()).collect::<std::collections::BTreeSet<_>>();
        let shown = |value: Option<&Value>| value.map_or_else(|| "not there".to_owned(), Value::to_string);
        let differing = names.into_iter().filter_map(|name| {
            let (mine, theirs) = (self.conditions.get(name), other.conditions.get(name));
            (mine != theirs).then(|| format!("{name}: {} and {}", shown(mine), shown(theirs)))
        });
        differing.collect()
    }

    /// What else differs and may explain a change, a line each.
    #[must_use]
    pub fn other_surroundings(&self, other: &Saved) -> Vec<String> {
        let pairs =
            self.surroundings.iter().zip(other.surroundings.values()).filter(|((_, mine), theirs)| mine != theirs);
        pairs.map(|((name, mine), theirs)| format!("{name}: {mine} and {theirs}")).collect()
    }
}

/// The fields of one file, each with an error that names it.
struct Fields<'a> {
    name: &'a str,
    report: &'a Value,
}

impl<'a> Fields<'a> {
    fn value(&self, field: &str, wanted: &'static str) -> Result<&'a Value, SavedError> {
        self.report.pointer(field).ok_or_else(|| self.error(field, wanted, None))
    }

    fn taken<T>(
        &self,
        field: &str,
        wanted: &'static str,
        take: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<T, SavedError> {
        let value = self.value(field, wanted)?;
        take(value).ok_or_else(|| self.error(field, wanted, Some(value)))
    }

    fn number(&self, field: &str) -> Result<f64, SavedError> {
        self.taken(field, "a number from 0 on", |value| value.as_f64().filter(|number| *number >= 0.0))
    }

    fn text(&self, field: &str) -> Result<&'a str, SavedError> {
        self.taken(field, "a text", Value::as_str)
    }

    fn truth(&self, field: &str) -> Result<bool, SavedError> {
        self.taken(field, "true or false", Value::as_bool)
    }

    fn object(&self, field: &str) -> Result<&'a serde_json::Map<String, Value>, SavedError> {
        self.taken(field, "an object", Value::as_object)
    }

    fn error(&self, field: &str, wanted: &'static str, found: Option<&Value>) -> SavedError {
        let found = found.map(|value| value.to_string().chars().take(40).collect());
        let field = field.trim_start_matches('/').replace('/', ".");
        SavedError::Field { name: self.name.to_owned(), field, wanted, found }
    }
}

impl fmt::Display for SavedError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SavedError::Unreadable { name, source } => {
                write!(formatter, "cannot read {name} ({source}): name a file that `run --json-file` wrote")
            }
            SavedError::Garbled { name, source } => {
                write!(formatter, "{name} is no JSON ({source}): name a file that `run --json-file` wrote")
            }
            SavedError::Field { name, field, wanted, found } => {
                match found {
                    Some(found) => write!(formatter, "{name}: the field `{field}` is {found} and should be {wanted}")?,
                    None => write!(formatter, "{name}: the field `{field}` is missing; it should be {wanted}")?,
                }
                formatter.write_str(": name a file that `run --json-file` of this version wrote")
            }
        }
    }
}

impl std::error::Error for SavedError {}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tests::report;
    use super::*;

    fn error(report: &str) -> String {
        Saved::from_json("b.json", report).unwrap_err().to_string()
    }

    #[test]
    fn what_is_wrong_is_named_with_file_and_field() {
        let good = report(1.0, 2.0, 3.0, 4.0);
        assert!(error("{\"claims\n").starts_with("b.json is no JSON ("));
        for (pointer, field) in [
            ("/latency_us/p99", "`latency_us.p99`"),
            ("/claims_per_s", "`claims_per_s`"),
            ("/passed", "`passed`"),
            ("/parameters", "`parameters`"),
            ("/server/durability", "`server.durability`"),
            ("/build/commit", "`build.commit`"),
        ] {
            let mut bad = good.clone();
            *bad.pointer_mut(pointer).unwrap() = json!([7]);
            let text = error(&bad.to_string());
            assert!(text.starts_with(&format!("b.json: the field {field} is [7] and should be ")), "{text}");
            let (parent, name) = pointer.rsplit_once('/').unwrap();
            bad.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name);
            let text = error(&bad.to_string());
            assert!(text.starts_with(&format!("b.json: the field {field} is missing; ")), "{text}");
        }
        let mut negative = good.clone();
        negative["latency_us"]["p50"] = json!(-1.0);
        assert!(error(&negative.to_string()).contains("`latency_us.p50` is -1.0 and should be a number from 0 on"));
    }

    #[test]
    fn all_parameters_but_addresses_must_be_the_same() {
        let saved = |report: &Value| Saved::from_json("x", &report.to_string()).unwrap();
        let one = report(1.0, 2.0, 3.0, 4.0);
        let mut other = one.clone();
        other["parameters"]["server"] = json!("elsewhere:1");
        other["parameters"]["admin"] = json!("elsewhere:2");
        other["machine"]["cores"] = json!(64);
        assert_eq!(saved(&one).differences(&saved(&other)), [""; 0]);
        assert_eq!(saved(&one).other_surroundings(&saved(&other)), ["cores: 2 and 64"]);
        other["parameters"]["connections"] = json!(17);
        other["parameters"]["window"] = json!(4);
        other["server"]["durability"] = json!("memory");
        other["loop"] = json!("open");
        assert_eq!(
            saved(&one).differences(&saved(&other)),
            [
                "connections: 16 and 17",
                "durability: \"fsync\" and \"memory\"",
                "loop: \"closed\" and \"open\"",
                "window: not there and 4"
            ]
        );
    }
}
