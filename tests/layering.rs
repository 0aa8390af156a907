//! Imports go down the layers, and every foreign crate has a home.
//!
//! [`MODULES`] is the list of the modules of `src` and of what each may use. [`HOMES`] says which files may name a
//! foreign crate (or a part of the standard library). Test code obeys both. Only code counts: comments and strings may
//! mention what they like.

mod source_tree;

use source_tree::{Source, code, files, root};

/// A module of `src` and the modules that it may use.
struct Module {
    name: &'static str,
    may_use: &'static [&'static str],
}

/// From the bottom to the top: a module uses only modules above it in this list (a test checks the list).
/// `journal` knows `stock` and `users` by the words of its records only; the three meet in `engine`.
const MODULES: &[Module] = &[
    Module { name: "limits", may_use: &[] },
    Module { name: "types", may_use: &["limits"] },
    Module { name: "access", may_use: &[] },
    Module { name: "prefetch", may_use: &[] },
    Module { name: "pace", may_use: &[] },
    Module { name: "stock", may_use: &["limits", "types", "prefetch"] },
    // What a user holds are runs of serials: users borrow the words of stock, not its pools.
    Module { name: "users", may_use: &["limits", "types", "prefetch", "stock"] },
    Module { name: "metrics", may_use: &["limits", "types"] },
    Module { name: "journal", may_use: &["limits", "types", "pace", "metrics", "stock", "users"] },
    // Both are derived from the journal and decide nothing. The index counts in days, a word of stock.
    Module { name: "index", may_use: &["types", "pace", "stock", "journal"] },
    Module { name: "feed", may_use: &["limits", "types", "journal"] },
    Module {
        name: "engine",
        may_use: &["limits", "types", "prefetch", "metrics", "stock", "users", "journal", "index", "feed"],
    },
    Module { name: "server", may_use: &["limits", "types", "access", "metrics", "journal", "feed", "engine"] },
    Module { name: "admin", may_use: &["limits", "types", "access", "metrics", "journal", "engine"] },
    Module { name: "config", may_use: &["limits", "types"] },
    Module { name: "cli", may_use: &["limits", "types", "metrics", "journal", "engine", "server", "admin", "config"] },
    Module {
        name: "service",
        may_use: &["access", "limits", "types", "metrics", "journal", "engine", "server", "admin", "config", "cli"],
    },
    Module { name: "allocator", may_use: &[] },
    Module { name: "main", may_use: &["allocator", "config", "cli", "service"] },
];

/// What is foreign, by the name that code uses, and the files or folders that may name it.
struct Home {
    name: &'static str,
    places: &'static str,
}

/// Every crate of `[workspace.dependencies]` stands here. A place is a folder, a file, or both: `src/config` is
/// `src/config.rs` and everything in `src/config/`. Folders of tests and benches may name anything.
const HOMES: &[Home] = &[
    // One wrapper each; the journal and the index are two databases.
    home("rocksdb", "src/journal/rocks src/index/store src/index/view"),
    home("xxhash_rust", "src/journal src/index/store src/index/packs src/engine/wallet"),
    home("dashmap", "src/engine"),
    home("thin_vec", "src/stock"),
    home("foldhash", "src/users src/journal src/index/segment src/engine loadtest"),
    home("hyper", "src/admin"),
    home("hyper_util", "src/admin"),
    home("http_body_util", "src/admin"),
    home("prometheus_client", "src/admin"),
    home("subtle", "src/access.rs"),
    home("socket2", "src/server client"),
    home("toml", "src/config loadtest"),
    home("strsim", "src/config"),
    home("clap", "src/cli loadtest"),
    home("jiff", "src/engine/calendar src/cli"),
    home("indicatif", "src/cli loadtest"),
    home("tracing_subscriber", "src/service"),
    home("tikv_jemallocator", "src/allocator.rs loadtest/src/main.rs"),
    home("loom", "src/stock/sync.rs src/journal/sync.rs"),
    // Plumbing with more than one home.
    home(
        "stockade_protocol",
        "src/types src/metrics src/journal src/index src/feed src/engine src/server src/admin src/config src/cli \
         src/service client loadtest",
    ),
    home("stockade_client", "src/cli loadtest"),
    home("tokio", "src/server src/admin src/cli src/service client loadtest"),
    home("tracing", "src/journal src/index src/engine src/server src/admin src/cli src/service client"),
    home("bytes", "src/server src/admin client"),
    home("zerocopy", "protocol src/journal src/index src/engine src/server client loadtest"),
    home("hdrhistogram", "src/server src/admin src/cli loadtest"),
    home("serde", "src/config src/cli loadtest"),
    home("serde_json", "src/cli loadtest"),
    home("rustix", "src/journal src/index src/server src/cli loadtest"),
    home("parking_lot", "src/stock/sync.rs src/users src/journal src/index src/feed src/engine src/server client"),
    home("crossbeam_utils", "src/stock src/users src/metrics src/journal src/engine src/server"),
    home("crossbeam_channel", "src/journal src/engine src/server loadtest"),
    // Tests only.
    home("tempfile", "src/journal src/index src/cli"),
    home("proptest", "protocol src/stock src/users src/journal src/index src/engine"),
    home("divan", ""),
    // Counting and the protocol do no I/O; counting takes its atomics from one file, where loom replaces them.
    home(
        "std::sync::atomic",
        "src/stock/sync.rs src/users src/metrics src/journal src/index src/engine src/server src/admin src/cli client \
         loadtest",
    ),
    home("std::fs", "src/journal src/index src/feed/consumers src/admin/process.rs src/config src/cli loadtest"),
    home(
        "std::io",
        "src/journal src/index src/feed/consumers src/engine src/server src/admin src/config src/cli src/service \
         client loadtest",
    ),
    home("std::net", "src/server src/admin src/config src/cli client loadtest"),
    home(
        "std::thread",
        "src/pace src/journal src/index src/engine src/server src/admin src/config src/cli src/service client loadtest",
    ),
];

