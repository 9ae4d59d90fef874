use super::{Attempt, Failure};
use crate::render::Paint;

fn plain(failure: &Failure) -> String {
    failure.render(Paint::new(false))
}

#[test]
fn message_causes_and_hints_come_in_this_order() {
    let failure = Failure::new("no such file")
        .context("could not read `tokens`")
        .hint("write the file first");
    insta::assert_snapshot!(plain(&failure), @r"
    error: could not read `tokens`
      caused by: no such file
    hint: write the file first
    ");
}

#[test]
fn cause_that_the_message_repeats_is_said_once() {
    let failure = Failure::new("connection refused").context("no answer: connection refused");
    assert_eq!(plain(&failure), "error: no answer: connection refused");
}

#[test]
fn attempt_names_what_was_tried() {
    let read: Result<String, _> = std::fs::read_to_string("/nonexistent/file");
    let failure = read
        .attempt(|| "could not read the token file")
        .unwrap_err();
    assert!(
        plain(&failure)
            .starts_with("error: could not read the token file\n  caused by: No such file")
    );
}
