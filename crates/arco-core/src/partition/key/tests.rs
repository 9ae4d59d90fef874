use proptest::prelude::*;

use super::*;

#[test]
fn keys_are_ordered_by_canonical_text() {
    let mut keys = [
        PartitionKey::time("2024-02-01"),
        PartitionKey::text("a"),
        PartitionKey::time("2024-01-31"),
    ];
    keys.sort();
    let texts: Vec<&str> = keys.iter().map(PartitionKey::as_str).collect();
    assert_eq!(texts, ["_=d:2024-01-31", "_=d:2024-02-01", "_=s:YQ"]);
}

#[test]
fn refusals_say_what_is_wrong() {
    let message = |text: &str| PartitionKey::parse(text).expect_err("refused").to_string();
    assert_eq!(
        message("2024-01-31"),
        "`2024-01-31` is not the identity of a partition: a dimension is `name=d:…` or `name=s:…`; \
         it looks like `_=d:2024-01-31`"
    );
    assert!(message("b=s:MQ,a=s:MQ").contains("sorted by name"));
    assert!(message("_=s:%%").contains("base64url"));
}

#[test]
fn a_time_and_a_static_key_with_one_text_are_two_identities() {
    let (time, text) = (
        PartitionKey::time("2024-01-31"),
        PartitionKey::text("2024-01-31"),
    );
    assert_ne!(time, text);
    assert_eq!(time.display(), text.display());
}

#[test]
fn dimensions_need_names_that_are_free() {
    let value = || PartitionValue::Text("x".into());
    let none: [(&str, PartitionValue); 0] = [];
    assert!(PartitionKey::from_dimensions(&none).is_err());
    assert!(PartitionKey::from_dimensions(&[("_", value())]).is_err());
    assert!(PartitionKey::from_dimensions(&[("a", value()), ("a", value())]).is_err());
    assert!(PartitionKey::from_dimensions(&[("a b", value())]).is_err());
    assert!(PartitionKey::from_dimensions(&[("a", value()), ("_", value())]).is_err());
}

fn value() -> impl Strategy<Value = PartitionValue> {
    prop_oneof![
        "[0-9A-Za-z:+.-]{1,12}".prop_map(PartitionValue::Time),
        any::<String>().prop_map(PartitionValue::Text),
    ]
}

proptest! {
    #[test]
    fn one_value_is_read_back(value in value()) {
        let key = PartitionKey::one(&value);
        prop_assert_eq!(PartitionKey::parse(key.as_str()), Ok(key.clone()));
        prop_assert_eq!(key.display(), value.as_str());
        prop_assert_eq!(key.only_value(), Some(value));
        let json = serde_json::to_string(&key).expect("text");
        prop_assert_eq!(serde_json::from_str::<PartitionKey>(&json).expect("text"), key);
    }

    #[test]
    fn several_values_are_read_back(
        values in proptest::collection::btree_map("[A-Za-z0-9_]{2,6}", value(), 1..5)
    ) {
        let pairs: Vec<(String, PartitionValue)> = values.into_iter().collect();
        let mut reversed = pairs.clone();
        reversed.reverse();
        let key = PartitionKey::from_dimensions(&reversed).expect("valid names");
        prop_assert_eq!(PartitionKey::parse(key.as_str()), Ok(key.clone()));
        let read: Vec<(String, PartitionValue)> = key
            .dimensions()
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        prop_assert_eq!(read, pairs);
    }

    #[test]
    fn only_canonical_text_is_read(text in "[a-z_=,:dsMQ-]{0,16}|\\PC{0,12}") {
        if let Ok(key) = PartitionKey::parse(&text) {
            prop_assert_eq!(key.as_str(), text.as_str());
            let again = match key.only_value() {
                Some(value) => PartitionKey::one(&value),
                None => PartitionKey::from_dimensions(&key.dimensions()).expect("read before"),
            };
            prop_assert_eq!(again, key);
        }
    }
}
