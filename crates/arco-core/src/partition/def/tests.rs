use proptest::prelude::*;
use serde_json::json;

use super::super::{DynamicKeys, TimeWindowSpec};
use super::*;

fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).expect("RFC 3339")
}

fn daily(start: &str) -> PartitionsDef {
    PartitionsDef::time_window(TimeWindowSpec::daily(start)).expect("valid")
}

fn texts(keys: Keys<'_>) -> Vec<String> {
    keys.map(|key| key.display().into_owned()).collect()
}

#[test]
fn a_window_exists_when_it_has_ended() {
    // start, end, end_offset, now, keys (P-4 to P-7)
    let rows = [
        ("2024-01-01", None, 0, "2024-01-03T00:00:00Z", "01 02"),
        ("2024-01-01", None, 0, "2024-01-02T23:59:59.999Z", "01"),
        ("2024-01-01", None, 0, "2024-01-01T12:00:00Z", ""),
        ("2024-01-01", None, 1, "2024-01-01T12:00:00Z", "01"),
        ("2024-01-01", None, 2, "2024-01-02T12:00:00Z", "01 02 03"),
        ("2024-01-01", None, -1, "2024-01-04T12:00:00Z", "01 02"),
        (
            "2024-01-01",
            Some("2024-01-03"),
            1,
            "2024-01-09T00:00:00Z",
            "01 02",
        ),
        (
            "2024-01-01",
            Some("2024-01-03"),
            0,
            "2024-01-09T00:00:00Z",
            "01 02",
        ),
        (
            "2024-01-01",
            Some("2024-01-01"),
            0,
            "2024-01-09T00:00:00Z",
            "",
        ),
        (
            "2024-01-01T05:00:00",
            None,
            0,
            "2024-01-04T00:00:00Z",
            "02 03",
        ),
        ("2024-01-05", None, 0, "2024-01-01T00:00:00Z", ""),
    ];
    for (start, end, end_offset, now, expected) in rows {
        let def = PartitionsDef::time_window(TimeWindowSpec {
            end: end.map(Into::into),
            end_offset,
            ..TimeWindowSpec::daily(start)
        })
        .expect("valid");
        let keys: Vec<String> = texts(def.keys(at(now)))
            .iter()
            .map(|key| key["2024-01-".len()..].to_owned())
            .collect();
        assert_eq!(
            keys.join(" "),
            expected,
            "{start} {end:?} {end_offset} {now}"
        );
        assert_eq!(def.count(at(now)), keys.len() as u64);
    }
}

#[test]
fn what_exists_soon_is_what_will_exist_after_so_many_windows() {
    let now = at("2024-01-03T00:00:00Z");
    let soon = |def: &PartitionsDef| texts(def.keys_of(def.existing_soon(now, 2)));
    let days = daily("2024-01-01");
    assert_eq!(
        soon(&days),
        ["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04"]
    );
    let PartitionsDef::TimeWindow(windows) = &days else {
        unreachable!("windows")
    };
    let ends = |end: &str| TimeWindowSpec {
        end: Some(end.into()),
        ..windows.spec().clone()
    };
    let short = PartitionsDef::time_window(ends("2024-01-04")).expect("valid");
    assert_eq!(
        soon(&short),
        ["2024-01-01", "2024-01-02", "2024-01-03"],
        "not beyond the end"
    );
    let left_out = TimeWindowSpec {
        exclusions: vec!["2024-01-03".into()],
        ..ends("2024-01-04")
    };
    let left_out = PartitionsDef::time_window(left_out).expect("valid");
    assert_eq!(soon(&left_out), ["2024-01-01", "2024-01-02"]);
    let letters = PartitionsDef::fixed(["x", "y"]).expect("valid");
    let both = PartitionsDef::multi([("a".into(), letters), ("b".into(), days)]).expect("valid");
    assert_eq!(soon(&both).len(), 8);
    assert_eq!(both.count(now), 4);
}

