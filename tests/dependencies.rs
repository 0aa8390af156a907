//! What the project may depend on: the part of `cargo deny` that works offline, from the same file, `deny.toml`.
//!
//! Licences of everything that this machine's build uses, sources, and crates that may be there only once. Advisories
//! need a database from the network; `scripts/deny.sh` asks for those where it can.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;
use toml::Table;

/// The one registry. Anything else would be a dependency that readers cannot review under its published name.
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// A package as the lock file names it.
#[derive(Clone)]
struct Locked {
    name: String,
    version: String,
    source: Option<String>,
}

#[test]
fn licences_are_allowed() {
    let metadata = metadata();
    let packages = metadata["packages"].as_array().expect("cargo lists the packages");
    assert!(packages.len() > 10, "cargo listed only {} packages", packages.len());
    report(&licence_violations(packages, &policy()));
}

#[test]
fn sources_are_the_registry_or_the_workspace() {
    let metadata = metadata();
    let packages = metadata["packages"].as_array().expect("cargo lists the packages");
    let members = metadata["workspace_members"].as_array().expect("cargo lists the members");
    let of_workspace = packages.iter().filter(|package| members.contains(&package["id"]));
    let names: Vec<&str> = of_workspace.filter_map(|package| package["name"].as_str()).collect();
    let foreign = names.iter().filter(|name| **name != "stockade" && !name.starts_with("stockade-"));
    let misnamed =
        foreign.map(|name| format!("call the package {name} stockade-{name}: scripts/in-target.sh counts on it"));
    report(&misnamed.collect::<Vec<_>>());
    report(&source_violations(&locked(), &names));
}

#[test]
fn crates_that_must_be_one_are_one() {
    report(&duplicates(&locked(), &policy()));
}

fn report(violations: &[String]) {
    assert!(violations.is_empty(), "\n{}\n", violations.join("\n"));
}

fn root() -> PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).expect("cargo sets CARGO_MANIFEST_DIR for a test it runs")
}

fn read(name: &str) -> Table {
    let text = std::fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    text.parse().unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn policy() -> Table {
    read("deny.toml")
}

fn locked() -> Vec<Locked> {
    let lock = read("Cargo.lock");
    let packages = lock["package"].as_array().expect("Cargo.lock lists the packages");
    let field = |package: &toml::Value, name: &str| package.get(name).and_then(toml::Value::as_str).map(str::to_owned);
    let one = |package: &toml::Value| Locked {
        name: field(package, "name").expect("a locked package has a name"),
        version: field(package, "version").expect("a locked package has a version"),
        source: field(package, "source"),
    };
    packages.iter().map(one).collect()
}

/// What cargo knows about the packages that a build for this machine uses, without asking the network.
fn metadata() -> Value {
    let cargo = || Command::new(std::env::var_os("CARGO").expect("cargo sets CARGO for a test it runs"));
    let version = cargo().arg("-vV").output().expect("cargo runs");
    let version = String::from_utf8(version.stdout).expect("cargo prints UTF-8");
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).expect("cargo names its host");
    let output = cargo()
        .args(["metadata", "--format-version", "1", "--locked", "--offline", "--filter-platform", host])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "run `cargo fetch --locked` once, with a network:\n{errors}");
    serde_json::from_slice(&output.stdout).expect("cargo prints JSON")
}

fn strings<'a>(table: &'a Table, name: &str) -> Vec<&'a str> {
    let list = table.get(name).and_then(toml::Value::as_array);
    list.into_iter().flatten().filter_map(toml::Value::as_str).collect()
}

fn section<'a>(policy: &'a Table, name: &str) -> &'a Table {
    policy.get(name).and_then(toml::Value::as_table).unwrap_or_else(|| panic!("deny.toml has no [{name}]"))
}

fn tables<'a>(table: &'a Table, name: &str) -> Vec<&'a Table> {
    let list = table.get(name).and_then(toml::Value::as_array);
    list.into_iter().flatten().filter_map(toml::Value::as_table).collect()
}

fn licence_violations(packages: &[Value], policy: &Table) -> Vec<String> {
    let licences = section(policy, "licenses");
    let mut violations = Vec::new();
    for package in packages {
        let name = package["name"].as_str().expect("a package has a name");
        let mut allowed = strings(licences, "allow");
        for exception in tables(licences, "exceptions") {
            if exception.get("crate").and_then(toml::Value::as_str) == Some(name) {
                allowed.extend(strings(exception, "allow"));
            }
        }
        let version = &package["version"];
        match package["license"].as_str() {
            Some(expression) if satisfied(expression, &allowed) => {}
            Some(expression) => violations.push(format!(
                "{name} {version}: licence `{expression}` is not allowed by deny.toml: choose another crate, or \
                 allow it \
                 there with the reason"
            )),
            None => violations.push(format!("{name} {version}: no licence is declared: choose another crate")),
        }
    }
    violations
}

/// Whether an SPDX expression can be met with these licences. `/` is the old way to write OR.
fn satisfied(expression: &str, allowed: &[&str]) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut at = 0;
    any_of(&words, &mut at, allowed).is_some_and(|met| met && at == words.len())
}

/// `None` when the words are no expression; so do the next two.
fn any_of(words: &[&str], at: &mut usize, allowed: &[&str]) -> Option<bool> {
    let mut met = all_of(words, at, allowed)?;
    while words.get(*at) == Some(&"OR") {
        *at += 1;
        met |= all_of(words, at, allowed)?;
    }
    Some(met)
}

