//! The rules of style that a machine can check, as a test over every file of the repository.
//!
//! [`RULES`] is the list. Each rule has a sample that it must catch and one that it must let pass, so that no rule can
//! fall asleep. Most rules read code only: a comment or a string cannot break them, nor hide a break.

mod source_tree;

use std::net::Ipv4Addr;
use std::path::Path;

use source_tree::{Source, code, files, root};

const FILE_LINES_MAX: usize = 400;
const TEST_FILE_LINES_MAX: usize = 600;
const FUNCTION_LINES_MAX: usize = 70;
const LINE_CHARS_MAX: usize = 120;

/// A sleep in a test needs this comment on its line or above it, and the reason behind it.
const SLEEP_MARK: &str = "// sleep:";
const SLEEP_REASON_CHARS_MIN: usize = 15;

/// Names that say nothing about what is inside: a function lives with the noun that it serves.
const EMPTY_NAMES: &[&str] = &["common", "helper", "helpers", "misc", "util", "utils"];

/// Hosts that a link may lead to, besides addresses in numbers. Every reader can reach them.
const HOSTS: &[&str] = &[
    "[::1]",
    "example.invalid",
    "github.com",
    "keepachangelog.com",
    "localhost",
    "rustup.rs",
    "semver.org",
    "www.apache.org",
    // The name of SVG, not a link.
    "www.w3.org",
];