#[test]
fn keys_beyond_a_definition_are_read_and_others_are_not() {
    let days = daily("2024-01-01");
    let set = PartitionsDef::dynamic("people").expect("valid");
    let both = PartitionsDef::multi([("a".into(), set.clone()), ("b".into(), days.clone())]);
    let both = both.expect("valid");
    for (def, text) in [
        (&days, "2023-12-31"),
        (&days, "2024-01-01"),
        (&set, "ann"),
        (&both, "ann|2023-12-31"),
    ] {
        let key = def.read_key(text).expect(text);
        assert_eq!(key.display(), text);
        let now = at("2024-02-01T00:00:00Z");
        assert_eq!(def.exists(&key, now), text == "2024-01-01");
    }
    let letters = PartitionsDef::fixed(["x", "y"]).expect("valid");
    for (def, text) in [
        (&days, "yesterday"),
        (&days, "2024-1-1"),
        (&set, ""),
        (&set, "a...b"),
        (&both, "ann"),
        (&both, "ann|x"),
        (&letters, "z"),
    ] {
        assert!(def.read_key(text).is_err(), "{text}");
    }
}

#[test]
fn a_start_between_windows_waits_for_the_next() {
    let first = |spec: TimeWindowSpec| {
        PartitionsDef::time_window(spec)
            .expect("valid")
            .example_key()
    };
    assert_eq!(first(TimeWindowSpec::monthly("2024-01-15")), "2024-02-01");
    assert_eq!(first(TimeWindowSpec::weekly("2024-01-01")), "2024-01-07");
    let monday = TimeWindowSpec {
        day_offset: 1,
        ..TimeWindowSpec::weekly("2024-01-01")
    };
    assert_eq!(first(monday), "2024-01-01");
}

#[test]
fn months_without_the_day_have_no_window() {
    let spec = TimeWindowSpec {
        day_offset: 31,
        ..TimeWindowSpec::monthly("2024-01-01")
    };
    let def = PartitionsDef::time_window(spec).expect("valid");
    assert_eq!(
        texts(def.keys(at("2024-06-01T00:00:00Z"))),
        ["2024-01-31", "2024-03-31"]
    );
    let ordinals: Vec<Option<u64>> = def
        .keys(at("2030-06-01T00:00:00Z"))
        .map(|key| def.ordinal_of(&key))
        .collect();
    assert!(
        ordinals
            .iter()
            .copied()
            .eq((0..ordinals.len() as u64).map(Some))
    );
}

#[test]
fn refused_keys_say_what_keys_look_like() {
    let def = PartitionsDef::time_window(TimeWindowSpec {
        end: Some("2024-06-01".into()),
        ..TimeWindowSpec::daily("2024-01-31")
    })
    .expect("valid");
    let monthly = PartitionsDef::time_window(TimeWindowSpec::monthly("2024-01-01")).expect("valid");
    let listed = PartitionsDef::fixed(["red", "green"]).expect("valid");
    for (def, text, says) in [
        (
            &def,
            "2024-13-01",
            "partition `2024-13-01` of `raw/events` is not a date; daily partitions look like `2024-01-31`",
        ),
        (
            &def,
            "2024-2-1",
            "partition `2024-2-1` of `raw/events` is not the key of a daily partition; did you mean `2024-02-01`?",
        ),
        (
            &def,
            "2024-01-30",
            "partition `2024-01-30` of `raw/events` is before the first partition `2024-01-31`",
        ),
        (
            &def,
            "2024-06-01",
            "partition `2024-06-01` of `raw/events` is after the last partition `2024-05-31`",
        ),
        (
            &monthly,
            "2024-01-15",
            "partition `2024-01-15` of `raw/events` is not the key of a monthly partition; did you mean `2024-01-01`?",
        ),
        (
            &monthly,
            "2024-03-31",
            "partition `2024-03-31` of `raw/events` is not the key of a monthly partition; did you mean `2024-03-01`?",
        ),
        (
            &listed,
            "grean",
            "partition `grean` of `raw/events` is not one of its 2 keys; did you mean `green`?",
        ),
        (
            &listed,
            "zzz",
            "partition `zzz` of `raw/events` is not one of its 2 keys",
        ),
    ] {
        assert_eq!(def.parse_key(text).expect_err(text).of("raw/events"), says);
    }
}

