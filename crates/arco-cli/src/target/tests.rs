use super::{Target, parse_location};
use crate::render::Paint;

struct Case(tempfile::TempDir);

impl Case {
    fn new(files: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        Self(folder)
    }

    /// `text · folder · name`, with the folder of the case left out.
    fn check(&self, text: &str) -> String {
        let shown = match Target::parse(text, self.0.path()) {
            Ok(target) => format!(
                "{} · {} · {}",
                target.text,
                target.folder.display(),
                target.name
            ),
            Err(failure) => failure.render(Paint::new(false)),
        };
        shown.replace(&*self.0.path().to_string_lossy(), "~")
    }
}

#[test]
fn file_that_says_nothing_is_named_after_its_folder() {
    let case = Case::new(&["flights/definitions.py", "sales.py"]);
    assert_eq!(
        case.check("flights/definitions.py"),
        "~/flights/definitions.py · ~/flights · flights"
    );
    assert_eq!(case.check("sales.py:defs"), "~/sales.py:defs · ~ · sales");
}

#[test]
fn module_is_named_after_its_package() {
    let case = Case::new(&[]);
    assert_eq!(
        case.check("sales.assets:defs"),
        "sales.assets:defs · ~ · sales"
    );
}

#[test]
fn missing_file_is_said_before_python_starts() {
    let case = Case::new(&["folder/x.py"]);
    insta::assert_snapshot!(case.check("nowhere.py"), @r"
    error: could not load `nowhere.py`: it does not exist; name a Python file or a module
    hint: arco dev path/to/definitions.py
    ");
    assert!(case.check("folder").contains("it is a folder"));
    assert!(case.check("x.py:a-b").contains("no Python name"));
}

#[test]
fn odd_characters_do_not_reach_location_names() {
    let case = Case::new(&["my project/definitions.py", ".hidden/defs.py"]);
    assert!(
        case.check("my project/definitions.py")
            .ends_with("· my_project")
    );
    assert!(case.check(".hidden/defs.py").ends_with("· hidden"));
}

#[test]
fn location_names_stay_in_their_folder() {
    assert_eq!(
        parse_location("flights-2.prod").as_deref(),
        Ok("flights-2.prod")
    );
    for bad in ["", "..", ".hidden", "a/b", "ä", &"x".repeat(101)] {
        assert!(
            parse_location(bad)
                .unwrap_err()
                .contains("such as `flights`"),
            "{bad}"
        );
    }
}
