use clap::Parser;

use super::FILE;
use crate::args::{Arguments, Command};

/// The locations of a call in a folder with these files: `name=target` of each, or why not.
fn locations(files: &[(&str, &str)], arguments: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let file = folder.path().join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }
    let parsed = Arguments::try_parse_from([&["arco", "dev"], arguments].concat()).unwrap();
    let Command::Dev(options) = parsed.command else {
        panic!("dev")
    };
    let place = folder.path().display().to_string();
    match options.locations().read(folder.path()) {
        Err(failure) => failure
            .render(crate::render::Paint::new(false))
            .replace(&place, "HERE"),
        Ok(locations) => {
            let shown = locations.iter().map(|location| {
                let python = location.python.python.as_ref();
                let python = python.map(|path| format!(" by {}", path.display()));
                format!(
                    "{}={}{}",
                    location.name,
                    location.text,
                    python.unwrap_or_default()
                )
            });
            shown.collect::<Vec<_>>().join(", ").replace(&place, "HERE")
        }
    }
}

#[test]
fn targets_of_the_command_line_are_locations() {
    let files = [("a.py", ""), ("sub/definitions.py", "")];
    assert_eq!(
        locations(&files, &["a.py", "sub/definitions.py"]),
        "a=a.py, sub=sub/definitions.py"
    );
    assert_eq!(locations(&files, &["a.py", "--name", "x"]), "x=a.py");
    let two = locations(&files, &["a.py", "sub/definitions.py", "--name", "x"]);
    assert!(
        two.contains("`--name` names one code location, and 2 targets are given"),
        "{two}"
    );
    let twice = locations(&[("x/a.py", ""), ("y/a.py", "")], &["x/a.py", "y/a.py"]);
    assert!(twice.contains("both become code location `a`"), "{twice}");
}

#[test]
fn the_file_says_locations_with_names_and_interpreters() {
    let text = r#"
        [[location]]
        target = "sales/definitions.py"
        python = "sales/.venv/bin/python"

        [[location]]
        target = "ops/definitions.py"
        name = "operations"
        python = "python3"
        slots = 2
    "#;
    let files = [
        (FILE, text),
        ("sales/definitions.py", ""),
        ("ops/definitions.py", ""),
    ];
    assert_eq!(
        locations(&files, &[]),
        "sales=sales/definitions.py by HERE/sales/.venv/bin/python, operations=ops/definitions.py by python3"
    );
}

#[test]
fn what_says_no_locations_is_told_with_the_mend() {
    let nothing = locations(&[], &[]);
    assert!(
        nothing.contains("no target is given, and there is no `arco.toml` here"),
        "{nothing}"
    );
    let rows = [
        ("", "has no `[[location]]`"),
        ("[[location]]\nname = \"x\"", "missing field `target`"),
        (
            "[[location]]\ntarget = \"a.py\"\ncolour = 1",
            "unknown field `colour`",
        ),
        (
            "[[location]]\ntarget = \"a.py\"",
            "`a.py`: it does not exist",
        ),
    ];
    for (text, expected) in rows {
        let said = locations(&[(FILE, text)], &[]);
        assert!(said.contains(expected), "{text}: {said}");
    }
}
