//! What `arco dev definitions.py` names: the code to load and the location it becomes.

use std::path::{Path, PathBuf};

use crate::failure::{Failure, Outcome};

#[cfg(test)]
mod tests;

/// Locations name folders and stand in every lease.
const LOCATION_MAX: usize = 100;

/// File names that say nothing about the project; its folder does.
const NONDESCRIPT: [&str; 5] = ["definitions", "defs", "main", "assets", "__init__"];

/// User code: a file or a module, with the attribute that holds the definitions or without.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    /// As Python gets it: a file is absolute, so that it does not depend on the working folder.
    pub(crate) text: String,
    /// The folder Python works in: the one of a file, the current one for a module.
    pub(crate) folder: PathBuf,
    /// The name a location gets when nobody gives it one.
    pub(crate) name: String,
}

impl Target {
    /// Reads `definitions.py`, `definitions.py:attr`, `package.module` or `package.module:attr`.
    pub(crate) fn parse(text: &str, current: &Path) -> Outcome<Self> {
        let (place, attribute) = match text.rsplit_once(':') {
            Some((place, attribute)) if is_identifier(attribute) => (place, Some(attribute)),
            Some((_, attribute)) => {
                return Err(Failure::new(format!(
                    "`{text}` names `{attribute}`, which is no Python name; targets look like \
                     `definitions.py:defs` or `package.module:defs`"
                )));
            }
            None => (text, None),
        };
        if is_module(place) && !current.join(place).exists() {
            return Ok(Self {
                text: text.to_owned(),
                folder: current.to_owned(),
                name: location_name(place.split('.').next().unwrap_or(place)),
            });
        }
        let file = current.join(place);
        let file = std::path::absolute(&file).unwrap_or(file);
        if !file.is_file() {
            let what = if file.is_dir() {
                "is a folder"
            } else {
                "does not exist"
            };
            return Err(Failure::new(format!(
                "could not load `{place}`: it {what}; name a Python file or a module"
            ))
            .hint("arco dev path/to/definitions.py"));
        }
        let folder = file.parent().unwrap_or(current).to_owned();
        Ok(Self {
            text: match attribute {
                Some(attribute) => format!("{}:{attribute}", file.display()),
                None => file.display().to_string(),
            },
            name: name_of_file(&file),
            folder,
        })
    }
}

impl Target {
    /// Where Python works: where the person does, as if they had called it themselves, so that relative
    /// paths in user code mean what they mean in a shell. For a file elsewhere, its folder: that is
    /// the project, and its files are watched for changes.
    pub(crate) fn working_dir(&self, current: &Path) -> PathBuf {
        if self.folder.starts_with(current) {
            current.to_owned()
        } else {
            self.folder.clone()
        }
    }
}

fn name_of_file(file: &Path) -> String {
    let stem = file
        .file_stem()
        .map(|stem| stem.to_string_lossy())
        .unwrap_or_default();
    if !NONDESCRIPT.contains(&stem.as_ref()) {
        return location_name(&stem);
    }
    let folder = file
        .parent()
        .and_then(Path::file_name)
        .map(|name| name.to_string_lossy());
    folder.map_or_else(|| location_name(&stem), |folder| location_name(&folder))
}

/// Location names stand in tokens, principals and URLs: what is not a plain character becomes `_`.
fn location_name(text: &str) -> String {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() || "_-.".contains(c) {
            c
        } else {
            '_'
        }
    };
    // A name that begins with a dot would be a hidden folder, or the one above.
    let name: String = text.trim_start_matches('.').chars().map(plain).collect();
    if name.is_empty() {
        "default".into()
    } else {
        name
    }
}

/// Reads the name of a code location given by a person.
pub(crate) fn parse_location(text: &str) -> Result<String, String> {
    if !text.starts_with('.') && location_name(text) == text && text.len() <= LOCATION_MAX {
        Ok(text.to_owned())
    } else {
        Err(format!(
            "names of code locations have up to {LOCATION_MAX} letters, digits, `_`, `-` and `.`, such as `flights`"
        ))
    }
}

fn is_identifier(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c.is_alphabetic() || c == '_')
        && chars.all(|c| c.is_alphanumeric() || c == '_')
}

fn is_module(text: &str) -> bool {
    !text.ends_with(".py") && text.split('.').all(is_identifier)
}
