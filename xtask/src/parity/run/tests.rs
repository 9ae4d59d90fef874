use std::collections::BTreeSet;

use super::{builds, filter, harness_lines};
use crate::parity::junit::Outcome;
use crate::parity::test_name::{Target, Test};

fn rust(package: &str, target: Target, name: &str) -> Test {
    Test::Rust {
        package: package.into(),
        target,
        name: name.into(),
    }
}

#[test]
fn filter_names_each_test_in_its_binary_and_nothing_else() {
    let tests = BTreeSet::from([
        rust("a", Target::Lib, "m::one"),
        rust("a", Target::Integration("it".into()), "two"),
        rust("a", Target::Integration("it".into()), "three"),
        rust("cli", Target::Bin("arco".into()), "four"),
    ]);
    assert_eq!(
        filter(&tests),
        "(binary_id(=a) & (test(=m::one))) | (binary_id(=a::it) & (test(=three) | test(=two))) \
         | (binary_id(=cli::bin/arco) & (test(=four)))"
    );
}

#[test]
fn what_holds_a_named_test_is_built_and_named_once() {
    let tests = BTreeSet::from([
        rust("a", Target::Lib, "one"),
        rust("a", Target::Integration("it".into()), "two"),
        rust("b", Target::Lib, "three"),
        rust("cli", Target::Bin("arco".into()), "four"),
        rust("cli", Target::Integration("it".into()), "five"),
    ]);
    assert_eq!(
        builds(&tests).join(" "),
        "--bin arco --lib --package a --package b --package cli --test it"
    );
}

#[test]
fn lines_of_the_harness_are_read() {
    let printed = "\nrunning 3 tests\ntest m::one ... ok\ntest two ... FAILED\n\
        test three ... ignored, slow\n\ntest result: FAILED. 1 passed\n";
    let found: Vec<_> = harness_lines(printed).collect();
    assert_eq!(
        found,
        [
            ("m::one", Outcome::Passed),
            ("two", Outcome::Failed),
            ("three", Outcome::Skipped),
        ]
    );
}