/// Written in two pieces, or this file would break its own rule.
const UNFINISHED: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];
const MACHINE_FOLDERS: &[&str] =
    &[concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/Us", "ers/")];
const REGISTRY_HOSTS: &[&str] = &[
    concat!("index.", "crates.io"),
    concat!("static.", "crates.io"),
    concat!("py", "pi.org"),
    concat!("pythonhosted", ".org"),
    concat!("registry.", "npmjs"),
    concat!("deb.", "debian.org"),
];

/// What is wrong, and on which line (from one).
type Finding = (usize, String);

struct Rule {
    name: &'static str,
    check: fn(&Source) -> Vec<Finding>,
    /// Must be caught.
    bad: fn() -> Source,
    /// Must pass.
    good: fn() -> Source,
}

const RULES: &[Rule] = &[
    Rule {
        name: "a file fits in 400 lines, a test file in 600",
        check: file_length,
        bad: || Source::new("src/a.rs", "//\n".repeat(FILE_LINES_MAX + 1)),
        good: || Source::new("tests/a.rs", "//\n".repeat(TEST_FILE_LINES_MAX)),
    },
    Rule {
        name: "a function fits in 70 lines",
        check: function_length,
        bad: || {
            Source::new(
                "src/a.rs",
                format!("impl A {{\n    fn f<T>(x: T)\n    {{{}}}\n}}", "\n".repeat(FUNCTION_LINES_MAX)),
            )
        },
        good: || {
            let body = "\n".repeat(FUNCTION_LINES_MAX - 1);
            Source::new("src/a.rs", format!("trait A {{ fn a(); }}\nfn f(g: fn() -> u8) {{{body}}}\nfn h() {{{body}}}"))
        },
    },
    Rule {
        name: "a line fits in 120 characters",
        check: line_length,
        bad: || Source::new("src/a.rs", format!("//{}", "é".repeat(LINE_CHARS_MAX - 1))),
        good: || Source::new("src/a.rs", format!("//{}", "é".repeat(LINE_CHARS_MAX - 2))),
    },
    Rule {
        name: "an exception from a lint is an expect with a reason",
        check: lint_exceptions,
        bad: || Source::new("tests/a.rs", "#![ allow (dead_code)]"),
        good: || {
            Source::new("src/a.rs", "#[expect(dead_code, reason = \"x\")] fn allow() { allow(1); } // #[allow(x)]")
        },
    },
    Rule {
        name: "nothing is left for later",
        check: unfinished_work,
        bad: || Source::new("scripts/a.sh", format!("# {}: later", UNFINISHED[0])),
        good: || Source::new("src/a.rs", format!("//! {}S", UNFINISHED[0])),
    },
    Rule {
        name: "no debugging output",
        check: debugging_output,
        bad: || Source::new("src/a.rs", "fn f() { dbg!(1); }"),
        good: || Source::new("src/a.rs", "fn f() { g(\"dbg!(1)\"); }"),
    },
    Rule {
        name: "no unwrap outside tests",
        check: unwraps,
        bad: || Source::new("client/src/a.rs", "#[cfg(test)]\nmod t { }\nfn f() { x\n.unwrap(); }"),
        good: || Source::new("src/a.rs", "#[cfg(test)]\nmod t { fn f() { x.unwrap(); } }\nfn g() { y.unwrap_or(1); }"),
    },
    Rule {
        name: "no test sleeps, unless `// sleep:` says why",
        check: sleeps,
        bad: || {
            Source::new(
                "src/a.rs",
                "fn f() { sleep(1); }\n#[cfg(all(test, unix))]\nmod t { fn f() { std::thread::sleep(A); } }",
            )
        },
        good: || Source::new("tests/a.rs", "// sleep: the clock itself is under test here\nsleep(A);\nfn f() { g(); }"),
    },
    Rule {
        name: "a file begins with what it is",
        check: opening_comment,
        bad: || Source::new("benches/a.rs", "/// What.\nuse std::fmt;"),
        good: || Source::new("benches/a.rs", "//! What."),
    },
    Rule {
        name: "a name says what is inside",
        check: empty_names,
        bad: || Source::new("src/utils/mod.rs", "//! What."),
        good: || Source::new("src/stock/pool.rs", "//! What."),
    },
    Rule {
        name: "a link in a document leads to a file",
        check: links,
        bad: || Source::new("docs/a.md", "`[x](y)` is how.\n[gone](../src/no_such_file.rs#f)"),
        good: || {
            Source::new(
                "docs/a.md",
                "[lib](../src/lib.rs#x) [b](#b)\n```text\n[x](y)\n```\n[web](https://github.com/x)",
            )
        },
    },
    Rule {
        name: "no folder of one machine",
        check: machine_folders,
        bad: || Source::new("docs/a.md", format!("see `{}x`", MACHINE_FOLDERS[0])),
        good: || Source::new("docs/a.md", format!("see net{}x and ~/.cache", MACHINE_FOLDERS[0])),
    },
    Rule {
        name: "links lead only to hosts in HOSTS, never to a registry",
        check: foreign_hosts,
        bad: || Source::new("Makefile", format!("curl https{}mirror.example/x", "://")),
        good: || Source::new("Cargo.lock", "registry+https://github.com/rust-lang/x http://127.0.0.1:7401/metrics"),
    },
    Rule {
        name: "no registry host",
        check: registry_hosts,
        bad: || Source::new("Cargo.toml", format!("index = \"sparse+{}\"", REGISTRY_HOSTS[0])),
        good: || Source::new("Cargo.lock", "registry+https://github.com/rust-lang/crates.io-index"),
    },
];

#[test]
fn the_repository_is_tidy() {
    let sources = files(&root());
    assert!(sources.iter().any(|source| source.path == "src/lib.rs"), "the walk did not find src/lib.rs");
    let mut findings = Vec::new();
    for source in &sources {
        for rule in RULES {
            for (line, what) in (rule.check)(source) {
                findings.push(format!("{}:{line}: {}: {what}", source.path, rule.name));
            }
        }
    }
    assert!(findings.is_empty(), "\n{}\n", findings.join("\n"));
}

#[test]
fn every_rule_catches_its_planted_sample() {
    for rule in RULES {
        let found = (rule.check)(&(rule.bad)());
        assert_eq!(found.len(), 1, "`{}` found in its bad sample: {found:?}", rule.name);
        let found = (rule.check)(&(rule.good)());
        assert!(found.is_empty(), "`{}` found in its good sample: {found:?}", rule.name);
    }
}

/// A lone test file: what `cargo test` runs, or the models of loom.
fn is_test_file(path: &str) -> bool {
    path.split('/').any(|part| part == "tests" || part == "tests.rs")
}

fn file_length(source: &Source) -> Vec<Finding> {
    let max = if is_test_file(&source.path) { TEST_FILE_LINES_MAX } else { FILE_LINES_MAX };
    let lines = source.text.lines().count();
    if source.is_rust() && lines > max { vec![(max + 1, format!("{lines} lines"))] } else { Vec::new() }
}

fn line_length(source: &Source) -> Vec<Finding> {
    if !source.is_rust() {
        return Vec::new();
    }
    let lengths = source.text.lines().map(|line| line.chars().count()).enumerate();
    lengths.filter(|(_, length)| *length > LINE_CHARS_MAX).map(|(at, length)| (at + 1, format!("{length}"))).collect()
}

/// Counts from the line of `fn` to the line of the brace that closes the body.
fn function_length(source: &Source) -> Vec<Finding> {
    if !source.is_rust() {
        return Vec::new();
    }
    let code = code(&source.text);
    let mut findings = Vec::new();
    for start in words(&code, "fn") {
        let name = word_at(code[start + 2..].trim_start());
        // A pointer type such as `fn() -> u8` has no name.
        let Some(end) = (if name.is_empty() { None } else { item_end(&code, start) }) else { continue };
        let lines = code[start..end].matches('\n').count() + 1;
        if lines > FUNCTION_LINES_MAX {
            findings.push((line_of(&code, start), format!("`{name}` has {lines} lines")));
        }
    }
    findings
}

fn lint_exceptions(source: &Source) -> Vec<Finding> {
    if !source.is_rust() {
        return Vec::new();
    }
    let code = code(&source.text);
    let found = attributes(&code).into_iter().filter(|(_, content)| !words(content, "allow").is_empty());
    found.map(|(end, _)| (line_of(&code, end), "write `#[expect(…, reason = \"…\")]`".to_owned())).collect()
}

fn unfinished_work(source: &Source) -> Vec<Finding> {
    let found = UNFINISHED.iter().flat_map(|mark| words(&source.text, mark).into_iter().map(move |at| (at, mark)));
    found.map(|(at, mark)| (line_of(&source.text, at), format!("`{mark}`: do it now or file it as an issue"))).collect()
}

fn debugging_output(source: &Source) -> Vec<Finding> {
    if !source.is_rust() {
        return Vec::new();
    }
    let code = code(&source.text);
    let found = words(&code, "dbg").into_iter().filter(|at| code[at + 3..].starts_with('!'));
    found.map(|at| (line_of(&code, at), "remove it".to_owned())).collect()
}

fn unwraps(source: &Source) -> Vec<Finding> {
    let in_product = source.path.starts_with("src/") || source.path.contains("/src/");
    if !source.is_rust() || !in_product || is_test_file(&source.path) {
        return Vec::new();
    }
    let code = code(&source.text);
    let tests = test_ranges(&code);
    let found = words(&code, "unwrap").into_iter().filter(|at| code[at + 6..].starts_with("()"));
    let outside = found.filter(|at| !tests.iter().any(|range| range.contains(at)));
    let what = "handle it, or `expect(\"why it cannot fail\")`";
    outside.map(|at| (line_of(&code, at), what.to_owned())).collect()
}

fn sleeps(source: &Source) -> Vec<Finding> {
    if !source.is_rust() {
        return Vec::new();
    }
    let code = code(&source.text);
    let tests = test_ranges(&code);
    let lines: Vec<&str> = source.text.lines().collect();
    let excused = |line: usize| {
        lines[line.saturating_sub(2)..line].iter().any(|text| {
            let reason = text.split_once(SLEEP_MARK).map(|(_, reason)| reason.trim());
            reason.is_some_and(|reason| reason.chars().count() >= SLEEP_REASON_CHARS_MIN)
        })
    };
    let calls = ["sleep", "sleep_until", "sleep_ms"].iter().flat_map(|name| {
        let call = |at: &usize| code[at + name.len()..].starts_with('(');
        words(&code, name).into_iter().filter(call).collect::<Vec<_>>()
    });
    let in_tests = calls.filter(|at| is_test_file(&source.path) || tests.iter().any(|range| range.contains(at)));
    let lines = in_tests.map(|at| line_of(&code, at)).filter(|&line| !excused(line));
    lines.map(|line| (line, "wait for the event itself".to_owned())).collect()
}

fn opening_comment(source: &Source) -> Vec<Finding> {
    if !source.is_rust() || source.text.starts_with("//! ") {
        return Vec::new();
    }
    vec![(1, "begin with `//!`: what it does, guarantees and refuses to know".to_owned())]
}

fn empty_names(source: &Source) -> Vec<Finding> {
    let stems = source.path.split('/').map(|part| part.split('.').next().unwrap_or(part));
    let found = stems.filter(|stem| EMPTY_NAMES.contains(stem));
    found.map(|stem| (1, format!("`{stem}`: name the noun that the content serves"))).collect()
}

fn links(source: &Source) -> Vec<Finding> {
    if Path::new(&source.path).extension().is_none_or(|extension| extension != "md") {
        return Vec::new();
    }
    let folder = Path::new(&source.path).parent().unwrap_or(Path::new(""));
    let mut findings = Vec::new();
    let mut fenced = false;
    for (at, line) in source.text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        if fenced {
            continue;
        }
        // Every second piece stands between backticks.
        let prose: String = line.split('`').step_by(2).collect::<Vec<_>>().join("``");
        for rest in prose.split("](").skip(1) {
            let target = rest.split([')', ' ', '#']).next().unwrap_or(rest);
            let elsewhere = target.is_empty() || target.contains("://") || target.starts_with("mailto:");
            if !elsewhere && (target.starts_with('/') || !root().join(folder).join(target).exists()) {
                findings.push((at + 1, format!("`{target}` is not there")));
            }
        }
    }
    findings
}

