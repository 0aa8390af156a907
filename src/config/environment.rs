//! The environment: which variables set a key, and which were probably meant to.

use std::ffi::OsString;

use super::keys::{ENVIRONMENT_OF_COMMANDS, ENVIRONMENT_PREFIX, KEYS, Key};
use super::problem::{Origin, Problem};

/// Letters by which a mistyped name may differ from a valid one. Not more: Kubernetes puts names such as
/// `STOCKADE_SERVICE_HOST` and `STOCKADE_PORT_7400_TCP` into every container beside a service called stockade, and a
/// server that refuses them cannot start there. So an unknown variable is no mistake unless it is nearly a known one.
const TYPING_ERRORS_MAX: usize = 2;

/// A key, the variable that sets it, and the value; or the key that was meant, and the problem.
type Selected = Result<(&'static Key, String, OsString), (&'static Key, Problem)>;

/// The variables that concern us, in order of name so that problems come out the same at every start.
pub(super) fn select(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Vec<Selected> {
    let mut ours: Vec<(String, OsString)> = variables
        .into_iter()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
        .filter(|(name, _)| name.starts_with(ENVIRONMENT_PREFIX) && !ENVIRONMENT_OF_COMMANDS.contains(&name.as_str()))
        .collect();
    ours.sort();
    ours.into_iter().filter_map(|(name, value)| selected(name, value)).collect()
}

fn selected(name: String, value: OsString) -> Option<Selected> {
    if let Some(key) = KEYS.iter().find(|key| key.environment() == name) {
        return Some(Ok((key, name, value)));
    }
    let key = KEYS.iter().find(|key| is_meant(key, &name))?;
    let origin = Origin::Environment(name);
    Some(Err((key, Problem::of_whole(origin, "unknown variable".to_owned(), Some(key.environment())))))
}

fn is_meant(key: &Key, name: &str) -> bool {
    key.environment_guesses().iter().any(|guess| guess == name)
        || strsim::damerau_levenshtein(&key.environment(), name) <= TYPING_ERRORS_MAX
}