const fn home(name: &'static str, places: &'static str) -> Home {
    Home { name, places }
}

/// A path as code writes it (`use` trees are spread out), and how many `mod … {` it stands in.
struct PathUse {
    segments: Vec<String>,
    line: usize,
    inline_modules: usize,
}

struct Token {
    text: String,
    line: usize,
}

#[test]
fn imports_go_down_the_layers() {
    report(&rust_sources().iter().flat_map(layer_violations).collect::<Vec<_>>());
}

#[test]
fn foreign_crates_stay_at_home() {
    report(&rust_sources().iter().flat_map(home_violations).collect::<Vec<_>>());
}

#[test]
fn every_module_is_in_the_table() {
    let unknown: Vec<String> = rust_sources().iter().filter_map(unknown_module).collect();
    report(&unknown);
}

#[test]
fn every_dependency_has_a_home() {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).expect("the workspace has a Cargo.toml");
    report(&homeless(&manifest));
}

#[test]
fn the_table_goes_upwards() {
    report(&upward_rows(MODULES));
}

fn report(violations: &[String]) {
    assert!(violations.is_empty(), "\n{}\n", violations.join("\n"));
}

fn rust_sources() -> Vec<Source> {
    let sources: Vec<Source> = files(&root()).into_iter().filter(Source::is_rust).collect();
    assert!(sources.iter().any(|source| source.path == "src/lib.rs"), "the walk did not find src/lib.rs");
    sources
}

/// The module of `src` that a file belongs to: the folder's name, or the file's.
fn module_of(path: &str) -> Option<&str> {
    let inside = path.strip_prefix("src/")?;
    let first = inside.split('/').next().unwrap_or(inside);
    Some(first.strip_suffix(".rs").unwrap_or(first))
}

/// How many modules a file is below the crate's root.
fn depth_of(path: &str) -> usize {
    let inside = path.strip_prefix("src/").unwrap_or(path);
    let is_face = ["mod.rs", "lib.rs", "main.rs"].iter().any(|face| inside.ends_with(face));
    inside.split('/').count() - usize::from(is_face)
}

fn unknown_module(source: &Source) -> Option<String> {
    let module = module_of(&source.path)?;
    let known = module == "lib" || MODULES.iter().any(|row| row.name == module);
    (!known).then(|| {
        format!(
            "{}: `{module}` is not in MODULES of tests/layering.rs: add a row at its layer with the modules that it \
             may use, and its place in the picture of docs/architecture.md",
            source.path
        )
    })
}