fn all_of(words: &[&str], at: &mut usize, allowed: &[&str]) -> Option<bool> {
    let mut met = one(words, at, allowed)?;
    while words.get(*at) == Some(&"AND") {
        *at += 1;
        met &= one(words, at, allowed)?;
    }
    Some(met)
}

/// A licence, with its exception if it has one, or an expression in parentheses.
fn one(words: &[&str], at: &mut usize, allowed: &[&str]) -> Option<bool> {
    let first = *words.get(*at)?;
    *at += 1;
    if first == "(" {
        let met = any_of(words, at, allowed)?;
        let closed = words.get(*at) == Some(&")");
        *at += 1;
        return closed.then_some(met);
    }
    if words.get(*at) == Some(&"WITH") {
        let exception = words.get(*at + 1)?;
        *at += 2;
        return Some(allowed.contains(&format!("{first} WITH {exception}").as_str()));
    }
    Some(allowed.contains(&first))
}

fn source_violations(locked: &[Locked], members: &[&str]) -> Vec<String> {
    let mut violations = Vec::new();
    for Locked { name, version, source } in locked {
        match source.as_deref() {
            Some(REGISTRY) => {}
            Some(other) => violations.push(format!("{name} {version} comes from {other}: use a published version")),
            None if members.contains(&name.as_str()) => {}
            None => violations.push(format!("{name} {version} is a folder outside the workspace: make it a member")),
        }
    }
    violations
}

fn duplicates(locked: &[Locked], policy: &Table) -> Vec<String> {
    let bans = tables(section(policy, "bans"), "deny");
    let once = bans.iter().filter(|ban| ban.get("deny-multiple-versions").and_then(toml::Value::as_bool) == Some(true));
    let mut violations = Vec::new();
    for name in once.filter_map(|ban| ban.get("crate").and_then(toml::Value::as_str)) {
        let versions: Vec<&str> =
            locked.iter().filter(|package| package.name == name).map(|package| package.version.as_str()).collect();
        if versions.len() > 1 {
            violations.push(format!("{name} is there as {}: align what pulls it in", versions.join(" and ")));
        }
    }
    violations
}

#[cfg(test)]
mod planted {
    //! The checks, on samples with and without a fault.

    use super::*;

    fn package(name: &str, version: &str, source: Option<&str>) -> Locked {
        Locked { name: name.to_owned(), version: version.to_owned(), source: source.map(str::to_owned) }
    }

    #[test]
    fn expressions_are_read_as_spdx() {
        let allowed = ["MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception"];
        for good in [
            "MIT",
            "MIT/GPL-3.0",
            "GPL-3.0 OR MIT",
            "(MIT OR GPL-3.0) AND Apache-2.0",
            "Apache-2.0 WITH LLVM-exception OR GPL-2.0",
            "GPL-2.0 AND GPL-3.0 OR MIT",
        ] {
            assert!(satisfied(good, &allowed), "{good}");
        }
        for bad in [
            "GPL-3.0",
            "MIT AND GPL-3.0",
            "(MIT OR Apache-2.0) AND Unicode-3.0",
            "MIT WITH LLVM-exception",
            "MIT OR",
            "(MIT",
            "MIT MIT",
            "",
        ] {
            assert!(!satisfied(bad, &allowed), "{bad}");
        }
    }

    #[test]
    fn a_licence_that_is_not_allowed_is_caught() {
        let text = "[licenses]\nallow = [\"MIT\"]\nexceptions = [{ allow = [\"X11\"], crate = \"b\" }]";
        let policy: Table = text.parse().expect("the sample is TOML");
        let licensed =
            |name: &str, licence: Option<&str>| serde_json::json!({"name": name, "version": "1", "license": licence});
        let packages =
            [licensed("a", Some("MIT")), licensed("b", Some("X11")), licensed("c", Some("X11")), licensed("d", None)];
        let found = licence_violations(&packages, &policy);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].starts_with('c') && found[1].starts_with('d'));
    }

    #[test]
    fn a_source_elsewhere_is_caught() {
        let locked = [
            package("ours", "1.0.0", None),
            package("published", "1.0.0", Some(REGISTRY)),
            package("forked", "1.0.0", Some("git+https://github.com/a/forked#0")),
            package("mirrored", "1.0.0", Some("registry+https://example.invalid/index")),
            package("vendored", "1.0.0", None),
        ];
        let found = source_violations(&locked, &["ours"]);
        assert_eq!(found.len(), 3, "{found:?}");
    }

    #[test]
    fn a_second_version_is_caught() {
        let text = "[bans]\ndeny = [{ crate = \"tokio\", deny-multiple-versions = true }]";
        let policy: Table = text.parse().expect("the sample is TOML");
        let one = package("tokio", "1.0.0", Some(REGISTRY));
        let two = package("tokio", "2.0.0", Some(REGISTRY));
        assert!(
            duplicates(&[one.clone(), package("syn", "1.0.0", None), package("syn", "2.0.0", None)], &policy)
                .is_empty()
        );
        assert_eq!(duplicates(&[one, two], &policy).len(), 1);
    }

    #[test]
    fn the_crates_that_matter_are_on_the_list() {
        let policy = policy();
        let listed: Vec<_> = tables(section(&policy, "bans"), "deny").iter().map(|ban| ban["crate"].clone()).collect();
        for name in ["rocksdb", "librocksdb-sys", "tokio", "parking_lot", "tikv-jemalloc-sys"] {
            assert!(listed.iter().any(|crate_name| crate_name.as_str() == Some(name)), "{name}");
        }
    }
}
