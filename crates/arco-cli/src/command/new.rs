//! `arco new`: a project that works, to begin with.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use crate::console::Console;
use crate::failure::{Attempt, Exit, Failure, Outcome};

#[cfg(test)]
mod tests;

/// The files of a new project: place, and text in which `PROJECT` stands for its name.
const FILES: [(&str, &str); 6] = [
    ("README.md", include_str!("new/template/README.md")),
    (
        "pyproject.toml",
        include_str!("new/template/pyproject.toml"),
    ),
    (".gitignore", include_str!("new/template/gitignore")),
    (
        "PROJECT/__init__.py",
        include_str!("new/template/package.py"),
    ),
    (
        "PROJECT/definitions.py",
        include_str!("new/template/definitions.py"),
    ),
    (
        "tests/test_definitions.py",
        include_str!("new/template/tests/test_definitions.py"),
    ),
];

/// Make a project that `arco dev` runs
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Folder of the project; its last part is the name, as Python has names
    project: PathBuf,
}

pub(crate) fn run(options: &Options, console: &Console) -> Outcome {
    let folder = &options.project;
    let name = name_of(folder)?;
    if folder.exists() && !is_empty(folder) {
        return Err(Failure::new(format!(
            "could not make a project in `{}`: it is there already, and not empty",
            folder.display()
        ))
        .hint("arco new another_name"));
    }
    for (place, text) in FILES {
        let file = folder.join(place.replace("PROJECT", &name));
        if let Some(parent) = file.parent() {
            std::fs::create_dir_all(parent)
                .attempt(|| format!("could not make the folder `{}`", parent.display()))?;
        }
        std::fs::write(&file, text.replace("PROJECT", &name))
            .attempt(|| format!("could not write `{}`", file.display()))?;
    }
    let target = format!("{name}/definitions.py");
    let made = json!({"project": name, "folder": folder, "target": target});
    console.document(&made, |_| {
        format!("made project `{name}` in {}", folder.display())
    });
    console.hint(&format!("cd {} && arco dev {target}", folder.display()));
    Ok(Exit::Success)
}

/// The name of the project, which is the name of its package.
fn name_of(folder: &Path) -> Outcome<String> {
    let last = folder.file_name().and_then(|name| name.to_str());
    let good = |name: &&str| {
        let mut chars = name.chars();
        let first = chars.next().is_some_and(|c| c.is_ascii_lowercase());
        first && chars.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    match last {
        // `tests` stands beside it.
        Some(name) if good(&name) && name != "tests" => Ok(name.to_owned()),
        _ => {
            let shown = folder.display();
            Err(Failure::new(format!(
                "could not make the project `{shown}`: its name is the name of a Python package, lower-case \
                 letters, digits and `_`, such as `daily_sales`"
            )))
        }
    }
}

fn is_empty(folder: &Path) -> bool {
    std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none())
}