fn layer_violations(source: &Source) -> Vec<String> {
    let Some(module) = module_of(&source.path) else { return Vec::new() };
    let Some(row) = MODULES.iter().find(|row| row.name == module) else { return Vec::new() };
    let mut violations = Vec::new();
    let mut reported = Vec::new();
    for path in paths(&source.text) {
        let Some(used) = top_module(&path, depth_of(&source.path)) else { continue };
        if used == module || row.may_use.contains(&used) || reported.contains(&(path.line, used.to_owned())) {
            continue;
        }
        reported.push((path.line, used.to_owned()));
        let Source { path: file, .. } = source;
        let line = path.line;
        violations.push(if MODULES.iter().any(|row| row.name == used) {
            format!(
                "{file}:{line}: `{module}` must not use `{used}` (MODULES in tests/layering.rs): move what both need \
                 down to `types`, or let a layer above both pass it in"
            )
        } else {
            format!("{file}:{line}: `crate::{used}` is no module: name the module that defines it, not a re-export")
        });
    }
    violations
}

/// The module at the crate's root that a path leads to; `None` if it stays inside its own or leaves the crate.
fn top_module(path: &PathUse, file_depth: usize) -> Option<&str> {
    let segments = match path.segments.first()?.as_str() {
        "self" if path.segments.get(1).is_some_and(|next| next == "super") => &path.segments[1..],
        _ => &path.segments[..],
    };
    let depth = file_depth + path.inline_modules;
    match segments[0].as_str() {
        "crate" | "stockade" => segments.get(1).map(String::as_str),
        "super" => {
            let climbed = segments.iter().take_while(|segment| *segment == "super").count();
            if climbed == depth { segments.get(climbed).map(String::as_str) } else { None }
        }
        _ => None,
    }
}

fn home_violations(source: &Source) -> Vec<String> {
    let in_tests = source.path.split('/').any(|part| matches!(part, "tests" | "benches" | "examples"));
    if in_tests || source.path.ends_with("build.rs") {
        return Vec::new();
    }
    let mut violations = Vec::new();
    let mut reported = Vec::new();
    for path in paths(&source.text) {
        let Some(home) = HOMES.iter().find(|home| names(&path, home.name)) else { continue };
        let at_home = home.places.split_whitespace().any(|place| is_in(&source.path, place));
        if !at_home && !reported.contains(&(path.line, home.name)) {
            reported.push((path.line, home.name));
            violations.push(format!(
                "{}:{}: `{}` is at home in [{}] (HOMES in tests/layering.rs): wrap it there and use the wrapper",
                source.path, path.line, home.name, home.places
            ));
        }
    }
    violations
}

/// Whether a path begins with this crate or part of the standard library.
fn names(path: &PathUse, name: &str) -> bool {
    let wanted: Vec<&str> = name.split("::").collect();
    path.segments.len() >= wanted.len() && path.segments.iter().zip(&wanted).all(|(have, want)| have == want)
}

fn is_in(file: &str, place: &str) -> bool {
    match file.strip_prefix(place) {
        Some(rest) => rest.is_empty() || rest == ".rs" || rest.starts_with('/'),
        None => false,
    }
}

fn homeless(manifest: &str) -> Vec<String> {
    let section = manifest.split("\n[workspace.dependencies]\n").nth(1).expect("Cargo.toml lists the dependencies");
    let lines = section.lines().take_while(|line| !line.starts_with('['));
    let names = lines.filter_map(|line| line.split_once('=')).map(|(name, _)| name.trim().replace('-', "_"));
    names
        .filter(|name| !name.starts_with('#') && !HOMES.iter().any(|home| home.name == name))
        .map(|name| {
            format!("`{name}` has no row in HOMES of tests/layering.rs: add one with the files that may name it")
        })
        .collect()
}

fn upward_rows(modules: &[Module]) -> Vec<String> {
    let mut violations = Vec::new();
    for (at, row) in modules.iter().enumerate() {
        for used in row.may_use {
            if !modules[..at].iter().any(|lower| lower.name == *used) {
                violations.push(format!("MODULES lets `{}` use `{used}`, which is not above it in the list", row.name));
            }
        }
    }
    violations
}

fn tokens(code: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    for (line, text) in code.lines().enumerate() {
        let mut rest = text.trim_start();
        while let Some(first) = rest.chars().next() {
            let word = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            let length = match word {
                0 if rest.starts_with("::") => 2,
                0 => first.len_utf8(),
                word => word,
            };
            tokens.push(Token { text: rest[..length].to_owned(), line: line + 1 });
            rest = rest[length..].trim_start();
        }
    }
    tokens
}

