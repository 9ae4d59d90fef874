use super::*;

fn tags(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    pairs.iter().map(owned).collect()
}

#[test]
fn tags_go_before_the_setting() {
    let setting = RunRetries {
        max_retries: 2,
        strategy: RetryStrategy::AllSteps,
        on_task_failure: false,
    };
    assert_eq!(RunRetries::of(&tags(&[]), setting), Ok(setting));
    let own = tags(&[
        (MAX_RETRIES_TAG, "5"),
        (STRATEGY_TAG, "FROM_FAILURE"),
        (ON_TASK_FAILURE_TAG, "True"),
    ]);
    let expected = RunRetries {
        max_retries: 5,
        strategy: RetryStrategy::FromFailure,
        on_task_failure: true,
    };
    assert_eq!(RunRetries::of(&own, setting), Ok(expected));
    let assets = tags(&[(STRATEGY_TAG, "FROM_ASSET_FAILURE")]);
    let of_assets = RunRetries::of(&assets, setting).unwrap();
    assert_eq!(of_assets.strategy.kind(), RerunKind::FromFailure);
    assert_eq!(setting.strategy.kind(), RerunKind::Whole);
}

#[test]
fn a_tag_that_means_nothing_is_named_with_what_it_may_be() {
    for (tag, value, expected) in [
        (MAX_RETRIES_TAG, "three", "a whole number"),
        (MAX_RETRIES_TAG, "-1", "a whole number"),
        (MAX_RETRIES_TAG, "1001", "0 to 1000"),
        (STRATEGY_TAG, "from_failure", "`FROM_FAILURE`"),
        (ON_TASK_FAILURE_TAG, "1", "`true` or `false`"),
    ] {
        let error = RunRetries::of(&tags(&[(tag, value)]), RunRetries::default()).unwrap_err();
        let text = error.to_string();
        assert!(text.contains(tag) && text.contains(value), "{text}");
        assert!(text.contains(expected), "{text}");
    }
}

#[test]
fn failures_of_the_platform_are_told_from_failures_of_the_code() {
    use FailureClass as C;
    let only_platform = RunRetries {
        on_task_failure: false,
        ..RunRetries::default()
    };
    for class in [C::WorkerLost, C::OutOfMemory, C::Crashed, C::Infrastructure] {
        assert!(only_platform.covers([class]), "{class:?}");
    }
    for class in [
        C::UserCode,
        C::Config,
        C::Io,
        C::RetryRequested,
        C::Timeout,
        C::DataQuality,
    ] {
        assert!(!only_platform.covers([C::WorkerLost, class]), "{class:?}");
        assert!(RunRetries::default().covers([class]), "{class:?}");
    }
}
