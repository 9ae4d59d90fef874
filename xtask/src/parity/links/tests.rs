use std::collections::BTreeSet;

use super::{check, slug};
use crate::parity::fixture::tree;

/// The faults of a page `docs/parity/page.md` with this text.
fn faults(text: &str) -> Vec<String> {
    let tree = tree(&[
        ("docs/parity/page.md", text),
        ("docs/parity/other.md", "# Other page: `run_key`, & more\n"),
        ("docs/guide/api.md", ""),
        ("README.md", ""),
        ("crates/a/src/lib.rs", ""),
    ]);
    let mut faults = Vec::new();
    check(&tree, &BTreeSet::new(), &mut faults);
    faults
        .iter()
        .map(|fault| format!("{} {}", fault.place, fault.rule))
        .collect()
}

#[test]
fn links_into_normative_places_are_good() {
    let page = "# Here\n[a](other.md) [b](../../crates/a/src/lib.rs#L3) [c](../../crates/a)\n\
        [d](#here) [e](other.md#other-page-run_key--more \"title\") [f]\n\n[f]: ./other.md\n";
    assert_eq!(faults(page), Vec::<String>::new());
}

#[test]
fn link_to_nothing_is_told() {
    for page in [
        "[a](gone.md)",
        "[a](../../crates/a/src/gone.rs)",
        "[a](other.md#gone)",
        "[a](#gone)",
        "[a]: gone.md",
    ] {
        assert_eq!(faults(page), ["docs/parity/page.md link-exists"], "{page}");
    }
}

#[test]
fn link_to_what_is_not_normative_is_told() {
    for page in [
        "[a](../guide/api.md)",
        "[a](../../README.md)",
        "[a](../../../x)",
    ] {
        assert_eq!(
            faults(page),
            ["docs/parity/page.md link-normative"],
            "{page}"
        );
    }
}

#[test]
fn link_out_of_the_repository_is_told() {
    for page in [
        "[a](https://docs.dagster.io/x)",
        "<http://example.org>",
        "see https://example.org/y.",
        "[a]: https://example.org",
    ] {
        assert_eq!(faults(page), ["docs/parity/page.md link-http"], "{page}");
    }
}

#[test]
fn code_has_no_links() {
    let page = "`[a](gone.md)` and `https://x`\n```\ncurl http://127.0.0.1/v1 [a](gone.md)\n```\n";
    assert_eq!(faults(page), Vec::<String>::new());
}

#[test]
fn pages_elsewhere_are_not_judged() {
    let tree = tree(&[("docs/guide/api.md", "[a](https://example.org)")]);
    let mut faults = Vec::new();
    check(&tree, &BTreeSet::new(), &mut faults);
    assert!(faults.is_empty());
}

#[test]
fn slugs_are_those_of_the_forge() {
    assert_eq!(slug("EX-01 Cron: `L` & lists"), "ex-01-cron-l--lists");
}