fn is_word(token: &Token) -> bool {
    token.text.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// Every path of two segments or more, and every path of a `use`.
fn paths(text: &str) -> Vec<PathUse> {
    let tokens = tokens(&code(text));
    let mut found = Vec::new();
    // One entry for every open brace: whether it opened a module.
    let mut braces = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let text = |ahead: usize| tokens.get(at + ahead).map_or("", |token| token.text.as_str());
        let back = |behind: usize| at.checked_sub(behind).map_or("", |before| tokens[before].text.as_str());
        let inline_modules = braces.iter().filter(|&&opened_module| opened_module).count();
        match text(0) {
            "{" => braces.push(back(2) == "mod"),
            "}" => drop(braces.pop()),
            "use" if text(1) != "<" => {
                at += 1;
                let mut spread = Vec::new();
                spread_use_tree(&tokens, &mut at, &[], &mut spread);
                found.extend(spread.into_iter().map(|(segments, line)| PathUse { segments, line, inline_modules }));
                continue;
            }
            _ if is_word(&tokens[at]) && !(back(1) == "::" && goes_on(&tokens, at - 1)) => {
                let start = at;
                while at + 2 < tokens.len() && tokens[at + 1].text == "::" && is_word(&tokens[at + 2]) {
                    at += 2;
                }
                let extern_crate = start > 1 && tokens[start - 1].text == "crate" && tokens[start - 2].text == "extern";
                if at > start || extern_crate {
                    let segments = tokens[start..=at].iter().step_by(2).map(|token| token.text.clone()).collect();
                    found.push(PathUse { segments, line: tokens[start].line, inline_modules });
                }
            }
            _ => {}
        }
        at += 1;
    }
    found
}

/// Whether the `::` at this place continues something, such as `<T as Trait>::name`; otherwise it begins a global path.
fn goes_on(tokens: &[Token], colons: usize) -> bool {
    colons > 0 && (is_word(&tokens[colons - 1]) || tokens[colons - 1].text == ">")
}

/// Reads one tree of a `use` declaration, from `at` to the `;`, `,` or `}` behind it.
fn spread_use_tree(tokens: &[Token], at: &mut usize, prefix: &[String], found: &mut Vec<(Vec<String>, usize)>) {
    let mut path = prefix.to_vec();
    let line = tokens.get(*at).map_or(0, |token| token.line);
    while let Some(token) = tokens.get(*at) {
        match token.text.as_str() {
            ";" | "," | "}" => break,
            "::" => *at += 1,
            "as" => *at += 2,
            "{" => {
                *at += 1;
                while tokens.get(*at).is_some_and(|token| token.text != "}") {
                    spread_use_tree(tokens, at, &path, found);
                    if tokens.get(*at).is_some_and(|token| token.text == ",") {
                        *at += 1;
                    }
                }
                *at += 1;
                return;
            }
            _ => {
                path.push(token.text.clone());
                *at += 1;
            }
        }
    }
    found.push((path, line));
}

#[cfg(test)]
mod planted {
    //! The checks, on samples with and without a fault.

    use super::*;

    fn layers(path: &str, text: &str) -> usize {
        layer_violations(&Source::new(path, text)).len()
    }

    fn homes(path: &str, text: &str) -> usize {
        home_violations(&Source::new(path, text)).len()
    }

    #[test]
    fn an_import_upwards_or_sideways_is_caught() {
        assert_eq!(layers("src/stock/pool.rs", "use crate::engine::Engine;"), 1);
        assert_eq!(layers("src/stock/pool.rs", "use crate::users::Users;"), 1);
        assert_eq!(layers("src/users/mod.rs", "use crate::{types::UserId, journal::{Group, Store}};"), 1);
        assert_eq!(layers("src/journal/group.rs", "fn f() { crate::server::wake() }"), 1);
        assert_eq!(layers("src/engine/mod.rs", "pub(in crate::server) fn f() {}"), 1);
        assert_eq!(layers("src/server/burst.rs", "use crate::config::Config;"), 1);
        assert_eq!(layers("src/server/burst.rs", "use stockade::admin::Metrics;"), 1);
        assert_eq!(layers("src/types.rs", "use crate::engine::Batch;"), 1);
        assert_eq!(layers("src/stock/pool.rs", "mod tests {\n    use crate::engine::Engine;\n}"), 1);
    }

    #[test]
    fn an_import_through_super_is_caught() {
        assert_eq!(layers("src/stock/mod.rs", "use super::engine::Engine;"), 1);
        assert_eq!(layers("src/stock/pool.rs", "use super::super::engine::Engine;"), 1);
        assert_eq!(layers("src/stock/pool.rs", "use self::super::super::{engine, types::Serial};"), 1);
        assert_eq!(layers("src/stock/pool.rs", "mod tests { use super::super::super::engine::Engine; }"), 1);
        assert_eq!(layers("src/stock/pool.rs", "mod tests { fn f() {} } use super::super::engine::Engine;"), 1);
    }

