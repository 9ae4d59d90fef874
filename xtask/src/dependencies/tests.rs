use std::collections::BTreeSet;

use super::{Package, Skip, duplicate_faults, licence, licence_faults};

fn allowed(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

#[test]
fn licence_expressions_are_judged() {
    let allowed = allowed(&[
        "MIT",
        "Apache-2.0",
        "Apache-2.0 WITH LLVM-exception",
        "Unicode-3.0",
    ]);
    for (expression, expected) in [
        ("MIT", Some("MIT")),
        ("MIT OR GPL-3.0", Some("MIT")),
        ("GPL-3.0 OR MIT", Some("MIT")),
        ("MIT/Apache-2.0", Some("MIT")),
        ("Apache-2.0+", Some("Apache-2.0")),
        (
            "Apache-2.0 WITH LLVM-exception OR GPL-3.0",
            Some("Apache-2.0 WITH LLVM-exception"),
        ),
        ("(MIT OR GPL-3.0) AND Unicode-3.0", Some("MIT+Unicode-3.0")),
        ("MIT AND GPL-3.0", None),
        ("GPL-3.0", None),
        ("GPL-3.0 WITH LLVM-exception", None),
        ("(MIT", None),
        ("MIT Apache-2.0", None),
        ("", None),
    ] {
        let used = licence::satisfied_by(expression, &allowed);
        let used = used.map(|names| names.into_iter().collect::<Vec<_>>().join("+"));
        assert_eq!(used.as_deref(), expected, "{expression:?}");
    }
}

fn package(name: &str, version: &str, licence: Option<&str>) -> Package {
    Package {
        name: name.into(),
        version: version.into(),
        licence: licence.map(str::to_owned),
    }
}

#[test]
fn licence_faults_name_the_package_and_what_is_allowed_in_vain() {
    let packages = BTreeSet::from([
        package("good", "1.0.0", Some("MIT")),
        package("bad", "2.0.0", Some("GPL-3.0")),
        package("silent", "3.0.0", None),
    ]);
    assert_eq!(
        licence_faults(&packages, &allowed(&["MIT", "Zlib"])),
        [
            "bad 2.0.0 is under `GPL-3.0`, which is not allowed",
            "silent 3.0.0 states no licence",
            "licence `Zlib` is allowed but no dependency needs it: remove it",
        ]
    );
}

fn skip(name: &str) -> Skip {
    Skip {
        name: name.into(),
        reason: "waiting for a release".into(),
    }
}

#[test]
fn a_second_version_needs_a_reason_and_a_reason_needs_a_second_version() {
    let packages = BTreeSet::from([
        package("twice", "1.0.0", None),
        package("twice", "2.0.0", None),
        package("once", "1.0.0", None),
    ]);
    assert_eq!(
        duplicate_faults(&packages, &[skip("twice@1.0.0")]),
        Vec::<String>::new()
    );
    assert_eq!(
        duplicate_faults(&packages, &[]),
        ["twice is built in versions 1.0.0, 2.0.0: unify them, \
             or add `{ crate = \"twice@1.0.0\", reason = … }`"]
    );
    assert_eq!(
        duplicate_faults(&packages, &[skip("twice@1.0.0"), skip("once@1.0.0")]),
        ["skipped duplicate `once@1.0.0` is not there any more: remove it"]
    );
}
