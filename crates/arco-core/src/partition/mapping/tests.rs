use serde_json::json;

use super::super::TimeWindowSpec;
use super::*;

fn windows(spec: TimeWindowSpec) -> PartitionsDef {
    PartitionsDef::time_window(spec).expect("valid")
}

fn shifted(start_offset: i32, end_offset: i32) -> PartitionMapping {
    PartitionMapping::TimeWindow {
        start_offset,
        end_offset,
        allow_nonexistent_upstream_partitions: false,
    }
}

const NOW: &str = "2024-02-10T00:00:00Z";

/// `needed ! nonexistent` of a child key.
fn up(
    mapping: &PartitionMapping,
    child: &PartitionsDef,
    key: &str,
    parent: &PartitionsDef,
) -> String {
    let key = child.parse_key(key).expect("a key");
    let now = Timestamp::parse_rfc3339(NOW).expect("RFC 3339");
    let mapped = mapping
        .upstream(Some(child), Some(&key), parent, now)
        .expect("they fit");
    format!(
        "{} ! {}",
        shortened(&mapped.keys),
        shortened(&mapped.nonexistent)
    )
}

fn down(
    mapping: &PartitionMapping,
    parent: &PartitionsDef,
    key: &str,
    child: &PartitionsDef,
) -> String {
    let key = parent.parse_key(key).expect("a key");
    let now = Timestamp::parse_rfc3339(NOW).expect("RFC 3339");
    shortened(
        &mapping
            .downstream(parent, &key, child, now)
            .expect("they fit"),
    )
}

/// One key as it is, several as `first...last (count)`.
fn shortened(keys: &[PartitionKey]) -> String {
    match keys {
        [] => "none".into(),
        [only] => only.display().into_owned(),
        [first, .., last] => format!("{}...{} ({})", first.display(), last.display(), keys.len()),
    }
}

#[test]
fn windows_that_overlap_are_needed() {
    let hourly = windows(TimeWindowSpec::hourly("2024-01-01"));
    let daily = windows(TimeWindowSpec::daily("2024-01-01"));
    let weekly = windows(TimeWindowSpec::weekly("2023-12-31"));
    let monthly = windows(TimeWindowSpec::monthly("2024-01-01"));
    let at_six = windows(TimeWindowSpec {
        hour_offset: 6,
        ..TimeWindowSpec::daily("2024-01-01")
    });
    let late = windows(TimeWindowSpec::daily("2024-01-05"));
    // mapping, child, key, parent, needed ! nonexistent (P-30 to P-35)
    for (mapping, child, key, parent, expected) in [
        (
            shifted(0, 0),
            &daily,
            "2024-01-03",
            &hourly,
            "2024-01-03-00:00...2024-01-03-23:00 (24) ! none",
        ),
        (
            shifted(0, 0),
            &hourly,
            "2024-01-03-05:00",
            &daily,
            "2024-01-03 ! none",
        ),
        (
            shifted(0, 0),
            &weekly,
            "2024-01-07",
            &daily,
            "2024-01-07...2024-01-13 (7) ! none",
        ),
        (
            shifted(0, 0),
            &monthly,
            "2024-01-01",
            &weekly,
            "2023-12-31...2024-01-28 (5) ! none",
        ),
        (
            shifted(0, 0),
            &daily,
            "2024-01-03",
            &at_six,
            "2024-01-02...2024-01-03 (2) ! none",
        ),
        (
            shifted(0, 0),
            &weekly,
            "2024-01-28",
            &monthly,
            "2024-01-01 ! 2024-02-01",
        ),
        (
            shifted(0, 0),
            &daily,
            "2024-01-03",
            &late,
            "none ! 2024-01-03",
        ),
        (
            shifted(-1, -1),
            &daily,
            "2024-01-03",
            &daily,
            "2024-01-02 ! none",
        ),
        (shifted(-1, -1), &daily, "2024-01-01", &daily, "none ! none"),
        (
            shifted(-1, 0),
            &daily,
            "2024-01-03",
            &hourly,
            "2024-01-02-00:00...2024-01-03-23:00 (48) ! none",
        ),
        (
            shifted(-6, 0),
            &daily,
            "2024-01-03",
            &daily,
            "2024-01-01...2024-01-03 (3) ! none",
        ),
        (
            shifted(0, 1),
            &daily,
            "2024-02-09",
            &daily,
            "2024-02-09 ! none",
        ),
        (shifted(1, 0), &daily, "2024-01-03", &daily, "none ! none"),
        (
            shifted(0, 0),
            &monthly,
            "2024-01-01",
            &daily,
            "2024-01-01...2024-01-31 (31) ! none",
        ),
    ] {
        assert_eq!(
            up(&mapping, child, key, parent),
            expected,
            "{mapping:?} {key}"
        );
    }
}

#[test]
fn parents_that_do_not_exist_may_be_allowed() {
    let mapping = PartitionMapping::TimeWindow {
        start_offset: 0,
        end_offset: 0,
        allow_nonexistent_upstream_partitions: true,
    };
    let (daily, late) = (
        windows(TimeWindowSpec::daily("2024-01-01")),
        windows(TimeWindowSpec::daily("2024-01-05")),
    );
    assert_eq!(up(&mapping, &daily, "2024-01-03", &late), "none ! none");
}

