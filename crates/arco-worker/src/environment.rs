//! The environment Python gets: the host's own, without credentials.
//!
//! User code can read its environment, print it and send it anywhere, so nothing that opens the
//! control plane may be in it. Three rules, each for a way a secret gets there: Arco's variables by
//! name, the names the caller lists, and *any* variable that contains the host's token, whatever it
//! is called (`arco worker --token "$CI_TOKEN"`).

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use crate::settings::Settings;

#[cfg(test)]
mod tests;

/// Words that make a variable of Arco's a credential.
const SECRET_WORDS: [&str; 7] = [
    "TOKEN",
    "SECRET",
    "PASSWORD",
    "PASSWD",
    "CREDENTIAL",
    "KEY",
    "AUTH",
];

/// A shorter token would match by chance; none that Arco makes is.
const TOKEN_LENGTH_MIN: usize = 8;

/// The environment of zygote and children.
pub(crate) fn for_python(
    settings: &Settings,
    inherited: impl IntoIterator<Item = (OsString, OsString)>,
) -> Vec<(OsString, OsString)> {
    let mut kept: Vec<(OsString, OsString)> = inherited
        .into_iter()
        .filter(|(name, value)| !is_secret(settings, name, value))
        .collect();
    for (name, value) in &settings.environment {
        set(&mut kept, name.as_ref(), value.as_ref());
    }
    if let Some(storage) = &settings.storage {
        set(&mut kept, "ARCO_STORAGE".as_ref(), storage.as_ref());
    }
    kept
}

fn is_secret(settings: &Settings, name: &OsStr, value: &OsStr) -> bool {
    let name = name.to_string_lossy();
    let upper = name.to_ascii_uppercase();
    let by_name =
        upper.starts_with("ARCO_") && SECRET_WORDS.iter().any(|word| upper.contains(word));
    let token = settings.token.reveal();
    let by_value = token.len() >= TOKEN_LENGTH_MIN && value.to_string_lossy().contains(token);
    by_name || by_value || settings.scrub.iter().any(|listed| *listed == name)
}

fn set(environment: &mut Vec<(OsString, OsString)>, name: &OsStr, value: &OsStr) {
    environment.retain(|(known, _)| known != name);
    environment.push((name.to_owned(), value.to_owned()));
}

/// The interpreter to use for code in `working_dir` when none is named: the active virtual
/// environment, else `.venv` in the folder or one of its parents, else `python3`.
#[must_use]
pub fn find_python(working_dir: &std::path::Path) -> PathBuf {
    let active = std::env::var_os("VIRTUAL_ENV").map(PathBuf::from);
    let parents = working_dir.ancestors().map(|folder| folder.join(".venv"));
    active
        .into_iter()
        .chain(parents)
        .map(|environment| environment.join("bin/python"))
        .find(|python| python.exists())
        .unwrap_or_else(|| "python3".into())
}
