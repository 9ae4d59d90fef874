use super::{Outcome, Report};
use crate::parity::test_name::{Target, Test};

const NEXTEST: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="nextest-run" tests="4" failures="1" errors="0">
  <testsuite name="a::it" tests="4">
    <testcase name="m::passes" classname="a::it" time="0.1"></testcase>
    <testcase name="m::fails" classname="a::it"><failure type="test failure">a &lt; b</failure></testcase>
    <testcase name="m::flaky" classname="a::it"><flakyFailure type="test failure"/></testcase>
    <testcase name="m::retried" classname="a::it"><failure/><rerunFailure/></testcase>
  </testsuite>
</testsuites>"#;

const PYTEST: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<testsuites><testsuite name="pytest">
  <testcase classname="tests.io.test_x" name="test_a" time="0.0"/>
  <testcase classname="tests.io.test_x" name="test_many[1-a]"/>
  <testcase classname="tests.io.test_x" name="test_many[2-b]"><skipped type="pytest.skip"/></testcase>
  <testcase classname="tests.io.test_x" name="test_worst[1]"><error/></testcase>
  <testcase classname="tests.io.test_x" name="test_worst[2]"/>
  <testcase classname="tests.io.test_x.TestC" name="test_a"><failure/></testcase>
</testsuite></testsuites>"#;

fn rust(name: &str) -> Option<Outcome> {
    let test = Test::Rust {
        package: "a".into(),
        target: Target::Integration("it".into()),
        name: name.into(),
    };
    Report::parse(NEXTEST).unwrap().outcome(&test)
}

fn python(classes: &[&str], name: &str) -> Option<Outcome> {
    let test = Test::Python {
        root: "python/arco".into(),
        file: "tests/io/test_x.py".into(),
        classes: classes.iter().map(|&class| class.to_owned()).collect(),
        name: name.into(),
    };
    Report::parse(PYTEST).unwrap().outcome(&test)
}

#[test]
fn outcomes_of_nextest_are_read() {
    assert_eq!(rust("m::passes"), Some(Outcome::Passed));
    assert_eq!(rust("m::fails"), Some(Outcome::Failed));
    assert_eq!(
        rust("m::flaky"),
        Some(Outcome::Passed),
        "passed at a later try"
    );
    assert_eq!(rust("m::retried"), Some(Outcome::Failed));
    assert_eq!(rust("passes"), None, "another module");
}

#[test]
fn outcomes_of_pytest_are_read() {
    assert_eq!(python(&[], "test_a"), Some(Outcome::Passed));
    assert_eq!(python(&["TestC"], "test_a"), Some(Outcome::Failed));
    assert_eq!(python(&[], "test_worst"), Some(Outcome::Failed));
    assert_eq!(
        python(&[], "test_many"),
        Some(Outcome::Skipped),
        "one case is enough"
    );
    assert_eq!(python(&[], "test"), None, "the name is whole");
}

#[test]
fn report_that_is_not_xml_is_an_error() {
    assert!(Report::parse("<testsuites>").is_err());
}