#[test]
fn refused_ranges_say_how_ranges_are_written() {
    let listed = PartitionsDef::fixed(["red", "green", "a..b"]).expect("valid");
    for (def, text, says) in [
        (
            &daily("2024-01-01"),
            "2024-01-05...2024-01-01",
            "range `2024-01-05...2024-01-01` of `raw/events` ends before it begins; write FIRST...LAST",
        ),
        (
            &listed,
            "[green...red]",
            "range `[green...red]` of `raw/events` ends before it begins; write FIRST...LAST",
        ),
        (
            &daily("2024-01-01"),
            "2024-01-01..2024-01-05",
            "`2024-01-01..2024-01-05` is no partition of `raw/events`; a range is written FIRST...LAST, with three dots",
        ),
    ] {
        let refused = def.parse_range(text).expect_err(text);
        assert_eq!(refused.of("raw/events"), says);
    }
    let one = listed.parse_range("a..b").expect("a key");
    assert_eq!(texts(one), ["a..b"]);
}

#[test]
fn a_partition_that_is_not_yet_says_when() {
    let def = daily("2024-01-01");
    let key = def.parse_key("2024-01-05").expect("a key");
    let error = def
        .require(&key, at("2024-01-05T12:00:00Z"))
        .expect_err("not ended");
    assert!(error.is_not_yet());
    assert_eq!(
        error.to_string(),
        "partition `2024-01-05` does not exist yet; its window ends at 2024-01-06T00:00:00.000Z"
    );
    assert_eq!(def.require(&key, at("2024-01-06T00:00:00Z")), Ok(4));
}

#[test]
fn keys_of_another_kind_are_not_known() {
    let def = daily("2024-01-01");
    let listed = PartitionsDef::fixed(["2024-01-02"]).expect("valid");
    let (time, text) = (
        PartitionKey::time("2024-01-02"),
        PartitionKey::text("2024-01-02"),
    );
    assert_eq!(def.ordinal_of(&time), Some(1));
    assert_eq!(def.ordinal_of(&text), None);
    assert_eq!(listed.ordinal_of(&text), Some(0));
    assert_eq!(listed.ordinal_of(&time), None);
    assert_eq!(
        listed
            .require(&time, Timestamp(0))
            .expect_err("a time key")
            .to_string(),
        "partition `2024-01-02` is of another kind; static partitions look like `2024-01-02`"
    );
}

#[test]
fn static_keys_are_checked() {
    let refused = |keys: &[&str]| {
        PartitionsDef::fixed(keys.to_vec())
            .expect_err("refused")
            .to_string()
    };
    assert!(refused(&["a", "b", "a"]).contains("`a` is listed twice"));
    assert!(refused(&["a...b"]).contains("separates the ends of a range"));
    assert!(refused(&["a\tb"]).contains("control character"));
    assert!(PartitionsDef::fixed(["a|b", "", "x, y", "zürich"]).is_ok());
}

#[test]
fn ranges_include_both_ends_and_are_not_cut() {
    let def = daily("2024-01-01");
    let range = |text: &str| def.parse_range(text).map(texts);
    assert_eq!(
        range("[2024-01-30...2024-02-01]").expect("keys"),
        ["2024-01-30", "2024-01-31", "2024-02-01"]
    );
    assert_eq!(
        range("2024-01-30...2024-01-30").expect("keys"),
        ["2024-01-30"]
    );
    assert_eq!(range("2024-01-30").expect("a key"), ["2024-01-30"]);
    let key = |text: &str| def.parse_key(text).expect("a key");
    let reversed = def.range(&key("2024-02-01"), &key("2024-01-30"));
    assert!(texts(reversed.expect("keys")).is_empty());
    assert!(range("2024-02-01...").is_err());
    let listed = PartitionsDef::fixed(["c", "a", "b", "[x]"]).expect("valid");
    assert_eq!(
        texts(listed.parse_range("c...a").expect("keys")),
        ["c", "a"]
    );
    assert_eq!(texts(listed.parse_range("[x]").expect("a key")), ["[x]"]);
}

