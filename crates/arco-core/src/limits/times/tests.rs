use std::collections::BTreeMap;

use super::TimeLimits;

fn limits(queue_ms: Option<u64>, run_ms: Option<u64>) -> TimeLimits {
    TimeLimits {
        queue_ms,
        run_ms,
        ..TimeLimits::default()
    }
}

#[test]
fn a_run_says_otherwise_than_its_workspace_and_zero_is_no_limit() {
    let workspace = limits(Some(5), Some(7));
    let of = |run: TimeLimits| run.or(workspace).effective();
    assert_eq!(of(TimeLimits::default()), workspace);
    assert_eq!(of(limits(Some(1), None)), limits(Some(1), Some(7)));
    assert_eq!(of(limits(Some(0), Some(0))), TimeLimits::default());
    assert_eq!(limits(Some(0), None).effective(), TimeLimits::default());
}

#[test]
fn the_tag_is_seconds_and_counts_where_nothing_else_is_said() {
    for (tag, value, expected) in [
        ("dagster/max_runtime", "90", Some(Some(90_000))),
        ("dagster/max_runtime", " 1.5 ", Some(Some(1_500))),
        ("dagster/max_runtime_seconds", "2", Some(Some(2_000))),
        ("dagster/max_runtime", "0", Some(Some(0))),
        ("dagster/max_runtime", "1e-9", Some(Some(1))),
        ("dagster/max_runtime", "1e300", Some(Some(u64::MAX))),
        ("dagster/max_runtime", "an hour", None),
        ("dagster/max_runtime", "-1", None),
        ("dagster/max_runtime", "inf", None),
        ("dagster/max_runtime", "", None),
        ("max_runtime", "90", Some(None)),
    ] {
        let tags = BTreeMap::from([(tag.to_owned(), value.to_owned())]);
        let read = TimeLimits::default().with_tags(&tags).ok();
        assert_eq!(read.map(|limits| limits.run_ms), expected, "{tag}={value}");
    }
    let tags = BTreeMap::from([("dagster/max_runtime".to_owned(), "90".to_owned())]);
    let own = limits(None, Some(1));
    assert_eq!(own.with_tags(&tags), Ok(own));
    let error = TimeLimits::default().with_tags(&BTreeMap::from([(
        "dagster/max_runtime".to_owned(),
        "soon".to_owned(),
    )]));
    assert_eq!(
        error.expect_err("no number").to_string(),
        "tag `dagster/max_runtime` is `soon`, which is no number of seconds; write `3600` for an hour"
    );
}
