//! A TOML file: which keys it sets on which lines, and what in it is none of ours.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::field::Given;
use super::keys::{self, KEYS, Key};
use super::problem::{Origin, Problem};

/// A file taken apart.
pub(super) struct Document<'a> {
    name: &'a str,
    found: Vec<Found<'a>>,
    /// What can be said without looking at values: broken syntax and unknown names.
    pub(super) problems: Vec<Problem>,
    /// Keys that it may have meant to set and did not.
    pub(super) doubtful: Vec<&'static str>,
}

struct Found<'a> {
    key: &'static Key,
    line: usize,
    value: Spanned<DeValue<'a>>,
}

/// Takes `text` apart; `name` is what problems call it.
pub(super) fn read<'a>(name: &'a str, text: &'a str) -> Document<'a> {
    let (root, errors) = DeTable::parse_recoverable(text);
    let mut document = Document { name, found: Vec::new(), problems: Vec::new(), doubtful: Vec::new() };
    for error in &errors {
        // The error's own rendering repeats the line, and with it perhaps a token: only its message is used.
        let origin = Origin::File { path: name.to_owned(), line: error.span().map(|span| line_at(text, &span)) };
        // One mistake makes the parser stumble several times: the first on a line is the one to mend.
        if document.problems.last().is_none_or(|last| last.origin != origin) {
            document.problems.push(Problem::of_whole(origin, format!("broken TOML: {}", error.message()), None));
        }
    }
    if !errors.is_empty() {
        document.doubtful.extend(KEYS.iter().map(|key| key.path));
    }
    for (table, content) in root.into_inner() {
        document.take_table(text, &table, content);
    }
    document
}

impl<'a> Document<'a> {
    /// The keys that are ours, with their origin, their value and its text.
    pub(super) fn settings(
        &self,
        text: &'a str,
    ) -> impl Iterator<Item = (&'static Key, Origin, Given<'_>, &'a str)> + use<'_, 'a> {
        self.found.iter().map(move |found| {
            let written = text.get(found.value.span()).unwrap_or_default();
            (found.key, self.origin(found.line), Given::Toml(found.value.get_ref()), written)
        })
    }

    fn origin(&self, line: usize) -> Origin {
        Origin::File { path: self.name.to_owned(), line: Some(line) }
    }

    fn take_table(&mut self, text: &str, table: &Spanned<impl AsRef<str>>, content: Spanned<DeValue<'a>>) {
        let name = table.get_ref().as_ref();
        let line = line_at(text, &table.span());
        let is_known = KEYS.iter().any(|key| key.table() == name);
        match content.into_inner() {
            DeValue::Table(content) if is_known => {
                for (key, value) in content {
                    self.take_key(text, name, &key, value);
                }
            }
            DeValue::Table(_) => self.refuse_table(name, line),
            _ if is_known => {
                let reason = format!("must be a table; write [{name}] on a line of its own and its keys below");
                self.problems.push(Problem::of_name(self.origin(line), name, reason, None));
            }
            _ => self.refuse_key(name, line),
        }
    }

    fn take_key(&mut self, text: &str, table: &str, name: &Spanned<impl AsRef<str>>, value: Spanned<DeValue<'a>>) {
        let line = line_at(text, &name.span());
        let path = format!("{table}.{}", name.get_ref().as_ref());
        match keys::find(&path) {
            Some(key) => self.found.push(Found { key, line, value }),
            None => self.refuse_key(&path, line),
        }
    }

    fn refuse_table(&mut self, name: &str, line: usize) {
        let nearest = nearest_of(name, KEYS.iter().map(Key::table));
        let reason = match nearest {
            Some(_) => "unknown table".to_owned(),
            None => format!("unknown table; the tables are {}", tables()),
        };
        self.doubtful.extend(KEYS.iter().filter(|key| Some(key.table()) == nearest).map(|key| key.path));
        let nearest = nearest.map(|table| format!("[{table}]"));
        self.problems.push(Problem::of_name(self.origin(line), &format!("[{name}]"), reason, nearest));
    }

    /// An unknown key; `path` has no table when it stands above all of them.
    fn refuse_key(&mut self, path: &str, line: usize) {
        let nearest = nearest_key(path);
        let reason = match (nearest, path.split_once('.')) {
            (Some(_), _) => "unknown key".to_owned(),
            (None, Some((table, _))) => format!("unknown key; [{table}] has {}", names(table)),
            (None, None) => format!("unknown key; keys stand below a table, one of {}", tables()),
        };
        self.doubtful.extend(nearest);
        self.problems.push(Problem::of_name(self.origin(line), path, reason, nearest.map(str::to_owned)));
    }
}

/// The key that was probably meant by `path`: the same name in its right table, or the most similar one.
fn nearest_key(path: &str) -> Option<&'static str> {
    let (table, name) = path.split_once('.').unwrap_or(("", path));
    let same = KEYS.iter().find(|key| key.name() == name).map(|key| key.path);
    let similar = |candidates: &dyn Fn(&&Key) -> bool| {
        let nearest = nearest_of(name, KEYS.iter().filter(candidates).map(Key::name))?;
        KEYS.iter().filter(candidates).find(|key| key.name() == nearest).map(|key| key.path)
    };
    same.or_else(|| similar(&|key| key.table() == table)).or_else(|| similar(&|_| true))
}

/// The most similar candidate, if it is similar enough to be what was meant: two letters of five may differ.
fn nearest_of(name: &str, candidates: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    let distance = |candidate: &str| strsim::damerau_levenshtein(&name.to_ascii_lowercase(), candidate);
    candidates
        .map(|candidate| (distance(candidate), candidate))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, candidate)| distance * 5 <= candidate.len() * 2)
        .map(|(_, candidate)| candidate)
}

fn tables() -> String {
    let mut tables: Vec<&str> = KEYS.iter().map(Key::table).collect();
    tables.dedup();
    tables.iter().map(|table| format!("[{table}]")).collect::<Vec<_>>().join(", ")
}

fn names(table: &str) -> String {
    KEYS.iter().filter(|key| key.table() == table).map(Key::name).collect::<Vec<_>>().join(", ")
}

/// The line on which a span begins, counted from 1.
fn line_at(text: &str, span: &Range<usize>) -> usize {
    text.get(..span.start).unwrap_or(text).matches('\n').count() + 1
}
