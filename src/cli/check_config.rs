//! `stockade check-config`: what a server would make of a file.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::exit::{Exit, Failure};
use super::output;
use crate::config::{Effective, Loader, Origin, Problem, Problems, Shown};

/// Checks a configuration file as `serve` would read it, the environment included
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  stockade check-config config/stockade.toml\n\n\
    Prints ok and the value of every key with where it comes from, or every problem with its line, and exit status 2.")]
pub(super) struct CheckConfig {
    /// The file
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

#[derive(Serialize)]
struct ProblemLine {
    file: Option<String>,
    line: Option<usize>,
    key: Option<String>,
    nearest: Option<String>,
    problem: String,
}

impl CheckConfig {
    pub(super) fn run(
        &self,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
        json: bool,
    ) -> Result<Exit, Failure> {
        match Loader::new().file(&self.file).environment(environment).finish() {
            Ok(loaded) if json => output::json(&json!({ "ok": true, "values": values(loaded.effective()) }))?,
            Ok(loaded) => output::write(&lines(&loaded.effective().collect::<Vec<_>>()))?,
            Err(problems) => {
                if json {
                    output::json(&json!({ "ok": false, "problems": problem_lines(&problems) }))?;
                }
                return Err(Failure::usage(problems.to_string()));
            }
        }
        Ok(Exit::Done)
    }
}

/// `ok`, then one line for each key, as a file would set it, and where the value comes from.
fn lines(effective: &[Effective]) -> String {
    let setting = |effective: &Effective| format!("{} = {}", effective.key, effective.value);
    let width = effective.iter().map(|effective| setting(effective).chars().count()).max().unwrap_or(0);
    effective.iter().fold("ok\n".to_owned(), |text, effective| {
        let setting = setting(effective);
        text + &format!("{setting:<width$}  # {}\n", effective.origin)
    })
}

fn values(effective: impl Iterator<Item = Effective>) -> Map<String, Value> {
    effective
        .map(|effective| {
            let value = match effective.value {
                Shown::Number(number) => json!(number),
                Shown::Text(text) => json!(text),
                Shown::Switch(switch) => json!(switch),
                Shown::Hidden(tokens) => json!({ "hidden_tokens": tokens }),
            };
            (effective.key.to_owned(), json!({ "value": value, "origin": effective.origin.to_string() }))
        })
        .collect()
}

fn problem_lines(problems: &Problems) -> Vec<ProblemLine> {
    let line = |problem: &Problem| {
        let (file, line) = match &problem.origin {
            Origin::File { path, line } => (Some(path.clone()), *line),
            Origin::Default | Origin::Environment(_) | Origin::Flag(_) => (None, None),
        };
        let (key, nearest) = (problem.key.clone(), problem.nearest.clone());
        ProblemLine { file, line, key, nearest, problem: problem.to_string() }
    };
    problems.all().iter().map(line).collect()
}
