//! The files of this repository as the habit tests read them, and Rust text with only its code left.

use std::fs;
use std::path::{Path, PathBuf};

/// Hidden folders that belong to the project.
const HIDDEN_FOLDERS: &[&str] = &[".cargo", ".ci", ".github"];

/// One text file. `path` is relative to the repository, with `/` between its parts.
pub(crate) struct Source {
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Source {
    pub(crate) fn new(path: &str, text: impl Into<String>) -> Self {
        Self { path: path.to_owned(), text: text.into() }
    }

    pub(crate) fn is_rust(&self) -> bool {
        Path::new(&self.path).extension().is_some_and(|extension| extension == "rs")
    }
}

/// The repository's root, the folder of the package whose test runs.
pub(crate) fn root() -> PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).expect("cargo sets CARGO_MANIFEST_DIR for a test it runs")
}

/// Every text file of the repository, sorted; build results and foreign hidden folders are left out.
pub(crate) fn files(root: &Path) -> Vec<Source> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the repository can be read") {
            let path = entry.expect("a folder of the repository can be listed").path();
            let name = path.file_name().and_then(|name| name.to_str()).expect("file names here are UTF-8").to_owned();
            if path.is_dir() {
                let foreign = name == "target" || (name.starts_with('.') && !HIDDEN_FOLDERS.contains(&name.as_str()));
                if !foreign {
                    folders.push(path);
                }
            } else if let Ok(text) = fs::read_to_string(&path) {
                let path = path.strip_prefix(root).expect("the walk stays below the root");
                found.push(Source::new(&path.to_str().expect("file names here are UTF-8").replace('\\', "/"), text));
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// Rust text with comments, strings and character literals blanked. Every line and column stays where it was.
pub(crate) fn code(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let end = literal_end(&chars, at);
        if end == at {
            out.push(chars[at]);
            at += 1;
        } else {
            out.extend(chars[at..end].iter().map(|&c| if c == '\n' { '\n' } else { ' ' }));
            at = end;
        }
    }
    out
}

/// Where the comment or literal that begins at `at` ends; `at` itself if none begins there.
fn literal_end(chars: &[char], at: usize) -> usize {
    let next = |ahead: usize| chars.get(at + ahead).copied().unwrap_or('\0');
    let after_word = at > 0 && (chars[at - 1].is_alphanumeric() || chars[at - 1] == '_');
    match chars[at] {
        '/' if next(1) == '/' => chars[at..].iter().position(|&c| c == '\n').map_or(chars.len(), |length| at + length),
        '/' if next(1) == '*' => block_comment_end(chars, at),
        '"' => string_end(chars, at + 1),
        'r' | 'b' | 'c' if !after_word => prefixed_string_end(chars, at),
        '\'' if next(1) == '\\' => {
            let close = chars[at + 3..].iter().position(|&c| c == '\'');
            close.map_or(chars.len(), |length| at + 3 + length + 1)
        }
        '\'' if next(2) == '\'' && next(1) != '\'' => at + 3,
        _ => at,
    }
}

fn block_comment_end(chars: &[char], start: usize) -> usize {
    let mut depth = 0_u32;
    let mut at = start;
    while at < chars.len() {
        match (chars[at], chars.get(at + 1)) {
            ('/', Some('*')) => depth += 1,
            ('*', Some('/')) => depth -= 1,
            _ => {
                at += 1;
                continue;
            }
        }
        at += 2;
        if depth == 0 {
            return at;
        }
    }
    chars.len()
}

/// The end of a string whose opening quote is just before `at`.
fn string_end(chars: &[char], mut at: usize) -> usize {
    while at < chars.len() {
        match chars[at] {
            '\\' => at += 2,
            '"' => return at + 1,
            _ => at += 1,
        }
    }
    chars.len()
}

/// The end of `b"…"`, `c"…"`, `r"…"`, `br#"…"#` and so on; `start` itself if this is only a word.
fn prefixed_string_end(chars: &[char], start: usize) -> usize {
    let letters = chars[start..].iter().take_while(|c| matches!(c, 'r' | 'b' | 'c')).count();
    let hashes = chars[start + letters..].iter().take_while(|&&c| c == '#').count();
    let quote = start + letters + hashes;
    if letters > 2 || chars.get(quote) != Some(&'"') {
        return start;
    }
    if !chars[start..start + letters].contains(&'r') {
        return string_end(chars, quote + 1);
    }
    let closing: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
    let found = chars[quote + 1..].windows(closing.len()).position(|window| window == closing);
    found.map_or(chars.len(), |length| quote + 1 + length + closing.len())
}

#[test]
fn only_code_is_left() {
    let text = "let a = \"x // \\\" y\"; // why\nlet b = 'c'; let d: &'a str = r#\"e \" f\"#;\n\
                /* g /* h */ i\n*/ j('\\'', b\"k\")";
    let left = code(text);
    let words: Vec<&str> = left.split_whitespace().collect();
    assert_eq!(
        words,
        ["let", "a", "=", ";", "let", "b", "=", ";", "let", "d:", "&'a", "str", "=", ";", "j(", ",", ")"]
    );
    assert_eq!(left.lines().count(), text.lines().count());
    assert_eq!(left.chars().count(), text.chars().count());
}