#[test]
fn json_is_read_strictly_and_written_whole() {
    let full = json!({
        "kind": "time_window", "cadence": "monthly", "start": "2013-01-01T00:00:00",
        "end": "2014-01-01T00:00:00", "timezone": "Europe/Berlin", "fmt": "%Y-%m", "end_offset": -1,
        "minute_offset": 15, "hour_offset": 3, "day_offset": 2,
    });
    let def = PartitionsDef::from_json(&full).expect("valid");
    assert_eq!(serde_json::to_value(&def).expect("JSON"), full);
    let fixed = json!({"kind": "static", "keys": ["b", "a"]});
    assert_eq!(
        serde_json::to_value(PartitionsDef::from_json(&fixed).expect("valid")).expect("JSON"),
        fixed
    );
    for (json, says) in [
        (
            json!({"kind": "static", "keys": ["a"], "more": 1}),
            "unknown field `more`",
        ),
        (json!({"kind": "static"}), "missing field `keys`"),
        (
            json!({"kind": "other", "name": "x"}),
            "unknown variant `other`",
        ),
        (
            json!({"kind": "time_window", "cadence": "daily", "start": "2024-01-01", "zone": "UTC"}),
            "unknown field `zone`",
        ),
        (
            json!({"kind": "time_window", "cadence": "daily", "start": "x"}),
            "start `x`",
        ),
        (
            json!({"kind": "static", "keys": ["a", "a"]}),
            "listed twice",
        ),
    ] {
        let error = PartitionsDef::from_json(&json).expect_err(says).to_string();
        assert!(error.contains(says), "{error}");
        assert!(serde_json::from_value::<PartitionsDef>(json).is_err());
    }
}

#[test]
fn keys_are_walked_in_order() {
    let def = daily("2024-01-01");
    let now = at("2024-01-06T00:00:00Z");
    let mut keys = def.keys(now);
    assert_eq!(keys.len(), 5);
    assert_eq!(keys.nth(1).expect("a key").display(), "2024-01-02");
    assert_eq!(keys.len(), 3);
    assert_eq!(*keys.ordinals(), Ordinals::from(0..5));
    assert_eq!(def.keys_in(3..u64::MAX).ordinals().first(), Some(3));
    assert_eq!(def.last_key(now), def.parse_key("2024-01-05").ok());
    assert_eq!(def.key_at(u64::MAX), None);
    assert_eq!(def.first_key(at("2023-01-01T00:00:00Z")), None);
}

fn definition() -> impl Strategy<Value = PartitionsDef> {
    let zone = proptest::sample::select(vec![
        "UTC",
        "America/New_York",
        "Europe/Berlin",
        "Asia/Kolkata",
        "Australia/Lord_Howe",
        "Pacific/Apia",
    ]);
    let cadence = proptest::sample::select(vec![
        TimeWindowSpec::hourly as fn(&str) -> TimeWindowSpec,
        TimeWindowSpec::daily,
        TimeWindowSpec::weekly,
        TimeWindowSpec::monthly,
    ]);
    let windows = (
        zone,
        cadence,
        1990..2030_u32,
        1..13_u32,
        0..60_u8,
        0..24_u8,
        -3..4_i32,
    )
        .prop_map(|(zone, cadence, year, month, minute, hour, end_offset)| {
            let spec = cadence(&format!("{year}-{month:02}-03"));
            let hour_offset = if spec.fmt.contains("%H") { 0 } else { hour };
            PartitionsDef::time_window(TimeWindowSpec {
                timezone: zone.into(),
                minute_offset: minute,
                hour_offset,
                end_offset,
                ..spec
            })
            .expect("valid")
        });
    let listed = proptest::collection::btree_set("[a-z|, ]{0,4}", 1..20)
        .prop_map(|keys| PartitionsDef::fixed(keys).expect("valid"));
    prop_oneof![4 => windows, 1 => listed]
}

/// Of one dimension in a dynamic set, or of two.
fn several() -> impl Strategy<Value = PartitionsDef> {
    let keys = proptest::collection::btree_set("[a-c]{1,2}", 1..6);
    let set = keys.prop_map(|texts| {
        let mut set = DynamicKeys::default();
        for text in texts {
            set.add(DynamicKeys::read(&text).expect("a key"));
        }
        let named = PartitionsDef::dynamic("people").expect("valid");
        named
            .resolved(&[("people".to_owned(), set)].into())
            .into_owned()
    });
    let set = set.boxed();
    let dimension = || {
        let windows = (2020..2024_u32).prop_map(|year| {
            let spec = TimeWindowSpec::monthly(&format!("{year}-01-01"));
            let end = Some(format!("{}-01-01", year + 2));
            PartitionsDef::time_window(TimeWindowSpec { end, ..spec }).expect("valid")
        });
        let listed = proptest::collection::btree_set("[a-c]{1,2}", 1..6)
            .prop_map(|keys| PartitionsDef::fixed(keys).expect("valid"));
        prop_oneof![windows, listed]
    };
    let multi = (dimension(), dimension()).prop_map(|(a, b)| {
        PartitionsDef::multi([("a".into(), a), ("b".into(), b)]).expect("valid")
    });
    prop_oneof![set, multi]
}

