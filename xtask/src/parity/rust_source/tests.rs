use super::{Kind, items};

const SOURCE: &str = r##"
//! fn in_a_comment() {}
#![expect(clippy::unwrap_used)]
use std::fmt; /* fn in_a_block() { /* nested */ } */

/// A thing.
#[derive(Debug)]
pub(crate) enum Shape<'a> {
    #[default]
    Round { radius: f64 },
    Square(f64, [u8; 2]),
    Named(&'a str),
    Flat,
}

impl<'a> fmt::Display for Shape<'a> where Shape<'a>: Sized {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = "fn in_a_string() {"; let quote = '"'; let brace = '{';
        f.write_str(r#"fn raw() { " "#)
    }
}

pub const LIMIT: usize = 3;
static mut COUNT: u32 = 0;
const fn double(x: impl Into<u8>) -> [u8; 2] { [0; 2] }
trait Area { type Unit; fn area(&self) -> f64; }
macro_rules! table { () => {} }

#[cfg(test)]
mod tests {
    #[test]
    fn plain() {}
    #[tokio::test(flavor = "multi_thread")]
    async fn with_runtime() {}
    #[test]
    #[ignore = "slow"]
    fn left_out() {}
    #[cfg_attr(miri, ignore)]
    #[test]
    fn left_out_sometimes() {}
    fn helper() {}
    proptest! {
        #![proptest_config(x)]
        #[test]
        fn property(x in 0..3) {}
    }
    mod deeper { #[test] fn plain() {} }
}
"##;

fn named(symbol: &str) -> Vec<String> {
    items(SOURCE)
        .iter()
        .filter(|item| item.is_named(symbol))
        .map(|item| format!("{} {:?}", item.module_path(), item.kind))
        .collect()
}

#[test]
fn items_are_found_by_name_and_by_path() {
    for symbol in [
        "Shape",
        "Shape::Round",
        "Shape::Square",
        "Named",
        "Shape::Flat",
        "Shape::fmt",
        "LIMIT",
        "COUNT",
        "double",
        "Area",
        "Area::area",
        "Area::Unit",
        "table",
        "tests",
    ] {
        assert_eq!(named(symbol).len(), 1, "{symbol}: {:?}", named(symbol));
    }
}

#[test]
fn what_is_only_mentioned_is_no_item() {
    for symbol in [
        "in_a_comment",
        "in_a_block",
        "in_a_string",
        "raw",
        "radius",
        "Formatter",
        "Square::fmt",
        "Display::fmt",
        "Round::radius",
        "f64",
        "Into",
    ] {
        assert_eq!(named(symbol), Vec::<String>::new(), "{symbol}");
    }
}

#[test]
fn tests_are_told_from_functions() {
    let kind = |symbol: &str| {
        let all = items(SOURCE);
        let item = all.iter().find(|item| item.is_named(symbol)).unwrap();
        item.kind
    };
    assert_eq!(kind("tests::plain"), Kind::Test { ignored: false });
    assert_eq!(kind("with_runtime"), Kind::Test { ignored: false });
    assert_eq!(kind("property"), Kind::Test { ignored: false });
    assert_eq!(kind("left_out"), Kind::Test { ignored: true });
    assert_eq!(kind("left_out_sometimes"), Kind::Test { ignored: true });
    assert_eq!(kind("helper"), Kind::Function);
    assert_eq!(kind("double"), Kind::Function);
}

#[test]
fn path_of_a_test_is_that_of_the_harness() {
    assert_eq!(
        named("plain"),
        [
            "tests::plain Test { ignored: false }",
            "tests::deeper::plain Test { ignored: false }",
        ]
    );
    assert_eq!(named("deeper::plain").len(), 1);
}

#[test]
fn scopes_close_again_in_every_file_of_the_repository() {
    // A scan that lost count of braces would name items after scopes they do not stand in.
    let mut seen = 0;
    let mut folders = vec![crate::repo::path("crates"), crate::repo::path("xtask")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let probe = format!("{text}\nfn probe_at_the_end() {{}}\n");
                let found = items(&probe);
                let last = found.last().unwrap();
                assert_eq!(last.name, "probe_at_the_end", "{}", path.display());
                assert!(last.scopes.is_empty(), "{}: {last:?}", path.display());
                seen += 1;
            }
        }
    }
    assert!(seen > 100, "only {seen} files");
}
