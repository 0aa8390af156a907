//! A result as a list of named values, which is written once and looks three ways: as JSON, as lines of text, and as a
//! row of a table.

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::flags::Flags;
use super::time;

/// Spaces between a name and its value.
const GAP: usize = 2;

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// A number, or the word for there being none.
    Number(Option<u64>, &'static str),
    /// An instant, in milliseconds since 1970, or the word for there being none.
    Instant(Option<u64>, &'static str),
    /// A text.
    Text(String),
    /// One of a few words of ours, or the word for there being none.
    Word(Option<&'static str>, &'static str),
    /// Some of a few words of ours.
    Words(Vec<&'static str>),
    /// A yes or a no.
    Truth(bool),
    /// Flags of an audience.
    Flags(Flags),
    /// Records, one below the other.
    Records(Vec<Record>),
}

/// Named values, in the order in which they are shown. Names are those of the JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Record(Vec<(&'static str, Value)>);

impl Value {
    /// A number.
    pub(super) fn number(number: impl Into<u64>) -> Self {
        Value::Number(Some(number.into()), "")
    }

    /// A bound, which may be unlimited.
    pub(super) fn limit(limit: Option<impl Into<u64>>) -> Self {
        Value::Number(limit.map(Into::into), "unlimited")
    }

    /// Whether it stands to the right in a table.
    pub(super) fn is_number(&self) -> bool {
        match self {
            Value::Number(..) => true,
            Value::Instant(..)
            | Value::Text(_)
            | Value::Word(..)
            | Value::Words(_)
            | Value::Truth(_)
            | Value::Flags(_)
            | Value::Records(_) => false,
        }
    }

    /// For people.
    pub(super) fn text(&self) -> String {
        match self {
            Value::Number(number, otherwise) => number.map_or_else(|| (*otherwise).to_owned(), |it| it.to_string()),
            Value::Instant(at, otherwise) => at.map_or_else(|| (*otherwise).to_owned(), time::rfc3339),
            Value::Text(text) => text.clone(),
            Value::Word(word, otherwise) => word.unwrap_or(otherwise).to_owned(),
            Value::Words(words) => words.join(","),
            Value::Truth(truth) => if *truth { "yes" } else { "no" }.to_owned(),
            Value::Flags(flags) => flags.to_string(),
            Value::Records(records) => records.len().to_string(),
        }
    }
}

impl Record {
    /// A record without values.
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// The record with one more value.
    pub(super) fn with(mut self, name: &'static str, value: Value) -> Self {
        self.0.push((name, value));
        self
    }

    /// The record with one more value, if there is one.
    pub(super) fn with_some(self, name: &'static str, value: Option<Value>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// The record without the value of this name.
    pub(super) fn without(mut self, name: &str) -> Self {
        self.0.retain(|(other, _)| *other != name);
        self
    }

    /// The record with those of another one behind.
    pub(super) fn and(mut self, other: Record) -> Self {
        self.0.extend(other.0);
        self
    }

    /// Names, as the headings of columns.
    pub(super) fn headings(&self) -> Vec<String> {
        self.0.iter().map(|(name, _)| label(name).to_uppercase()).collect()
    }

    /// The values, as cells.
    pub(super) fn values(&self) -> impl Iterator<Item = &Value> {
        self.0.iter().map(|(_, value)| value)
    }

    /// A line for each value.
    pub(super) fn lines(&self) -> String {
        let width = self.0.iter().map(|(name, _)| name.len()).max().unwrap_or(0) + GAP;
        let line = |(name, value): &(&str, Value)| format!("{:<width$}{}", label(name), value.text());
        self.0.iter().map(|entry| line(entry).trim_end().to_owned() + "\n").collect()
    }

    /// All values in one line, each behind its name.
    pub(super) fn line(&self) -> String {
        self.0.iter().map(|(name, value)| [label(name), value.text()].join(" ")).collect::<Vec<_>>().join("  ")
    }
}

impl Serialize for Record {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Number(number, _) => number.serialize(serializer),
            Value::Instant(at, _) => at.map(time::rfc3339).serialize(serializer),
            Value::Text(text) => text.serialize(serializer),
            Value::Word(word, _) => word.serialize(serializer),
            Value::Words(words) => words.serialize(serializer),
            Value::Truth(truth) => truth.serialize(serializer),
            Value::Flags(flags) => flags.numbers().collect::<Vec<_>>().serialize(serializer),
            Value::Records(records) => records.serialize(serializer),
        }
    }
}

/// A name for people.
fn label(name: &str) -> String {
    name.replace('_', " ")
}

#[cfg(test)]
mod tests {
    use super::super::output;
    use super::*;

    fn record() -> Record {
        Record::new()
            .with("per_user", Value::limit(None::<u32>))
            .with("total", Value::number(7_u32))
            .with("ends", Value::Instant(None, "never"))
            .with("created", Value::Instant(Some(1_795_780_800_000), ""))
            .with("audience", Value::Flags(Flags(5)))
            .with("name", Value::Text(String::new()))
    }

    #[test]
    fn lines_are_aligned_and_say_what_nothing_means() {
        assert_eq!(
            record().lines(),
            "per user  unlimited\ntotal     7\nends      never\ncreated   2026-11-27T12:00:00Z\naudience  0,2\nname\n"
        );
        assert_eq!(Record::new().with("a_b", Value::Truth(true)).with("c", Value::number(1_u8)).line(), "a b yes  c 1");
    }

    #[test]
    fn json_has_the_same_names_in_the_same_order_and_null_for_nothing() {
        assert_eq!(
            output::json_text(&record()),
            "{\"per_user\":null,\"total\":7,\"ends\":null,\"created\":\"2026-11-27T12:00:00Z\",\"audience\":[0,2],\
             \"name\":\"\"}"
        );
    }
}
