//! docs/tour.md: its commands run in order, exit as it says, and print what it shows.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::real_server::RealServer;

const PAGE: &str = include_str!("../../docs/tour.md");

/// What stands before the output of each block of commands.
const MARK: &str = "=== block ";

/// A block of commands, and the output that the page shows of it.
struct Step {
    commands: String,
    shown: Option<String>,
}

/// The blocks of commands of the page, each with the block of text that follows it.
fn steps(page: &str) -> Vec<Step> {
    let (mut steps, mut lines) = (Vec::new(), page.lines());
    while let Some(line) = lines.next() {
        let Some(language) = line.strip_prefix("```") else { continue };
        let block: String = lines.by_ref().take_while(|line| *line != "```").flat_map(|line| [line, "\n"]).collect();
        match (language, steps.last_mut()) {
            ("sh", _) => steps.push(Step { commands: block, shown: None }),
            ("text", Some(Step { shown: shown @ None, .. })) => *shown = Some(block),
            other => panic!("a block of {other:?} that follows no commands", other = other.0),
        }
    }
    steps
}

/// The output of each block, complaints included.
fn run(steps: &[Step]) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a folder");
    let server = RealServer::start(&folder.path().join("data").display().to_string(), &[]);
    let block = |(number, step): (usize, &Step)| format!("echo '{MARK}{number}'\n{}", step.commands);
    let script: String = steps.iter().enumerate().map(block).collect();
    let binaries = Path::new(env!("CARGO_BIN_EXE_stockade")).parent().expect("it is in a folder").display();
    let ran = Command::new("sh")
        .args(["-eu", "-c", &["exec 2>&1\n", &script].concat()])
        .env_clear()
        .env("PATH", format!("{binaries}:/usr/bin:/bin"))
        .env("STOCKADE_SERVER", &server.address)
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .output()
        .expect("there is a shell");
    let output = String::from_utf8(ran.stdout).expect("results are UTF-8");
    assert!(ran.status.success(), "a command exits otherwise than the page says:\n{output}");
    assert!(server.leave().success(), "the server leaves with exit status 0");
    output.split(MARK).skip(1).map(|part| part.split_once('\n').expect("a number").1.to_owned()).collect()
}

/// The text without what differs from run to run: times, epochs, and the width of columns.
fn settled(text: &str) -> String {
    let mut settled = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let is_start = settled.chars().next_back().is_none_or(|before| !before.is_ascii_alphanumeric());
        let (word, length) = match is_start.then(|| time_length(rest)).flatten() {
            Some(length) => ("TIME", length),
            None if is_start && (is_behind_epoch(&settled) || is_place(&settled, rest)) => ("N", digits(rest)),
            None => ("", 0),
        };
        if length > 0 {
            settled.push_str(word);
            rest = &rest[length..];
        } else {
            settled.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    settled.lines().map(words).collect::<Vec<_>>().join("\n")
}

/// Bytes of the date or instant at the front.
fn time_length(text: &str) -> Option<usize> {
    const DATE: &str = "0000-00-00";
    let looks = text.get(..DATE.len())?.chars().map(|it| if it.is_ascii_digit() { '0' } else { it });
    let is_date = looks.eq(DATE.chars());
    let clock = text[DATE.len()..].strip_prefix('T').and_then(|clock| clock.find('Z'));
    is_date.then(|| DATE.len() + clock.map_or(0, |length| length + 2))
}

/// Whether the number of an epoch is next.
fn is_behind_epoch(text: &str) -> bool {
    text.trim_end_matches([' ', '"', ':']).ends_with("epoch")
}

/// Whether a place in the feed is next: epoch and index at the beginning of a line.
fn is_place(before: &str, text: &str) -> bool {
    let is_first = before.is_empty() || before.ends_with('\n');
    is_first && text.trim_start_matches(|it: char| it.is_ascii_digit()).starts_with(':')
}

fn digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

#[test]
fn one_coupon_through_its_whole_life() {
    let steps = steps(PAGE);
    assert!(steps.len() >= 10, "the page has {} blocks of commands", steps.len());
    let outputs = run(&steps);
    for (step, output) in steps.iter().zip(&outputs) {
        if let Some(shown) = &step.shown {
            assert_eq!(settled(output), settled(shown), "the page shows something else of:\n{}", step.commands);
        }
    }

    let output_of = |command: &str| {
        let number = steps.iter().position(|step| step.commands.contains(command)).expect(command);
        outputs[number].as_str()
    };
    let kinds: Vec<Value> = output_of("stockade feed --json")
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("an event")["kind"].clone())
        .collect();
    assert_eq!(
        kinds,
        [
            "batch_created",
            "batch_changed",
            "reserved",
            "extended",
            "confirmed",
            "locked",
            "redeemed",
            "restored",
            "returned",
            "granted",
            "voided",
        ]
    );
    assert!(output_of("coupon return").contains("new serial  1\n"), "the unit came back under a new number");
    let claimed: Value = serde_json::from_str(output_of("stockade claim 1 --user 8 --request 601")).expect("a line");
    assert_eq!((&claimed["status"], &claimed["serials"]), (&"GRANTED".into(), &serde_json::json!([1])));
}

#[test]
fn only_times_epochs_and_widths_may_differ() {
    let one = "41:0  2026-11-27T12:00:00.5Z  locked  serial 41\nepoch   41\n{\"epoch\":41,\"day\":\"2026-11-27\"}";
    let same = "7:0  2027-01-01T00:00:00Z  locked  serial 41\nepoch 7\n{\"epoch\":1234,\"day\":\"2027-01-01\"}";
    assert_eq!(settled(one), settled(same));
    assert_eq!(settled(one), "N:0 TIME locked serial 41\nepoch N\n{\"epoch\":N,\"day\":\"TIME\"}");
    for other in [
        one.replace("locked", "granted"),
        one.replace("41:0", "41:1"),
        one.replace("serial 41", "serial 42"),
        one.replace("T12", " 12"),
    ] {
        assert_ne!(settled(one), settled(&other), "{other}");
    }
}

#[test]
fn blocks_belong_to_the_commands_before_them() {
    let steps = steps("a\n```sh\nb\nc\n```\nd\n```text\ne\n```\n```sh\nf\n```\n");
    assert_eq!((steps[0].commands.as_str(), steps[0].shown.as_deref()), ("b\nc\n", Some("e\n")));
    assert_eq!((steps[1].commands.as_str(), steps[1].shown.as_deref()), ("f\n", None));
}