fn machine_folders(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    for folder in MACHINE_FOLDERS {
        for (at, _) in source.text.match_indices(folder) {
            let before = source.text[..at].chars().next_back();
            if !before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '~' | '}')) {
                findings.push((line_of(&source.text, at), format!("`{folder}`")));
            }
        }
    }
    findings
}

fn foreign_hosts(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (at, _) in source.text.match_indices("://") {
        let scheme = source.text[..at].chars().rev().take_while(char::is_ascii_alphabetic).collect::<String>();
        let rest = &source.text[at + 3..];
        let host = match rest.find(']') {
            Some(close) if rest.starts_with('[') => &rest[..=close],
            _ => &rest[..rest.find(|c: char| !c.is_alphanumeric() && c != '.' && c != '-').unwrap_or(rest.len())],
        };
        // Without a scheme or a host it is a pattern or a piece of code, such as a "://" in this file.
        let known = HOSTS.contains(&host) || host.parse::<Ipv4Addr>().is_ok();
        if !scheme.is_empty() && !host.is_empty() && !known {
            let what = format!("`{host}`: if every reader can reach it, add it to HOSTS of tests/tidy.rs");
            findings.push((line_of(&source.text, at), what));
        }
    }
    findings
}

fn registry_hosts(source: &Source) -> Vec<Finding> {
    let found = REGISTRY_HOSTS.iter().flat_map(|host| source.text.match_indices(host));
    found.map(|(at, host)| (line_of(&source.text, at), format!("`{host}`"))).collect()
}

fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

/// Where this word stands alone.
fn words(text: &str, word: &str) -> Vec<usize> {
    let in_word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let found = text.match_indices(word).map(|(at, _)| at);
    found
        .filter(|&at| !in_word(text[..at].chars().next_back()) && !in_word(text[at + word.len()..].chars().next()))
        .collect()
}

fn word_at(text: &str) -> &str {
    &text[..text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len())]
}

/// Every attribute: where it ends, and what is in its brackets without spaces.
fn attributes(code: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices('#') {
        let rest = code[at + 1..].trim_start();
        let rest = rest.strip_prefix('!').unwrap_or(rest).trim_start();
        if !rest.starts_with('[') {
            continue;
        }
        let start = code.len() - rest.len();
        if let Some(end) = closing(code, start) {
            found.push((end, code[start + 1..end - 1].split_whitespace().collect()));
        }
    }
    found
}

/// What is compiled for tests only.
fn test_ranges(code: &str) -> Vec<std::ops::Range<usize>> {
    let for_tests = |content: &str| {
        content == "test"
            || (content.starts_with("cfg(") && !words(content, "test").is_empty() && !content.contains("not(test"))
    };
    let ends = attributes(code).into_iter().filter(|(_, content)| for_tests(content)).map(|(end, _)| end);
    ends.filter_map(|end| item_end(code, end).map(|item_end| end..item_end)).collect()
}

/// The end of the item that begins at `start`: behind its first block, or its semicolon if that comes first.
fn item_end(code: &str, start: usize) -> Option<usize> {
    let mut at = start;
    loop {
        at += code[at..].find(['(', '[', '{', ';'])?;
        match code.as_bytes()[at] {
            b';' => return Some(at + 1),
            b'{' => return closing(code, at),
            _ => at = closing(code, at)?,
        }
    }
}

/// The place behind the bracket that closes the one at `open`.
fn closing(code: &str, open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, c) in code[open..].char_indices() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.checked_sub(1)?,
            _ => {}
        }
        if depth == 0 {
            return Some(open + at + 1);
        }
    }
    None
}
