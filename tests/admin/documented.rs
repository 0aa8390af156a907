//! `docs/metrics.md` lists exactly what is exposed, with the right types.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use stockade::engine::{self, EngineOptions, StorageOptions};
use stockade_protocol::hello::Durability;

use crate::support::{admin_of, memory_engine, scrape};

fn page_of_docs() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/metrics.md");
    std::fs::read_to_string(path).expect("docs/metrics.md is there")
}

/// Rows of the tables: a name in backticks, then a type.
fn documented() -> Vec<(String, String)> {
    let text = page_of_docs();
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` | "));
    // The table of paths is another one.
    let rows = rows.filter(|(name, _)| !name.starts_with('/'));
    rows.map(|(name, rest)| {
        // Labels stand in braces behind the name.
        let name = name.split('{').next().unwrap_or(name);
        (name.to_owned(), rest.split(' ').next().unwrap_or(rest).to_owned())
    })
    .collect()
}

fn set<'a>(rows: impl IntoIterator<Item = (&'a str, &'a str)>) -> BTreeSet<(String, String)> {
    rows.into_iter().map(|(name, kind)| (name.to_owned(), kind.to_owned())).collect()
}

#[test]
fn every_metric_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let storage = StorageOptions {
        folder: folder.path().join("data"),
        durability: Durability::Os,
        segment_bytes: 8 << 20,
        free_space_floor_bytes: 0,
        ballast_bytes: 0,
        checkpoint_dead_bytes: 64 << 20,
        index: true,
        feed_retained_bytes: 64 << 20,
    };
    let running = engine::open(&storage, EngineOptions::new(1, Arc::new(|_: &str| {}))).unwrap();
    let page = scrape(&admin_of(&running));
    let rows = documented();
    let listed = rows.iter().cloned().collect::<BTreeSet<_>>();
    assert_eq!(listed.len(), rows.len(), "each metric stands there once");
    let exposed = set(page.names());
    let forgotten = exposed.difference(&listed).collect::<Vec<_>>();
    assert!(forgotten.is_empty(), "add to docs/metrics.md: {forgotten:?}");
    let gone = listed.difference(&exposed).collect::<Vec<_>>();
    assert!(gone.is_empty(), "docs/metrics.md lists what is not exposed: {gone:?}");

    let in_memory = set(scrape(&admin_of(&memory_engine(1))).names());
    let only_stored = exposed.difference(&in_memory).map(|(name, _)| name.as_str()).collect::<Vec<_>>();
    let of_disk = |name: &&str| {
        ["_checkpoint", "_journal_", "_index_", "_audits_", "_free_space_"].iter().any(|part| name.contains(part))
    };
    assert_eq!(only_stored.iter().find(|name| !of_disk(name)), None, "a memory engine has no disk; all else is there");
    assert_eq!(only_stored.len(), 9);
}

#[test]
fn labels_are_those_of_the_page() {
    let page = scrape(&admin_of(&memory_engine(1)));
    let text = page_of_docs();
    for family in &page.families {
        let labels = family.samples[0].labels.keys().filter(|label| *label != "le").cloned().collect::<Vec<_>>();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let row = format!("| `{}{labels}` |", family.name);
        assert!(text.contains(&row), "docs/metrics.md has no row {row}");
    }
}
