//! Which code locations an `arco dev` serves: those named on its command line, or those of `arco.toml`.
//!
//! ```toml
//! [[location]]
//! target = "sales/definitions.py"       # as on the command line; a file is meant from this file's folder
//! name = "sales"                        # from the target when not given
//! python = "sales/.venv/bin/python"     # as --python; a path is meant from this file's folder
//! slots = 4                             # as --slots
//! ```

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::command::worker::PythonOptions;
use crate::failure::{Attempt, Failure, Outcome};
use crate::target::{Target, parse_location};

#[cfg(test)]
mod tests;

/// The file that is read when no target is given.
const FILE: &str = "arco.toml";

/// One code location: its code and how Python runs for it.
#[derive(Debug, Clone)]
pub(crate) struct Location {
    pub(crate) name: String,
    /// As it was written.
    pub(crate) text: String,
    pub(crate) target: Target,
    /// Where Python works.
    pub(crate) working_dir: PathBuf,
    pub(crate) python: PythonOptions,
}

/// Which code locations were asked for. Shared with `tick`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Locations<'a> {
    /// Targets on the command line.
    pub(crate) targets: &'a [String],
    /// The file that says them, when none is given.
    pub(crate) workspace_file: Option<&'a Path>,
    /// Name of the location, when there is one.
    pub(crate) name: Option<&'a str>,
    /// How Python runs, where the file says nothing else.
    pub(crate) python: &'a PythonOptions,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    location: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    target: String,
    name: Option<String>,
    python: Option<PathBuf>,
    slots: Option<u32>,
}

/// The locations to serve; at least one, each with a name of its own.
impl Locations<'_> {
    /// Reads them.
    pub(crate) fn read(&self, current: &Path) -> Outcome<Vec<Location>> {
        read(self, current)
    }

    /// Whether there is a file that says them, in case no target does.
    pub(crate) fn has_file(&self, current: &Path) -> bool {
        current.join(FILE).exists()
    }
}

fn read(options: &Locations<'_>, current: &Path) -> Outcome<Vec<Location>> {
    let locations = match options.targets {
        [] => of_file(options, current)?,
        targets => of_targets(options, targets, current)?,
    };
    let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
    for location in &locations {
        if let Some(other) = seen.insert(&location.name, &location.text) {
            return Err(Failure::new(format!(
                "could not serve `{other}` and `{}` at once: both become code location `{}`",
                location.text, location.name
            ))
            .hint(format!(
                "an `{FILE}` with `name =` for each gives them names of their own"
            )));
        }
    }
    Ok(locations)
}

fn of_targets(
    options: &Locations<'_>,
    targets: &[String],
    current: &Path,
) -> Outcome<Vec<Location>> {
    if options.name.is_some() && targets.len() > 1 {
        return Err(Failure::new(format!(
            "`--name` names one code location, and {} targets are given",
            targets.len()
        ))
        .hint(format!(
            "an `{FILE}` with `name =` for each gives them names of their own"
        )));
    }
    let one = |text: &String| {
        let target = Target::parse(text, current)?;
        Ok(Location {
            name: options
                .name
                .map_or_else(|| target.name.clone(), ToOwned::to_owned),
            text: text.clone(),
            working_dir: target.working_dir(current),
            target,
            python: options.python.clone(),
        })
    };
    targets.iter().map(one).collect()
}

fn of_file(options: &Locations<'_>, current: &Path) -> Outcome<Vec<Location>> {
    let file = current.join(options.workspace_file.unwrap_or(Path::new(FILE)));
    if options.workspace_file.is_none() && !file.exists() {
        return Err(Failure::new(format!(
            "nothing to serve: no target is given, and there is no `{FILE}` here"
        ))
        .hint("arco dev path/to/definitions.py"));
    }
    let shown = file.display();
    let text = std::fs::read_to_string(&file).attempt(|| format!("could not read `{shown}`"))?;
    let read: File = toml::from_str(&text)
        .attempt(|| format!("`{shown}` does not say code locations"))
        .map_err(|failure| failure.hint("[[location]] target = \"sales/definitions.py\""))?;
    if read.location.is_empty() {
        return Err(Failure::new(format!("`{shown}` has no `[[location]]`"))
            .hint("[[location]] target = \"sales/definitions.py\""));
    }
    let folder = file.parent().unwrap_or(current);
    let entries = read.location.into_iter();
    entries
        .map(|entry| of_entry(entry, options, folder, &file))
        .collect()
}

fn of_entry(
    entry: Entry,
    options: &Locations<'_>,
    folder: &Path,
    file: &Path,
) -> Outcome<Location> {
    let target = Target::parse(&entry.target, folder)?;
    let name = entry.name.unwrap_or_else(|| target.name.clone());
    let name = parse_location(&name).map_err(|reason| {
        Failure::new(format!(
            "`{}` names a location `{name}`: {reason}",
            file.display()
        ))
    })?;
    let mut python = options.python.clone();
    if let Some(path) = entry.python {
        // A bare name is looked up on the path; anything else is meant from the file.
        python.python = Some(match path.components().count() {
            1 => path,
            _ => folder.join(path),
        });
    }
    python.slots = entry.slots.or(python.slots);
    Ok(Location {
        name,
        text: entry.target,
        // Each location is a project of its own: its Python works in its folder.
        working_dir: target.folder.clone(),
        target,
        python,
    })
}
