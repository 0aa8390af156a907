//! `config/stockade.toml` is the table of keys for people: it says what the code says.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use stockade::config::{Config, Loaded, Loader, Origin};

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("config/stockade.toml")
}

fn text() -> String {
    std::fs::read_to_string(path()).expect("the shipped file is there")
}

fn loaded() -> Loaded {
    Loader::new().file(&path()).finish().unwrap_or_else(|problems| panic!("{problems}"))
}

/// The comment above each key, as one line, and its line number.
fn comment_of(key: &str) -> (String, usize) {
    let (table, name) = key.split_once('.').expect("keys stand in tables");
    let text = text();
    let mut lines = text.lines().enumerate().skip_while(|(_, line)| *line != format!("[{table}]")).skip(1);
    let mut comment = String::new();
    for (index, line) in lines.by_ref().take_while(|(_, line)| !line.starts_with('[')) {
        match line.strip_prefix('#') {
            Some(words) => comment.push_str(words),
            None if line.starts_with(&format!("{name} = ")) => return (comment, index + 1),
            None => comment.clear(),
        }
    }
    panic!("{key} does not stand in the shipped file");
}

#[test]
fn it_equals_the_defaults() {
    assert_eq!(loaded().config(), &Config::default());
}

#[test]
fn every_key_stands_in_it_on_the_line_that_problems_name() {
    for effective in loaded().effective() {
        let (_, line) = comment_of(effective.key);
        let expected = Origin::File { path: path().display().to_string(), line: Some(line) };
        assert_eq!(effective.origin, expected, "{}", effective.key);
    }
}

#[test]
fn every_comment_states_the_bound_and_the_variable_of_its_key() {
    for effective in loaded().effective() {
        let (comment, _) = comment_of(effective.key);
        assert!(
            comment.to_ascii_lowercase().contains(&effective.bound.to_ascii_lowercase()),
            "{}: the comment lacks {:?}: {comment}",
            effective.key,
            effective.bound
        );
        let variable = format!("[{}]", effective.environment);
        assert!(comment.contains(&variable), "{}: the comment lacks {variable}: {comment}", effective.key);
    }
}

#[test]
fn every_number_tells_what_too_small_and_too_large_cost() {
    let numbers = loaded().effective().filter(|effective| effective.bound.contains(" from ")).collect::<Vec<_>>();
    assert!(numbers.len() >= 15, "only {} keys are numbers", numbers.len());
    for effective in numbers {
        let (comment, _) = comment_of(effective.key);
        for side in ["Too small:", "Too large:"] {
            assert!(comment.contains(side), "{}: the comment lacks {side:?}", effective.key);
        }
    }
}

#[test]
fn every_shown_value_can_be_set_through_its_variable() {
    for effective in loaded().effective() {
        let value = effective.value.to_string().trim_matches(['"', '[', ']']).to_owned();
        if value.is_empty() {
            continue;
        }
        let variables = [(OsString::from(&effective.environment), OsString::from(value))];
        let again = Loader::new().environment(variables).finish().unwrap_or_else(|problems| panic!("{problems}"));
        let of_key = again.effective().find(|other| other.key == effective.key).expect("the same keys");
        assert_eq!(of_key.origin, Origin::Environment(effective.environment.clone()), "{}", effective.key);
        assert_eq!(of_key.value, effective.value, "{}", effective.key);
    }
}
