use super::*;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

#[test]
fn secrets_are_of_their_sensor() {
    let text = format!(r#"{{"sensors": {{"orders": ["{SECRET}", "{SECRET}"]}}}}"#);
    let secrets = SensorSecrets::from_json(&text, "the test").expect("secrets");
    assert_eq!(secrets.of("orders").len(), 2);
    assert!(secrets.of("returns").is_empty());
    assert!(!format!("{secrets:?}").contains("MfKQ"));
}

#[test]
fn what_cannot_be_used_is_refused_with_its_place_and_without_the_secret() {
    let cases = [
        (
            format!(r#"{{"sensors": {{"orders": "{SECRET}"}}}}"#),
            "line 1",
        ),
        (
            format!(r#"{{"sensor": {{"orders": ["{SECRET}"]}}}}"#),
            "line 1",
        ),
        (
            r#"{"sensors": {"orders": []}}"#.into(),
            "`orders` without a secret",
        ),
        (
            format!(r#"{{"sensors": {{"orders": ["{SECRET}", "whsec_MfKQ"]}}}}"#),
            "secret 2 of sensor `orders` in the test has 3 bytes",
        ),
    ];
    for (text, said) in cases {
        let refused = SensorSecrets::from_json(&text, "the test")
            .expect_err("refused")
            .to_string();
        assert!(
            refused.contains("the test") && refused.contains(said),
            "{refused}"
        );
        assert!(!refused.contains("MfKQ"), "{refused}");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let missing = SensorSecrets::from_file(&folder.path().join("none.json"));
    assert!(
        missing
            .expect_err("no file")
            .to_string()
            .contains("none.json")
    );
}