proptest! {
    #[test]
    fn keys_are_read_back_with_their_ordinals(def in definition(), ordinal in 0..300_000_u64) {
        let Some(key) = def.key_at(ordinal) else { return Ok(()) };
        prop_assert_eq!(def.ordinal_of(&key), Some(ordinal));
        prop_assert_eq!(def.parse_key(&key.display()), Ok(key.clone()));
        if let Some((from, to)) = def.window(&key) {
            prop_assert!(from < to);
            let next = def.key_at(ordinal + 1).expect("windows without end");
            prop_assert_eq!(def.window(&next).expect("a window").0, to);
        }
    }

    #[test]
    fn asking_for_an_ordinal_is_asking_for_the_key_without_the_reason(
        def in prop_oneof![definition(), several()],
        other in prop_oneof![definition(), several()],
        ordinal in 0..2_000_u64,
        now in 0..2_500_000_000_i64,
    ) {
        let now = Timestamp(now * 1000);
        for key in def.key_at(ordinal).into_iter().chain(other.key_at(ordinal)) {
            prop_assert_eq!(def.ordinal_of(&key), def.require_known(&key).ok());
            prop_assert_eq!(def.existing_ordinal_of(&key, now), def.require(&key, now).ok());
            prop_assert_eq!(def.exists(&key, now), def.require(&key, now).is_ok());
        }
    }

    #[test]
    fn a_range_is_a_filter_of_keys(def in definition(), from in 0..40_u64, to in 0..40_u64) {
        let (Some(first), Some(last)) = (def.key_at(from), def.key_at(to)) else { return Ok(()) };
        let range: Vec<PartitionKey> = def.range(&first, &last).expect("keys").collect();
        let filtered: Vec<PartitionKey> = def
            .keys_in(0..50)
            .filter(|key| (from..=to).contains(&def.ordinal_of(key).expect("its own")))
            .collect();
        prop_assert_eq!(range, filtered);
    }

    #[test]
    fn what_exists_is_the_first_ordinals(def in definition(), now in 0..4_000_000_000_i64) {
        let now = Timestamp(now * 1000 + 500);
        let count = def.count(now);
        for ordinal in count.saturating_sub(3)..count + 3 {
            let Some(key) = def.key_at(ordinal) else { continue };
            prop_assert_eq!(def.exists(&key, now), ordinal < count);
        }
        // Time only adds partitions.
        prop_assert!(def.count(now.plus_ms(3_600_000)) >= count);
    }

    #[test]
    fn existence_begins_when_the_refusal_says(def in definition(), ahead in 0..5_u64) {
        let now = Timestamp(1_700_000_000_000);
        let Some(key) = def.key_at(def.count(now) + ahead) else { return Ok(()) };
        let Err(error) = def.require(&key, now) else {
            return Err(TestCaseError::fail("it does not exist yet"));
        };
        let text = error.to_string();
        let until = at(text.rsplit(' ').next().expect("a time"));
        prop_assert!(def.exists(&key, until));
        prop_assert!(!def.exists(&key, Timestamp(until.0 - 1)));
    }

    #[test]
    fn json_is_read_back(def in definition()) {
        let json = serde_json::to_value(&def).expect("JSON");
        prop_assert_eq!(PartitionsDef::from_json(&json), Ok(def));
    }

    #[test]
    fn any_text_is_a_key_or_refused(def in definition(), text in "\\PC{0,20}|[0-9:-]{0,20}") {
        if let Ok(key) = def.parse_key(&text) {
            prop_assert_eq!(key.display(), text);
        }
    }
}
