//! Tokens carry the filter and refuse what does not fit.

use serde::{Deserialize, Serialize};

use super::{PageAsked, URL_SAFE_NO_PAD};
use crate::codes::Code;
use base64::Engine as _;

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Filter {
    status: Option<String>,
}

fn filter(status: &str) -> Filter {
    Filter {
        status: Some(status.into()),
    }
}

type Asked = PageAsked<Filter, u32>;

fn token(list: &str, filter: Filter, after: u32) -> String {
    let asked = Asked::read(list, filter, None, None).unwrap();
    asked
        .page(vec![1], Some(after))
        .next_page_token
        .expect("there is more")
}

fn refused(list: &str, filter: Filter, token: &str) -> Code {
    Asked::read(list, filter, Some(token), None)
        .expect_err("it does not fit")
        .code()
}

#[test]
fn a_token_brings_its_filter_and_place() {
    let asked = Asked::read(
        "runs",
        Filter::default(),
        Some(&token("runs", filter("failed"), 7)),
        None,
    );
    let asked = asked.unwrap();
    assert_eq!((asked.filter, asked.after), (filter("failed"), Some(7)));
}

#[test]
fn the_same_filter_may_be_repeated() {
    assert!(
        Asked::read(
            "runs",
            filter("a"),
            Some(&token("runs", filter("a"), 7)),
            None
        )
        .is_ok()
    );
}

#[test]
fn what_does_not_fit_is_refused() {
    let good = token("runs", filter("a"), 7);
    let old = URL_SAFE_NO_PAD.encode(br#"{"v":0}"#);
    for (list, filter, token) in [
        ("runs", filter("b"), good.as_str()),
        ("assets", filter("a"), &good),
        ("runs", filter("a"), "%%%"),
        ("runs", filter("a"), "e30"),
        ("runs", filter("a"), &old),
    ] {
        assert_eq!(refused(list, filter, token), Code::BadPageToken, "{token}");
    }
}

#[test]
fn limits_are_bounded() {
    for bad in [0, 1_001] {
        let error =
            Asked::read("runs", Filter::default(), None, Some(bad)).expect_err("out of bounds");
        assert_eq!(error.code(), Code::InvalidQuery);
    }
    assert_eq!(
        Asked::read("runs", Filter::default(), None, Some(1_000))
            .unwrap()
            .limit,
        1_000
    );
}

#[test]
fn the_last_page_has_no_token() {
    let asked = Asked::read("runs", Filter::default(), None, None).unwrap();
    assert_eq!(asked.page(vec![1], None).next_page_token, None);
}
