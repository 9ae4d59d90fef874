use super::{Stage, Target, Test, binary_id, resolve};
use crate::parity::fixture::tree;

fn repository() -> crate::parity::tree::Tree {
    let test = "#[test]\nfn holds() {}\n";
    tree(&[
        ("crates/a/Cargo.toml", "[package]\nname = \"a\"\n"),
        ("crates/a/src/lib.rs", test),
        ("crates/a/src/b/c/tests.rs", test),
        (
            "crates/a/src/inline.rs",
            "mod tests { #[test] fn holds() {} }",
        ),
        ("crates/a/tests/gate.rs", test),
        ("crates/a/tests/it/main.rs", test),
        ("crates/a/tests/it/deep/case.rs", test),
        ("crates/a/tests/it/support/mod.rs", test),
        (
            "crates/cli/Cargo.toml",
            "[package]\nname = \"cli\"\n[[bin]]\nname = \"arco\"\n",
        ),
        ("crates/cli/src/main.rs", test),
        ("xtask/Cargo.toml", "[package]\nname = \"xtask\"\n"),
        ("xtask/src/parity/tests.rs", test),
        ("python/arco/pyproject.toml", "[tool.pytest.ini_options]\n"),
        (
            "python/arco/tests/io/test_x.py",
            "class TestA:\n    def test_b(self): ...\n",
        ),
        ("examples/f/pyproject.toml", "[tool.pytest.ini_options]\n"),
        (
            "examples/f/tests/test_y.py",
            "def test_c(): ...\ndef helper(): ...\n",
        ),
        ("scripts/test_z.py", "def test_d(): ...\n"),
    ])
}

/// `binary name` of a Rust test, `root id` of a Python one, or the fault.
fn resolved(id: &str) -> String {
    match resolve(&repository(), "SCH-01", id) {
        Ok(Test::Rust {
            package,
            target,
            name,
        }) => format!("{} {name}", binary_id(&package, &target)),
        Ok(Test::Python {
            root,
            file,
            classes,
            name,
        }) => format!("{root} {file} {} {name}", classes.join("+")),
        Err(fault) => fault.to_string(),
    }
}

#[test]
fn rust_tests_have_the_names_nextest_gives_them() {
    for (id, name) in [
        ("crates/a/src/lib.rs::holds", "a holds"),
        ("crates/a/src/b/c/tests.rs::holds", "a b::c::tests::holds"),
        ("crates/a/src/inline.rs::holds", "a inline::tests::holds"),
        (
            "crates/a/src/inline.rs::tests::holds",
            "a inline::tests::holds",
        ),
        ("crates/a/tests/gate.rs::holds", "a::gate holds"),
        ("crates/a/tests/it/main.rs::holds", "a::it holds"),
        (
            "crates/a/tests/it/deep/case.rs::holds",
            "a::it deep::case::holds",
        ),
        (
            "crates/a/tests/it/support/mod.rs::holds",
            "a::it support::holds",
        ),
        ("crates/cli/src/main.rs::holds", "cli::bin/arco holds"),
        (
            "xtask/src/parity/tests.rs::holds",
            "xtask::bin/xtask parity::tests::holds",
        ),
    ] {
        assert_eq!(resolved(id), name, "{id}");
    }
}

#[test]
fn python_tests_start_where_pytest_is_configured() {
    assert_eq!(
        resolved("python/arco/tests/io/test_x.py::TestA::test_b"),
        "python/arco tests/io/test_x.py TestA test_b"
    );
    assert_eq!(
        resolved("examples/f/tests/test_y.py::test_c"),
        "examples/f tests/test_y.py  test_c"
    );
}

#[test]
fn stage_follows_from_the_place() {
    let stage = |id| resolve(&repository(), "", id).unwrap().stage();
    assert_eq!(stage("crates/a/tests/gate.rs::holds"), Stage::Rust);
    assert_eq!(
        stage("python/arco/tests/io/test_x.py::TestA::test_b"),
        Stage::Python
    );
    assert_eq!(stage("examples/f/tests/test_y.py::test_c"), Stage::Example);
}

#[test]
fn what_cannot_be_run_is_told() {
    for (id, told) in [
        (
            "crates/a/src/lib.rs",
            "SCH-01: test-exists: test `crates/a/src/lib.rs` is not of the form",
        ),
        (
            "crates/a/src/gone.rs::holds",
            "SCH-01: path-exists: `crates/a/src/gone.rs`",
        ),
        ("crates/a/src/lib.rs::gone", "is not defined there"),
        (
            "examples/f/tests/test_y.py::helper",
            "does not begin with `test`",
        ),
        ("scripts/test_z.py::test_d", "lies below no pyproject.toml"),
    ] {
        assert!(resolved(id).contains(told), "{id}: {}", resolved(id));
    }
}

#[test]
fn name_of_two_tests_asks_for_the_module() {
    let twice = "mod a { #[test] fn holds() {} } mod b { #[test] fn holds() {} }";
    let tree = tree(&[
        ("crates/a/Cargo.toml", "[package]\nname = \"a\"\n"),
        ("crates/a/src/lib.rs", twice),
    ]);
    let fault = resolve(&tree, "SCH-01", "crates/a/src/lib.rs::holds").unwrap_err();
    assert!(fault.text.contains("the name of 2 tests"), "{fault}");
    let test = resolve(&tree, "SCH-01", "crates/a/src/lib.rs::b::holds").unwrap();
    let expected = Test::Rust {
        package: "a".into(),
        target: Target::Lib,
        name: "b::holds".into(),
    };
    assert_eq!(test, expected);
}
