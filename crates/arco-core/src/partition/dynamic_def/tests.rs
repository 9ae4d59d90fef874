use super::super::PartitionsDef;
use super::*;
use crate::Timestamp;

fn key(text: &str) -> PartitionKey {
    DynamicKeys::read(text).expect("a key")
}

fn sets(keys: &[&str]) -> DynamicSets {
    let mut set = DynamicKeys::default();
    keys.iter().for_each(|text| assert!(set.add(key(text))));
    [("fruits".to_owned(), set)].into()
}

fn texts(def: &PartitionsDef) -> Vec<String> {
    def.keys(Timestamp(0))
        .map(|key| key.display().into_owned())
        .collect()
}

#[test]
fn keys_stay_in_the_order_in_which_they_were_added() {
    let mut sets = sets(&["pear", "apple", "fig"]);
    let named = PartitionsDef::dynamic("fruits").expect("valid");
    assert_eq!(
        texts(&named),
        [""; 0],
        "as user code says it, it has no keys"
    );
    assert_eq!(texts(&named.resolved(&sets)), ["pear", "apple", "fig"]);
    let set = sets.get_mut("fruits").expect("there");
    assert!(
        !set.add(key("pear")),
        "P-23: no error, and it stays where it is"
    );
    assert_eq!(set.remove(&[key("apple"), key("plum")]), 1);
    assert!(set.add(key("apple")));
    let def = named.resolved(&sets).into_owned();
    assert_eq!(texts(&def), ["pear", "fig", "apple"]);
    for (ordinal, text) in (0..).zip(["pear", "fig", "apple"]) {
        assert_eq!(def.ordinal_of(&key(text)), Some(ordinal), "{text} moved up");
        assert_eq!(def.key_at(ordinal), Some(key(text)));
    }
    assert_eq!(def, named, "one set");
    let json = serde_json::to_string(&sets).expect("serializes");
    assert_eq!(
        serde_json::from_str::<DynamicSets>(&json).expect("reads"),
        sets
    );
}

#[test]
fn keys_that_are_none_are_refused() {
    for text in ["", "a...b", "tab\there"] {
        assert!(DynamicKeys::read(text).is_err(), "{text:?}");
    }
    let def = PartitionsDef::dynamic("fruits").expect("valid");
    let def = def.resolved(&sets(&["pear"])).into_owned();
    assert_eq!(
        def.parse_key("peer").expect_err("none").to_string(),
        "partition `peer` is not in the dynamic partitions `fruits`; did you mean `pear`?"
    );
    assert!(PartitionsDef::dynamic("").is_err());
}

#[test]
fn dimensions_are_resolved_too() {
    let two = PartitionsDef::fixed(["1", "2"]).expect("valid");
    let fruits = PartitionsDef::dynamic("fruits").expect("valid");
    let def =
        PartitionsDef::multi([("n".to_owned(), two), ("f".to_owned(), fruits)]).expect("valid");
    assert_eq!(def.dynamic_names().collect::<Vec<_>>(), ["fruits"]);
    assert_eq!(
        texts(&def.resolved(&sets(&["fig", "pear"]))),
        ["fig|1", "fig|2", "pear|1", "pear|2"]
    );
}
