use super::nearest;

fn near(wanted: &str, names: &[&str]) -> Option<String> {
    nearest(wanted, names.iter()).map(|name| (*name).to_owned())
}

#[test]
fn a_slip_of_the_keyboard_is_near_and_another_word_is_not() {
    assert_eq!(
        near("flihgts", &["planes", "flights"]).as_deref(),
        Some("flights")
    );
    assert_eq!(near("Flights", &["flights"]).as_deref(), Some("flights"));
    assert_eq!(near("okk", &["ok"]).as_deref(), Some("ok"));
    assert_eq!(near("trains", &["planes"]), None);
}

#[test]
fn one_or_two_letters_are_near_only_in_another_case_or_swapped() {
    for (wanted, name) in [
        ("x", "y"),
        ("x", "xy"),
        ("xy", "x"),
        ("de", "fe"),
        ("de", "den"),
    ] {
        assert_eq!(near(wanted, &[name]), None, "{wanted} and {name}");
    }
    for (wanted, name) in [("X", "x"), ("ed", "de"), ("DE", "de"), ("Ed", "dE")] {
        assert_eq!(
            near(wanted, &["q", name]).as_deref(),
            Some(name),
            "{wanted}"
        );
    }
}