#[test]
fn children_that_exist_are_fed() {
    let daily = windows(TimeWindowSpec::daily("2024-01-01"));
    let monthly = windows(TimeWindowSpec::monthly("2024-01-01"));
    for (mapping, parent, key, child, expected) in [
        (shifted(0, 0), &daily, "2024-01-03", &monthly, "2024-01-01"),
        (shifted(0, 0), &daily, "2024-02-03", &monthly, "none"),
        (
            shifted(0, 0),
            &monthly,
            "2024-01-01",
            &daily,
            "2024-01-01...2024-01-31 (31)",
        ),
        (shifted(-1, -1), &daily, "2024-02-09", &daily, "none"),
        (shifted(-1, -1), &daily, "2024-01-03", &daily, "2024-01-04"),
        (
            shifted(-2, 0),
            &daily,
            "2024-01-03",
            &daily,
            "2024-01-03...2024-01-05 (3)",
        ),
        (
            PartitionMapping::Last,
            &daily,
            "2024-02-09",
            &monthly,
            "2024-01-01",
        ),
        (
            PartitionMapping::Last,
            &daily,
            "2024-02-08",
            &monthly,
            "none",
        ),
        (
            PartitionMapping::All,
            &daily,
            "2024-02-08",
            &monthly,
            "2024-01-01",
        ),
    ] {
        assert_eq!(
            down(&mapping, parent, key, child),
            expected,
            "{mapping:?} {key}"
        );
    }
}

#[test]
fn identity_is_the_same_key() {
    let abc = PartitionsDef::fixed(["a", "b", "c"]).expect("valid");
    let bcd = PartitionsDef::fixed(["b", "c", "d"]).expect("valid");
    let daily = windows(TimeWindowSpec::daily("2024-01-01"));
    let identity = PartitionMapping::Identity;
    assert_eq!(up(&identity, &abc, "b", &abc), "b ! none");
    assert_eq!(up(&identity, &abc, "b", &bcd), "b ! none");
    assert_eq!(up(&identity, &abc, "a", &bcd), "none ! a");
    assert_eq!(down(&identity, &bcd, "d", &abc), "none");
    assert_eq!(
        up(&identity, &daily, "2024-02-20", &daily),
        "none ! 2024-02-20"
    );
}

#[test]
fn an_unpartitioned_child_reads_all_or_the_last() {
    let daily = windows(TimeWindowSpec::daily("2024-01-01"));
    let now = Timestamp::parse_rfc3339("2024-01-04T00:00:00Z").expect("RFC 3339");
    let needs = |mapping: PartitionMapping| {
        let mapped = mapping.upstream(None, None, &daily, now).expect("they fit");
        assert!(mapped.nonexistent.is_empty());
        shortened(&mapped.keys)
    };
    assert_eq!(
        needs(PartitionMapping::infer(None, Some(&daily))),
        "2024-01-01...2024-01-03 (3)"
    );
    assert_eq!(needs(PartitionMapping::Last), "2024-01-03");
    let last = daily.parse_key("2024-01-03").expect("a key");
    let first = daily.parse_key("2024-01-01").expect("a key");
    assert!(PartitionMapping::Last.feeds_unpartitioned(&daily, &last, now));
    assert!(!PartitionMapping::Last.feeds_unpartitioned(&daily, &first, now));
    assert!(PartitionMapping::All.feeds_unpartitioned(&daily, &first, now));
}

#[test]
fn definitions_that_do_not_fit_say_so() {
    let daily = windows(TimeWindowSpec::daily("2024-01-01"));
    let tokyo = windows(TimeWindowSpec {
        timezone: "Asia/Tokyo".into(),
        ..TimeWindowSpec::daily("2024-01-01")
    });
    let listed = PartitionsDef::fixed(["a"]).expect("valid");
    for (mapping, child, parent, says) in [
        (
            shifted(0, 0),
            Some(&daily),
            &tokyo,
            "the child has `UTC`, the parent `Asia/Tokyo`; give both the same `timezone=`",
        ),
        (
            shifted(0, 0),
            Some(&listed),
            &daily,
            "the child has static partitions",
        ),
        (
            shifted(0, 0),
            Some(&daily),
            &listed,
            "the parent has static partitions",
        ),
        (shifted(0, 0), None, &daily, "the child has no partitions"),
        (
            PartitionMapping::Identity,
            Some(&listed),
            &daily,
            "the child has static partitions, the parent time windows",
        ),
        (
            PartitionMapping::Identity,
            None,
            &daily,
            "the child has no partitions",
        ),
    ] {
        let error = PartitionEdge::new(&mapping, child, parent)
            .expect_err(says)
            .to_string();
        assert!(error.contains(says), "{error}");
    }
}

#[test]
fn json_is_read_strictly() {
    for json in [
        json!({"kind": "identity"}),
        json!({"kind": "all"}),
        json!({"kind": "last"}),
        json!({"kind": "specific", "keys": ["a"]}),
        json!({"kind": "static", "downstream_keys_by_upstream_key": {"a": ["x", "y"]}}),
        json!({"kind": "multi_to_single"}),
        json!({"kind": "multi_to_single", "dimension": "day"}),
        json!({"kind": "multi", "dimensions": [{"upstream": "a", "downstream": "b", "mapping": {"kind": "all"}}]}),
        json!({"kind": "time_window", "start_offset": -1, "end_offset": 0, "allow_nonexistent_upstream_partitions": true}),
    ] {
        let mapping: PartitionMapping = serde_json::from_value(json.clone()).expect("valid");
        assert_eq!(serde_json::to_value(&mapping).expect("JSON"), json);
    }
    for json in [
        json!({"kind": "identity", "more": 1}),
        json!({"kind": "all", "start_offset": 1}),
        json!({"kind": "time_window", "offset": 1}),
        json!({"kind": "specific"}),
        json!({"kind": "static", "pairs": {}}),
        json!({"kind": "multi", "dimensions": [{"upstream": "a", "mapping": {"kind": "all"}}]}),
        json!("identity"),
    ] {
        assert!(
            serde_json::from_value::<PartitionMapping>(json.clone()).is_err(),
            "{json}"
        );
    }
}
