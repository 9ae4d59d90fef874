use super::super::TimeWindowSpec;
use super::*;

fn daily() -> PartitionsDef {
    PartitionsDef::time_window(TimeWindowSpec::daily("2024-01-01")).expect("valid")
}

fn fixed(keys: &[&str]) -> PartitionsDef {
    PartitionsDef::fixed(keys.iter().copied()).expect("valid")
}

fn multi(dimensions: &[(&str, PartitionsDef)]) -> Result<PartitionsDef, PartitionsError> {
    PartitionsDef::multi(dimensions.iter().map(|(n, d)| ((*n).to_owned(), d.clone())))
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).expect("RFC 3339")
}

fn texts(def: &PartitionsDef, now: &str) -> Vec<String> {
    def.keys(at(now))
        .map(|key| key.display().into_owned())
        .collect()
}

#[test]
fn dimensions_are_in_the_order_of_their_names() {
    let def = multi(&[("z", fixed(&["1", "2"])), ("a", fixed(&["x", "y"]))]).expect("valid");
    assert_eq!(
        texts(&def, "2024-01-03T00:00:00Z"),
        ["x|1", "x|2", "y|1", "y|2"]
    );
    let key = def.parse_key("y|1").expect("a key");
    assert_eq!(key.as_str(), "a=s:eQ,z=s:MQ");
    assert_eq!(def.window(&key), None);
}

#[test]
fn ordinals_keep_their_meaning_as_days_go_by() {
    // The dimension that grows is the inner one.
    let def = multi(&[("region", fixed(&["eu", "us"])), ("when", daily())]).expect("valid");
    let key = def.parse_key("us|2024-01-01").expect("a key");
    let before = def
        .require(&key, at("2024-01-02T00:00:00Z"))
        .expect("there");
    let after = def
        .require(&key, at("2025-01-02T00:00:00Z"))
        .expect("there");
    assert_eq!(before, after);
    assert_eq!(
        texts(&def, "2024-01-03T00:00:00Z"),
        [
            "eu|2024-01-01",
            "eu|2024-01-02",
            "us|2024-01-01",
            "us|2024-01-02"
        ]
    );
    assert!(def.window(&key).is_some());
}

#[test]
fn any_number_of_dimensions() {
    let two = fixed(&["0", "1"]);
    let names = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];
    let dimensions: Vec<_> = names.iter().map(|name| (*name, two.clone())).collect();
    let def = multi(&dimensions).expect("valid");
    assert_eq!(def.count(Timestamp(0)), 1024);
    assert_eq!(
        def.existing(Timestamp(0)).ranges().len(),
        1,
        "full dimensions are one range"
    );
    let days: Vec<_> = ["a", "b", "c"]
        .iter()
        .map(|name| (*name, daily()))
        .collect();
    let refused = multi(&days).expect_err("too many to number").to_string();
    assert!(refused.contains("give those of time an `end`"), "{refused}");
}

#[test]
fn ranges_are_the_product_of_ranges() {
    let def = multi(&[
        ("x", fixed(&["a", "b", "c"])),
        ("y", fixed(&["1", "2", "3"])),
    ])
    .expect("valid");
    let range = |text| -> Vec<String> {
        let keys = def.parse_range(text).expect("keys");
        keys.map(|key| key.display().into_owned()).collect()
    };
    assert_eq!(range("a|2...b|3"), ["a|2", "a|3", "b|2", "b|3"]);
    assert!(def.parse_range("a|3...b|1").is_err(), "nothing is in it");
}

#[test]
fn refusals_say_which_dimension_and_what_to_do() {
    let def = multi(&[("day", daily()), ("region", fixed(&["eu", "us"]))]).expect("valid");
    let refused = |text: &str| def.parse_key(text).expect_err("refused").of("sales");
    assert_eq!(
        refused("2024-01-01"),
        "partition `2024-01-01` of `sales` does not have the dimensions day|region; it looks like `2024-01-01|eu`"
    );
    assert_eq!(
        refused("2024-01-01|su"),
        "partition `2024-01-01|su` of `sales` cannot be: in dimension `region`, partition `su` is not one of its 2 keys; did you mean `us`?"
    );
    assert!(refused("2024-1-1|us").ends_with("did you mean `2024-01-01`?"));
    let key = def.parse_key("2030-01-01|us").expect("it will exist");
    let error = def
        .require(&key, at("2024-01-03T00:00:00Z"))
        .expect_err("not yet");
    assert!(error.is_not_yet(), "{error}");
    for (name, one, says) in [
        ("_", daily(), "dimension `_` cannot be called so"),
        ("a b", daily(), "dimension `a b` cannot be called so"),
        ("x", fixed(&["a|b"]), "dimension `x` has the key `a|b`"),
        ("x", def.clone(), "dimension `x` has dimensions itself"),
    ] {
        let said = multi(&[(name, one)]).expect_err("refused").to_string();
        assert!(said.starts_with(says), "{said}");
    }
    assert!(multi(&[]).is_err());
}

#[test]
fn the_latest_are_the_last_window_and_all_keys_without_time() {
    let regions = fixed(&["eu", "us"]);
    let by_region = multi(&[("region", regions.clone()), ("when", daily())]).expect("valid");
    let latest = |def: &PartitionsDef, now: &str| -> Vec<String> {
        let keys = def.keys_of(def.latest(at(now)));
        keys.map(|key| key.display().into_owned()).collect()
    };
    let now = "2024-01-03T05:00:00Z";
    assert_eq!(latest(&by_region, now), ["eu|2024-01-02", "us|2024-01-02"]);
    assert_eq!(latest(&daily(), now), ["2024-01-02"]);
    assert_eq!(latest(&regions, now), ["eu", "us"]);
    // Of a day that is left out there is nothing, and not the day before once more.
    let weekdays = PartitionsDef::time_window(TimeWindowSpec {
        exclusions: vec!["0 0 * * 0,6".into()],
        ..TimeWindowSpec::daily("2024-01-01")
    });
    let weekdays = weekdays.expect("valid");
    assert_eq!(latest(&weekdays, "2024-01-06T05:00:00Z"), ["2024-01-05"]);
    assert_eq!(latest(&weekdays, "2024-01-07T05:00:00Z"), [""; 0]);
    assert_eq!(latest(&weekdays, "2024-01-08T05:00:00Z"), [""; 0]);
    assert_eq!(latest(&weekdays, "2024-01-09T05:00:00Z"), ["2024-01-08"]);
    // Nothing exists yet.
    let before = "2024-01-01T05:00:00Z";
    assert_eq!(latest(&by_region, before), [""; 0]);
    assert_eq!(latest(&daily(), before), [""; 0]);
}
