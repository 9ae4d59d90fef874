use super::is_new_enough;

#[test]
fn python_3_11_is_the_oldest_that_will_do() {
    for (version, expected) in [
        ("3.11.0", true),
        ("3.14.1", true),
        ("4.0.0", true),
        ("3.10.14", false),
        ("2.7.18", false),
        ("", false),
    ] {
        assert_eq!(is_new_enough(version), expected, "{version}");
    }
}