    #[test]
    fn a_re_export_of_the_root_is_no_way_round() {
        assert_eq!(layers("src/server/burst.rs", "use crate::Engine;"), 1);
        assert_eq!(layers("src/server/burst.rs", "use crate::*;"), 1);
    }

    #[test]
    fn imports_downwards_and_mere_mentions_pass() {
        assert_eq!(layers("src/engine/claim.rs", "use crate::{stock, users::Users, journal::{self, Epoch as E}};"), 0);
        assert_eq!(layers("src/stock/pool.rs", "use super::bucket::Bucket;\nuse crate::stock::Run;"), 0);
        assert_eq!(layers("src/stock/pool.rs", "mod tests { use super::*; use super::super::run::Run; }"), 0);
        assert_eq!(layers("src/stock/pool.rs", "// crate::engine knows\nlet s = \"crate::engine::X\";"), 0);
        assert_eq!(layers("src/stock/pool.rs", "fn f() -> impl Sized + use<'_> { pool::engine::x() }"), 0);
        assert_eq!(layers("src/main.rs", "use stockade::{cli, config::Config};"), 0);
        assert_eq!(layers("loadtest/src/main.rs", "use crate::engine::X;"), 0);
    }

    #[test]
    fn a_crate_away_from_home_is_caught() {
        assert_eq!(homes("src/journal/mod.rs", "use rocksdb::DB;"), 1);
        assert_eq!(homes("src/journal/mod.rs", "use rocksdb;"), 1);
        assert_eq!(homes("src/journal/mod.rs", "extern crate rocksdb;"), 1);
        assert_eq!(homes("src/journal/mod.rs", "fn f(db: &::rocksdb::DB) {}"), 1);
        assert_eq!(homes("src/engine/claim.rs", "#[tokio::test]\nasync fn f() {}"), 1);
        assert_eq!(homes("src/journal/commit.rs", "let _ = tokio::time::now();"), 1);
        assert_eq!(homes("src/stock/pool.rs", "tracing::debug!(\"x\");"), 1);
        assert_eq!(homes("src/users/table.rs", "use {std::fmt, tracing::debug};"), 1);
        assert_eq!(homes("src/server/mod.rs", "#[derive(clap::Parser)] struct A;"), 1);
        assert_eq!(homes("src/stock/pool.rs", "use std::{fmt, sync::atomic::AtomicU64};"), 1);
        assert_eq!(homes("protocol/src/frame.rs", "fn f(s: &mut std::net::TcpStream) {}"), 1);
    }

    #[test]
    fn a_crate_at_home_passes() {
        assert_eq!(homes("src/journal/rocks.rs", "use rocksdb::{DB, Options};"), 0);
        assert_eq!(homes("src/config.rs", "use toml::Table;"), 0);
        assert_eq!(homes("src/config/document.rs", "use toml::Table;"), 0);
        assert_eq!(homes("tests/kill.rs", "use tokio::net::TcpStream;"), 0);
        assert_eq!(homes("src/stock/pool.rs", "use super::tokio::X; let rocksdb = 1; f(rocksdb); // tokio::spawn"), 0);
        assert_eq!(homes("src/stock/pool.rs", "use super::sync::{bytes::X, Ordering};"), 0);
    }

    #[test]
    fn a_module_without_a_row_is_caught() {
        assert!(unknown_module(&Source::new("src/gateway/mod.rs", "")).is_some());
        assert!(unknown_module(&Source::new("src/gateway.rs", "")).is_some());
        assert!(unknown_module(&Source::new("src/stock/pool.rs", "")).is_none());
        assert!(unknown_module(&Source::new("client/src/pool.rs", "")).is_none());
    }

    #[test]
    fn a_row_that_points_upwards_is_caught() {
        let rows = [Module { name: "low", may_use: &["high"] }, Module { name: "high", may_use: &["low"] }];
        assert_eq!(upward_rows(&rows).len(), 1);
    }

    #[test]
    fn a_dependency_without_a_home_is_caught() {
        let manifest =
            "[workspace]\n[workspace.dependencies]\n# why\nserde_json = \"1\"\nleft-pad = \"1\"\n[package]\nx = 1\n";
        let found = homeless(&format!("\n{manifest}"));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("left_pad"));
    }
}
