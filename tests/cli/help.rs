//! Every command explains itself, with an example.

use crate::support::stockade;

/// The commands that the help of `path` lists.
fn commands_of(path: &[&str]) -> Vec<String> {
    let help = stockade(&[path, &["--help"]].concat());
    let listed =
        help.stdout.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    // Lines that go on from the one above stand further to the right.
    let names = listed.filter(|line| !line.starts_with("   ")).filter_map(|line| line.split_whitespace().next());
    names.filter(|name| *name != "help").map(str::to_owned).collect()
}

#[test]
fn every_command_has_an_example() {
    let mut paths: Vec<Vec<String>> = vec![Vec::new()];
    let mut checked = 0;
    while let Some(path) = paths.pop() {
        let words: Vec<&str> = path.iter().map(String::as_str).collect();
        let help = stockade(&[&words[..], &["--help"]].concat());
        help.exits(0);
        let command = format!("  stockade {}", words.join(" "));
        let example = help.stdout.split_once("\nExample:\n").unwrap_or_else(|| panic!("{words:?} has no example")).1;
        let shown = example
            .lines()
            .any(|line| line.replace(" --json", "").starts_with(command.trim_end()) && !line.contains("--help"));
        assert!(shown, "the example of {words:?} does not use it: {example}");
        checked += 1;
        paths.extend(commands_of(&words).into_iter().map(|name| [path.clone(), vec![name]].concat()));
    }
    assert!(checked >= 42, "only {checked} commands were found");
}

#[test]
fn the_help_of_serve_names_its_variables() {
    let help = stockade(&["serve", "--help"]).stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    for variable in
        ["STOCKADE_CONFIG", "STOCKADE_DATA", "STOCKADE_LISTEN", "STOCKADE_ADMIN_LISTEN", "STOCKADE_DURABILITY"]
    {
        assert!(help.contains(&format!("[env: {variable}")), "{variable}: {help}");
    }
}

#[test]
fn no_help_shows_a_token() {
    let help = crate::support::stockade_with(&[("STOCKADE_TOKEN", "correct-horse-battery")], &["claim", "--help"]);
    assert!(help.stdout.contains("STOCKADE_TOKEN"), "{}", help.stdout);
    assert!(!help.stdout.contains("correct-horse-battery"), "{}", help.stdout);
}

#[test]
fn the_version_is_the_package_s() {
    assert_eq!(stockade(&["--version"]).exits(0).stdout, format!("stockade {}\n", env!("CARGO_PKG_VERSION")));
}
